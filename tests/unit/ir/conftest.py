"""Modules for the tests of `cr1cc.ir`: from text, or from C through the real front end."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from cr1cc.llvm.library import Library
from cr1cc.llvm.module import Module
from cr1cc.llvm.passes import PassRunner
from cr1cc.llvm.target import TargetMachine, TargetSpec
from cr1cc.records import Toolchain


@cache
def _load(path: str) -> Library:
    return Library(path)


@pytest.fixture
def library(toolchain: Toolchain) -> Library:
    """Called in this process: what the tests feed it is known to be harmless."""
    assert toolchain.libllvm
    return _load(toolchain.libllvm)


@pytest.fixture
def parse(library: Library) -> Callable[[str], Module]:
    return lambda text: Module.parse_text(library, text.encode())


@pytest.fixture
def compile_c(library: Library, toolchain: Toolchain, tmp_path: Path) -> Callable[..., Module]:
    """`compile_c(source, *options, directory=...)`: the module as it enters the optimiser."""

    def run(source: str, *options: str, directory: str = "d", suffix: str = ".c") -> Module:
        folder = tmp_path / directory
        folder.mkdir(exist_ok=True)
        (folder / f"unit{suffix}").write_text(source)
        command = [toolchain.driver, *(options or ("-Oz",)), "-c", "-emit-llvm"]
        command += ["-Xclang", "-disable-llvm-passes", f"unit{suffix}", "-o", "unit.bc"]
        subprocess.run(command, cwd=folder, check=True)
        return Module.parse_bitcode(library, (folder / "unit.bc").read_bytes())

    return run


@pytest.fixture
def optimise(library: Library, toolchain: Toolchain) -> Callable[[Module], Module]:
    """Run the standard size pipeline in place and give the module back."""
    pipeline = "default<O2>" if toolchain.major >= 23 else "default<Oz>"

    def run(module: Module) -> Module:
        PassRunner(library, TargetMachine(library, module, TargetSpec())).run(module, pipeline)
        return module

    return run
