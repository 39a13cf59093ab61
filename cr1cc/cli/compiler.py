"""The real clang that a subcommand works with."""

from __future__ import annotations

import os

from cr1cc.config import load
from cr1cc.errors import ToolchainError
from cr1cc.records import Toolchain
from cr1cc.toolchain.describe import describe
from cr1cc.toolchain.find import find_compiler


def usable(clang: str | None) -> Toolchain:
    """`clang`, or the one that is set, or the usual one. Raises ToolchainError if there is none,
    or none whose libLLVM can be loaded."""
    settings = load(os.environ, os.getcwd())
    driver = find_compiler(
        "clang", setting=clang or settings.clang or None, environ=os.environ, own=""
    )
    toolchain = describe(driver, cache_dir=settings.cache_dir)
    if toolchain.libllvm is None:
        raise ToolchainError(f"{driver}: {toolchain.libllvm_problem}")
    return toolchain
