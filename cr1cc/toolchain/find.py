"""Find the real compiler, and never ourselves.

The order: the setting, the plain name on PATH, versioned names on PATH from the newest
down, and of clang the compiler that pip installed beside this interpreter.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from cr1cc.errors import ToolchainError

VERSIONED = tuple(range(22, 13, -1))  # clang-22 … clang-14: the names that distributions use
GCC_VERSIONED = tuple(range(14, 10, -1))  # gcc-14 … gcc-11
DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"

# What the scripts that installers write for us, and people's shims around them, contain
# behind their first line.
_OURS = (
    b"cr1cc.wrapper",
    b"'cr1cc'",
    b'"cr1cc"',
    b"'cr1cc=",
    b'"cr1cc=',
    b"cr1-clang",
    b"cr1-gcc",
    b"cr1-g++",
)
_SCRIPT_BYTES = 8192


class Family(NamedTuple):
    """Compilers that are called alike. `c` and `cxx` are their names, and so the ends of
    the names of ours; `settings` say where they are."""

    c: str
    cxx: str
    settings: tuple[str, str]
    versioned: tuple[int, ...]
    advice: str
    modes: bool  # whether one program can be told to compile the other language's way


CLANG = Family(
    "clang", "clang++", ("clang", "clangxx"), VERSIONED,
    "no clang found: not on PATH, not beside this Python; "
    "install clang, or `pip install 'cr1cc[llvm]'`, or set CR1_CLANG",
    modes=True,
)  # fmt: skip
GCC = Family(
    "gcc", "g++", ("gcc", "gxx"), GCC_VERSIONED,
    "no gcc found: not on PATH; install gcc and g++, or set CR1_GCC and CR1_GXX",
    modes=False,
)  # fmt: skip
FAMILIES = (CLANG, GCC)


def family_of(name: str) -> Family:
    """The family that has a compiler of this name. Raises KeyError if there is none."""
    return {name: family for family in FAMILIES for name in (family.c, family.cxx)}[name]


def find_compiler(name: str, *, setting: str | None, environ: Mapping[str, str], own: str) -> str:
    """The absolute path of the real compiler `name`, as one of the families has it.

    `setting` is what the setting says (a path or a name on PATH) or None; `own` is the
    path of the running wrapper. The path may be that of clang as a C compiler although
    `name` is `clang++`: `mode_arguments` says what to add then.
    Raises ToolchainError, also when the setting names nothing usable.
    """
    family = family_of(name)
    if setting:
        return _for_name(name, _from_setting(setting, family, environ, own), own)
    for c_name in (family.c, *(f"{family.c}-{version}" for version in family.versioned)):
        found = _step(name, c_name, environ, own)
        if found:
            return found
    for path in pip_installed(own) if family is CLANG else ():
        return _for_name(name, path, own)
    raise ToolchainError(family.advice)


def mode_arguments(name: str, driver: str) -> tuple[str, ...]:
    """What makes `driver`, found for `name`, compile that language's way."""
    family = family_of(name)
    cxx = "++" in os.path.basename(driver)
    if not family.modes or cxx == (name == family.cxx):
        return ()
    return ("--driver-mode=gcc",) if cxx else ("--driver-mode=g++",)


def is_ourselves(path: str, own: str) -> bool:
    """Whether `path` is the running wrapper, a console script of ours or a shim around one."""
    try:
        if own and os.path.samefile(path, own):
            return True
    except OSError:
        pass
    try:
        with open(path, "rb") as file:
            if file.read(2) != b"#!":
                return False
            body = file.read(_SCRIPT_BYTES).partition(b"\n")[2]
            return any(mark in body for mark in _OURS)
    except OSError:
        return False


def on_path(name: str, environ: Mapping[str, str], own: str) -> Iterator[str]:
    """Every executable of this name on PATH that is not ourselves, in PATH's order."""
    for directory in environ.get("PATH", DEFAULT_PATH).split(os.pathsep):
        path = os.path.abspath(os.path.join(directory or ".", name))
        if _executable(path) and not is_ourselves(path, own):
            yield path


def pip_installed(own: str) -> Iterator[str]:
    """The clang beside this interpreter, whether or not its `bin` is on PATH."""
    beside = [os.path.join(sys.prefix, "bin"), os.path.dirname(sys.executable or "")]
    if own:
        beside.append(os.path.dirname(os.path.abspath(own)))
    for directory in dict.fromkeys(beside):
        path = os.path.join(directory, "clang")
        if directory and _executable(path) and not is_ourselves(path, own):
            yield path


def _step(name: str, c_name: str, environ: Mapping[str, str], own: str) -> str | None:
    """One name of the search; the C++ compiler first under its own name, then by the C one."""
    family = family_of(name)
    if name == family.cxx:
        for path in on_path(c_name.replace(family.c, family.cxx), environ, own):
            return path
        if not family.modes:
            return None
    for path in on_path(c_name, environ, own):
        return _for_name(name, path, own)
    return None


def _from_setting(setting: str, family: Family, environ: Mapping[str, str], own: str) -> str:
    named = f"the setting `{family.settings[0]}` names {setting!r}, which"
    if "/" not in setting:
        for path in on_path(setting, environ, own):
            return path
        raise ToolchainError(f"{named} is not on PATH")
    path = os.path.abspath(os.path.expanduser(setting))
    if not os.path.exists(path):
        raise ToolchainError(f"{named} does not exist")
    if not _executable(path):
        raise ToolchainError(f"{named} is not executable")
    if is_ourselves(path, own):
        raise ToolchainError(f"{named} is cr1cc itself")
    return path


def _for_name(name: str, path: str, own: str) -> str:
    """`path`, or its partner for the other language where there is one.

    Raises ToolchainError where there is none and the compiler cannot be told.
    """
    family = family_of(name)
    if ("++" in os.path.basename(path)) == (name == family.cxx):
        return path
    for place in dict.fromkeys((path, os.path.realpath(path))):
        directory, base = os.path.split(place)
        wanted = _partner(base, family, cxx=name == family.cxx)
        # clang's own symlink names its version in the target only: clang -> clang-23.
        for partner in dict.fromkeys((wanted, wanted.rstrip("0123456789.").rstrip("-"))):
            other = os.path.join(directory, partner)
            same = os.path.realpath(other) == os.path.realpath(path)
            usable = _executable(other) and not is_ourselves(other, own)
            if partner != base and usable and (partner == wanted or same):
                return other
    if not family.modes:
        raise ToolchainError(f"no {name} found beside {path}; set CR1_{family.settings[1].upper()}")
    return path


def _partner(base: str, family: Family, *, cxx: bool) -> str:
    """What the compiler of the other language is called beside the one called `base`."""
    pairs = [(family.c, family.cxx)]
    if not family.modes:  # beside a clang that is called cc may be a c++ of another family
        pairs.append(("cc", "c++"))
    for c_name, cxx_name in pairs:
        old, new = (c_name, cxx_name) if cxx else (cxx_name, c_name)
        before, found, after = base.rpartition(old)  # the last one: cross-gcc-12
        if found:
            return before + new + after
    return base


def _executable(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)
