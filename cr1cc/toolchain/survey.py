"""What `cr1 doctor` wants to know: every compiler of this machine, and what ails one."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping

from cr1cc.errors import ToolchainError
from cr1cc.records import Toolchain
from cr1cc.toolchain.describe import describe
from cr1cc.toolchain.find import VERSIONED, on_path, pip_installed

OLDEST = 14  # the versions that the project tests
NEWEST = 23


def all_compilers(environ: Mapping[str, str], *, cache_dir: str, own: str = "") -> list[Toolchain]:
    """Every clang that runs, in the order of `find_compiler`, each installation once.

    A launcher such as ccache is left out where the compiler behind it is found too.
    """
    names = ("clang", *(f"clang-{version}" for version in VERSIONED))
    paths = [path for name in names for path in on_path(name, environ, own)]
    found: list[tuple[int, Toolchain]] = []
    for index, path in enumerate(dict.fromkeys((*paths, *pip_installed(own)))):
        try:
            found.append((index, describe(path, cache_dir=cache_dir, environ=environ)))
        except ToolchainError:
            continue
    best: dict[tuple[str, str], tuple[int, Toolchain]] = {}
    # A path that lies with its libLLVM is the compiler itself and wins over a launcher.
    for index, toolchain in sorted(found, key=lambda item: (_launched(item[1]), item[0])):
        best.setdefault(
            (toolchain.identity, toolchain.libllvm or toolchain.driver), (index, toolchain)
        )
    return [toolchain for _, toolchain in sorted(best.values(), key=lambda item: item[0])]


def problems(toolchain: Toolchain) -> list[str]:
    """What keeps this compiler from being used fully, one sentence each; [] if nothing."""
    found = []
    version = ".".join(map(str, toolchain.version))
    if toolchain.libllvm is None:
        found.append(f"no usable libLLVM: {toolchain.libllvm_problem}")
    if toolchain.major < OLDEST:
        found.append(f"version {version} is older than {OLDEST}, the oldest that is supported")
    if toolchain.major > NEWEST:
        found.append(f"version {version} is newer than {NEWEST}, the newest that was tested")
    return found


def _launched(toolchain: Toolchain) -> bool:
    return not os.path.basename(os.path.realpath(toolchain.driver)).startswith("clang")


def main() -> int:
    """Exit status 0 if a clang that can be used fully is found; for `make setup`."""
    with tempfile.TemporaryDirectory() as cache_dir:
        found = all_compilers(os.environ, cache_dir=cache_dir)
    return 0 if any(not problems(toolchain) for toolchain in found) else 1


if __name__ == "__main__":
    sys.exit(main())
