"""The open packages of the corpus: Debian source packages by name and version.

Recipes are mined and models trained on PACKAGES. HELD_OUT is for measuring alone: nothing is
mined, trained or chosen on it, so that figures from it are of code that nobody has seen.

None of them is a project of the benchmark or of an acceptance set. Another version
than the one named is taken where the distribution has another, and said so.
"""

from __future__ import annotations

from dataclasses import dataclass

_CONFIGURE = "./configure --disable-shared --disable-dependency-tracking"
_CMAKE = ("cmake -DBUILD_SHARED_LIBS=OFF .", "make -k -j2")
_MAKE = ("make -k -j2 CC=$CC",)


@dataclass(frozen=True)
class Package:
    """One row: a source package, its version, and how its objects come about.

    The commands run in the unpacked tree with CC set; a target that fails is no
    matter, since every compile before it was captured.
    """

    name: str
    version: str
    commands: tuple[str, ...] = (_CONFIGURE, "make -k -j2")


PACKAGES: tuple[Package, ...] = (
    Package("bc", "1.07.1"),
    Package("dash", "0.5.12"),
    Package("flac", "1.4.2+ds", ("cmake -DBUILD_CXXLIBS=OFF -DWITH_OGG=OFF .", "make -k -j2")),
    Package("gdbm", "1.23"),
    Package("giflib", "5.2.1", _MAKE),
    Package("grep", "3.8"),
    Package("gzip", "1.12"),
    Package("jansson", "2.14", _CMAKE),
    Package("less", "590"),
    Package("libconfig", "1.5"),
    Package("libedit", "3.1-20221030"),
    Package("libevent", "2.1.12-stable"),
    Package("libogg", "1.3.5"),
    Package("libtasn1-6", "4.19.0"),
    Package("libyaml", "0.2.5", _CMAKE),
    Package("mawk", "1.3.4.20200120"),
    Package("mpg123", "1.31.2"),
    Package("nano", "7.2"),
    Package("patch", "2.7.6"),
    Package("pcre2", "10.42"),
    Package("popt", "1.19"),
    Package("sed", "4.9"),
    Package("speex", "1.2.1"),
    Package("xz-utils", "5.4.1"),
)

HELD_OUT: tuple[Package, ...] = (
    Package("cjson", "1.7.15", _CMAKE),
    Package("cmark", "0.30.2", ("cmake -S . -B build", "make -k -j2 -C build")),
    Package("dos2unix", "7.4.3", _MAKE),
    Package("hiredis", "0.14.1", _MAKE),
    Package("libdeflate", "1.14", _MAKE),
    Package("libev", "4.33"),
    Package("libmaxminddb", "1.7.1", _CMAKE),
    Package("lzo2", "2.10"),
    Package("md4c", "0.4.8", _CMAKE),
    Package("tree", "2.1.0", _MAKE),
    Package("yajl", "2.1.0", _CMAKE),
    Package("zopfli", "1.0.3", _CMAKE),
)
