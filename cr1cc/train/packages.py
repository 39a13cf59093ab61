"""The open packages of the corpus: Debian source packages by name and version.

Recipes are mined and models trained on PACKAGES. HELD_OUT is for measuring alone: nothing is
mined, trained or chosen on it, so that figures from it are of code that nobody has seen.

None of them is of an acceptance set, and none of PACKAGES is a project of the benchmark, not in
another version either. Another version than the one named is taken where the distribution has
another, and said so.
"""

from __future__ import annotations

from dataclasses import dataclass

_MAKE = "make -k -j2"
_CONFIGURE = (
    "test -x configure || autoreconf -fi;"
    " ./configure --disable-shared --disable-dependency-tracking"
)
_PLAIN = ("./configure", _MAKE)  # a script that is not Autoconf's


def _configure(options: str = "", environment: str = "") -> tuple[str, ...]:
    return f"{environment} {_CONFIGURE} {options}".strip(), _MAKE


def _cmake(options: str = "", target: str = "") -> tuple[str, ...]:
    make = f"{_MAKE} -C build {target}".strip()
    return f"cmake -DBUILD_SHARED_LIBS=OFF -S . -B build {options}".strip(), make


def _make(words: str = "") -> tuple[str, ...]:
    return (f"{_MAKE} CC=$CC {words}".strip(),)


@dataclass(frozen=True)
class Package:
    """One row: a source package, its version, and how its objects come about.

    The commands run in the unpacked tree with CC and CXX set; a target that fails is no
    matter, since every compile before it was captured.
    """

    name: str
    version: str
    commands: tuple[str, ...] = (_CONFIGURE, _MAKE)


