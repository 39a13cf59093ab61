"""The two compilers that are compared: a real clang, and ours in front of that very clang."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from cr1cc.toolchain.find import find_compiler, mode_arguments
from cr1cc.toolchain.survey import all_compilers, problems
from tests.projects.build import Compiler
from tests.projects.fetch import CHECKOUT


def plain(clang: str | None = None) -> Compiler:
    """The clang at `clang`, or by CR1_CLANG, or the first on this machine that can be used fully.

    Raises ToolchainError if there is none.
    """
    setting = clang or os.environ.get("CR1_CLANG") or _first_usable()
    cc = find_compiler("clang", setting=setting, environ=os.environ, own="")
    cxx = find_compiler("clang++", setting=cc, environ=os.environ, own="")
    words = (cxx, *mode_arguments("clang++", cxx))
    return Compiler("clang", cc, shlex.join(words), {})


def ours(clang: Compiler, directory: Path, **settings: str) -> Compiler:
    """cr1-clang in front of `clang`, with its cache and journal under `directory`.

    `settings` are more environment variables.
    """
    home = {
        "XDG_STATE_HOME": str(directory / "state"),
        "XDG_CONFIG_HOME": str(directory / "config"),
    }
    environ = {**home, "CR1_CLANG": clang.cc, "CR1_CACHE_DIR": str(directory / "cache"), **settings}
    return Compiler("cr1-clang", _entry("clang", directory), _entry("clang++", directory), environ)


def plain_gcc(gcc: str | None = None) -> Compiler:
    """The gcc at `gcc`, or by CR1_GCC, or the first on PATH. Raises ToolchainError."""
    setting = gcc or os.environ.get("CR1_GCC")
    cc = find_compiler("gcc", setting=setting, environ=os.environ, own="")
    cxx = find_compiler("g++", setting=os.environ.get("CR1_GXX") or cc, environ=os.environ, own="")
    return Compiler("gcc", cc, cxx, {})


def ours_gcc(gcc: Compiler, directory: Path, **settings: str) -> Compiler:
    """cr1-gcc in front of `gcc`, with its cache and journal under `directory`."""
    home = {
        "XDG_STATE_HOME": str(directory / "state"),
        "XDG_CONFIG_HOME": str(directory / "config"),
    }
    environ = {
        **home, "CR1_GCC": gcc.cc, "CR1_GXX": gcc.cxx, "CR1_CACHE_DIR": str(directory / "cache"),
        **settings,
    }  # fmt: skip
    return Compiler("cr1-gcc", _entry("gcc", directory), _entry("g++", directory), environ)


def version(compiler: Compiler) -> str:
    """The first line of `--version`."""
    command = [*shlex.split(compiler.cc), "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[0]


def _first_usable() -> str | None:
    with tempfile.TemporaryDirectory() as cache_dir:
        found = all_compilers(os.environ, cache_dir=cache_dir)
    return next((toolchain.driver for toolchain in found if not problems(toolchain)), None)


def _entry(name: str, directory: Path) -> str:
    """The installed console script, or a script that does the same from a checkout."""
    beside = Path(sys.executable).parent / f"cr1-{name}"
    found = str(beside) if beside.exists() else shutil.which(f"cr1-{name}")
    if found:
        return found
    script = directory / "bin" / f"cr1-{name}"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(
        f"#!/bin/sh\nPYTHONPATH={shlex.quote(str(CHECKOUT))} "
        f'exec {shlex.quote(sys.executable)} -m cr1cc.wrapper {name} "$@"\n'
    )
    script.chmod(0o755)
    return str(script)
