"""Find the real compiler, and never ourselves.

The order: the setting `clang`, `clang` on PATH, versioned names on PATH from the
newest down, the compiler that pip installed beside this interpreter.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping

from cr1cc.errors import ToolchainError

VERSIONED = tuple(range(22, 13, -1))  # clang-22 … clang-14: the names that distributions use
DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"

# What the scripts that installers write for us, and people's shims around them, contain
# behind their first line.
_OURS = (b"cr1cc.wrapper", b"'cr1cc'", b'"cr1cc"', b"'cr1cc=", b'"cr1cc=', b"cr1-clang")
_SCRIPT_BYTES = 8192


def find_compiler(name: str, *, setting: str | None, environ: Mapping[str, str], own: str) -> str:
    """The absolute path of the real `clang` or `clang++` (`name`).

    `setting` is the setting `clang` (a path or a name on PATH) or None; `own` is the
    path of the running wrapper. The path may be that of a C compiler although `name` is
    `clang++`: `mode_arguments` says what to add then.
    Raises ToolchainError, also when the setting names nothing usable.
    """
    if setting:
        return _for_name(name, _from_setting(setting, environ, own), own)
    for c_name in ("clang", *(f"clang-{version}" for version in VERSIONED)):
        found = _step(name, c_name, environ, own)
        if found:
            return found
    for path in pip_installed(own):
        return _for_name(name, path, own)
    raise ToolchainError(
        "no clang found: not on PATH, not beside this Python; "
        "install clang, or `pip install 'cr1cc[llvm]'`, or set CR1_CLANG"
    )


def mode_arguments(name: str, driver: str) -> tuple[str, ...]:
    """What makes `driver`, found for `name`, compile that language's way."""
    cxx = "++" in os.path.basename(driver)
    if name == "clang++" and not cxx:
        return ("--driver-mode=g++",)
    return ("--driver-mode=gcc",) if name == "clang" and cxx else ()


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
    if name == "clang++":
        for path in on_path(c_name.replace("clang", "clang++"), environ, own):
            return path
    for path in on_path(c_name, environ, own):
        return _for_name(name, path, own)
    return None


def _from_setting(setting: str, environ: Mapping[str, str], own: str) -> str:
    if "/" not in setting:
        for path in on_path(setting, environ, own):
            return path
        raise ToolchainError(f"the setting `clang` names {setting!r}, which is not on PATH")
    path = os.path.abspath(os.path.expanduser(setting))
    if not os.path.exists(path):
        raise ToolchainError(f"the setting `clang` names {setting!r}, which does not exist")
    if not _executable(path):
        raise ToolchainError(f"the setting `clang` names {setting!r}, which is not executable")
    if is_ourselves(path, own):
        raise ToolchainError(f"the setting `clang` names {setting!r}, which is cr1cc itself")
    return path


def _for_name(name: str, path: str, own: str) -> str:
    """`path`, or its partner for the other language where there is one."""
    if ("++" in os.path.basename(path)) == (name == "clang++"):
        return path
    for place in dict.fromkeys((path, os.path.realpath(path))):
        directory, base = os.path.split(place)
        plain = base.replace("clang++", "clang", 1)
        wanted = plain.replace("clang", "clang++", 1) if name == "clang++" else plain
        # clang's own symlink names its version in the target only: clang -> clang-23.
        for partner in dict.fromkeys((wanted, wanted.rstrip("0123456789.").rstrip("-"))):
            other = os.path.join(directory, partner)
            same = os.path.realpath(other) == os.path.realpath(path)
            usable = _executable(other) and not is_ourselves(other, own)
            if partner != base and usable and (partner == wanted or same):
                return other
    return path


def _executable(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)