PACKAGES: tuple[Package, ...] = (
    Package("bash", "5.2.15"),
    Package("check", "0.15.2"),
    Package("chrony", "4.3", _PLAIN),
    Package("cmocka", "1.1.5", _cmake()),
    Package("coreutils", "9.1", _configure(environment="export FORCE_UNSAFE_CONFIGURE=1;")),
    Package("cpio", "2.13+dfsg"),
    Package("dash", "0.5.12"),
    Package("diffutils", "3.8"),
    Package("dnsmasq", "2.90", _make()),
    Package("dosfstools", "4.2"),
    Package("dropbear", "2022.83"),
    Package("ed", "1.19", ("./configure CC=$CC", _MAKE)),
    Package("faad2", "2.10.1"),
    Package("file", "5.44"),
    Package("findutils", "4.9.0"),
    Package("flac", "1.4.2+ds", _cmake("-DBUILD_CXXLIBS=OFF -DWITH_OGG=OFF")),
    Package("fmtlib", "9.1.0+ds1", _cmake("-DFMT_TEST=OFF -DFMT_DOC=OFF")),
    Package("fribidi", "1.0.8"),
    Package("gdbm", "1.23"),
    Package("geos", "3.11.1", _cmake("-DBUILD_TESTING=OFF -DCMAKE_BUILD_TYPE=None", target="geos")),
    Package("glpk", "5.0"),
    Package("gperf", "3.1"),
    Package("graphite2", "1.3.14", _cmake()),
    Package("grep", "3.8"),
    Package("gzip", "1.12"),
    Package("hunspell", "1.7.1"),
    Package("indent", "2.2.12"),
    Package("iptables", "1.8.9", _configure("--disable-nftables")),
    Package("jansson", "2.14", _cmake()),
    Package("jbigkit", "2.1", _make()),
    Package("joe", "4.6"),
    Package("json-c", "0.16", _cmake()),
    Package("judy", "1.0.5"),
    Package("kyotocabinet", "1.2.79", _PLAIN),
    Package("lcms2", "2.14"),
    Package("less", "590"),
    Package("leveldb", "1.23", _cmake("-DLEVELDB_BUILD_TESTS=OFF -DLEVELDB_BUILD_BENCHMARKS=OFF")),
    Package("lhasa", "0.3.1"),
    Package("libarchive", "3.6.2", _configure("--without-xml2 --without-openssl")),
    Package("libconfig", "1.5"),
    Package("libconfuse", "3.3"),
    Package("libedit", "3.1-20221030"),
    Package("libevent", "2.1.12-stable"),
    Package("libexif", "0.6.24"),
    Package("libgpg-error", "1.46"),
    Package("libidn2", "2.3.3"),
    Package("libmd", "1.0.4"),
    Package("libmicrohttpd", "0.9.75"),
    Package("libmspack", "0.11"),
    Package("libpipeline", "1.5.7"),
    Package("libsodium", "1.0.18"),
    Package("libsoxr", "0.1.3", _cmake()),
    Package("libtasn1-6", "4.19.0"),
    Package("libtomcrypt", "1.18.2", _make("library")),
    Package("libtommath", "1.2.0", _make()),
    Package("libunistring", "1.0"),
    Package("libxml2", "2.9.14+dfsg", _configure("--without-python")),
    Package("libyaml", "0.2.5", _cmake()),
    Package("lighttpd", "1.4.69", _configure("--without-pcre2 --without-zlib")),
    Package("m4", "1.4.19"),
    Package("mawk", "1.3.4.20200120"),
    Package("mbedtls", "2.28.3", _make("lib programs")),
    Package("mksh", "59c", ("sh ./Build.sh",)),
    Package("mpg123", "1.31.2"),
    Package("mtools", "4.0.32"),
    Package("mujs", "1.3.2", _make()),
    Package("musl", "1.2.3", _PLAIN),
    Package("nano", "7.2"),
    Package("nasm", "2.16.01"),
    Package("ncurses", "6.4", _configure("--without-ada")),
    Package("nettle", "3.8.1", _configure("--disable-assembler")),
    Package("ninja-build", "1.11.1", _cmake()),
    Package(
        "nlopt",
        "2.7.1",
        _cmake("-DNLOPT_PYTHON=OFF -DNLOPT_GUILE=OFF -DNLOPT_OCTAVE=OFF -DNLOPT_SWIG=OFF"),
    ),
    Package("openssh", "9.2p1"),
    Package("opus", "1.3.1"),
    Package("patch", "2.7.6"),
    Package("pcre2", "10.42"),
    Package("pixman", "0.42.2"),
    Package("popt", "1.19"),
    Package("readline", "8.2"),
    Package("recutils", "1.9"),
    Package("sed", "4.9"),
    Package("socat", "1.7.4.4"),
    Package("speex", "1.2.1"),
    Package("strace", "6.1", _configure("--disable-mpers --enable-gcc-Werror=no")),
    Package("taglib", "1.13", _cmake()),
    Package("tar", "1.34+dfsg", _configure(environment="export FORCE_UNSAFE_CONFIGURE=1;")),
    Package(
        "tcl8.6", "8.6.13+dfsg", ("cd unix && ./configure --disable-shared", "make -k -j2 -C unix")
    ),
    Package("tidy-html5", "5.6.0", _cmake()),
    Package("twolame", "0.4.0"),
    Package("uchardet", "0.0.7", _cmake()),
    Package("units", "2.22"),
    Package("wavpack", "5.6.0"),
    Package("wget", "1.21.3", _configure("--without-ssl")),
    Package(
        "wolfssl",
        "5.5.4",
        (
            "autoreconf -i",
            *_configure("--disable-asm --disable-examples"),
        ),
    ),
    Package("xz-utils", "5.4.1"),
    Package("zsh", "5.9"),
)

HELD_OUT: tuple[Package, ...] = (
    Package("cjson", "1.7.15", _cmake()),
    Package("cmark", "0.30.2", _cmake()),
    Package("dos2unix", "7.4.3", _make()),
    Package("hiredis", "0.14.1", _make()),
    Package("libdeflate", "1.14", _make()),
    Package("libev", "4.33"),
    Package("libmaxminddb", "1.7.1", _cmake()),
    Package("lzip", "1.23", ("./configure CXX=$CXX", _MAKE)),
    Package("lzo2", "2.10"),
    Package("md4c", "0.4.8", _cmake()),
    Package("mxml", "3.3.1"),
    Package("pugixml", "1.13", _cmake()),
    Package("tinyxml2", "9.0.0+dfsg", _cmake()),
    Package("tree", "2.1.0", _make()),
    Package("yajl", "2.1.0", _cmake()),
    Package("yaml-cpp", "0.7.0+dfsg", _cmake("-DYAML_CPP_BUILD_TESTS=OFF")),
    Package("zopfli", "1.0.3", _cmake()),
)

# Of these the decisions ship as a pack: code that many builds have in common.
PACKED: tuple[str, ...] = (
    "dash", "flac", "gdbm", "grep", "gzip", "jansson", "less", "libconfig", "libedit", "libevent",
    "libtasn1-6", "libyaml", "mawk", "mpg123", "nano", "patch", "pcre2", "popt", "sed", "speex",
    "xz-utils",
)  # fmt: skip
