"""Which language an input is in, and whether it can be read."""

from __future__ import annotations

import os
import stat

# By file name suffix, as the driver tells types apart (clang/lib/Driver/Types.cpp).
# Everything else, headers and assembly included, is not ours.
_BY_SUFFIX = {
    ".C": "c++",
    ".CC": "c++",
    ".CPP": "c++",
    ".CXX": "c++",
    ".c": "c",
    ".c++": "c++",
    ".cc": "c++",
    ".cp": "c++",
    ".cpp": "c++",
    ".cxx": "c++",
    ".i": "c",
    ".ii": "c++",
}

# By the value of `-x`.
_BY_NAME = {
    "c": "c",
    "c++": "c++",
    "c++-cpp-output": "c++",
    "cpp-output": "c",
}

# How the objects of tests begin, or folders that they lie in: autoconf; CMake, Meson.
_PROBE_FILES = "conftest"
_PROBE_FOLDERS = ("CMakeScratch", "CMakeTmp", "CompilerId", "meson-private")


def language_of(source: str, stated: str | None, cxx: bool) -> str | None:
    """ "c" or "c++", None for any other language.

    `stated` is what `-x` says and goes before the suffix. The C++ driver takes a
    source with the suffix of C for C++, but never overrules `-x`.
    """
    if stated is not None:
        return _BY_NAME.get(stated)
    language = _BY_SUFFIX.get(os.path.splitext(source)[1])
    return "c++" if cxx and language == "c" else language


def is_preprocessed(source: str, stated: str | None) -> bool:
    """Whether a C or C++ source has been through the preprocessor."""
    if stated is not None:
        return stated.endswith("cpp-output")
    return source.endswith((".i", ".ii"))


def readable_problem(path: str) -> str:
    """Why `path` is no source that can be read twice, "" if it is one."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return "it does not exist"
    if not stat.S_ISREG(mode):
        return "not a regular file"
    return "" if os.access(path, os.R_OK) else "it cannot be read"


def is_probe(output: str) -> bool:
    """Whether an object is that of a build system's test, by its absolute path: hundreds of
    them are made before a build begins, and none is kept."""
    folders, _, name = output.rpartition("/")
    return name.startswith(_PROBE_FILES) or any(
        folder.startswith(_PROBE_FOLDERS) for folder in folders.split("/")
    )
