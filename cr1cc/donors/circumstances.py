"""What an object of gcc depends on besides the text: another compiler, files, the processor."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping

from cr1cc.config import Config
from cr1cc.donors.build import Clang
from cr1cc.emit import contents
from cr1cc.records import GccToolchain, Plan


def clang_for(
    plan: Plan, toolchain: GccToolchain, config: Config, environ: Mapping[str, str]
) -> Clang | None:
    """The clang that may make objects for this command, if there is one."""
    if not config.clang_donors:
        return None
    from cr1cc.donors.clang_options import clang_options, granted
    from cr1cc.errors import ToolchainError
    from cr1cc.toolchain.describe import describe
    from cr1cc.toolchain.find import find_compiler

    options = clang_options(plan, toolchain)
    if options is None:
        return None
    try:
        driver = find_compiler("clang", setting=config.clang or None, environ=environ, own="")
        found = describe(driver, cache_dir=config.cache_dir, environ=environ)
    except ToolchainError:
        return None
    return Clang(driver, found.identity, found.major, options, granted(plan))


def file_digest(name: bytes) -> str:
    """Of what a file holds; a file that a `#line` names need not be there."""
    try:
        with open(name, "rb") as file:
            return hashlib.blake2b(file.read(), digest_size=16).hexdigest()
    except (OSError, ValueError):
        return ""


def processor(plan: Plan) -> tuple[str, ...]:
    """What `native` stands for here: all that the kernel says about the first processor."""
    if not any(word.endswith("=native") for word in plan.codegen):
        return ()
    try:
        told = contents("/proc/cpuinfo").partition(b"\n\n")[0]
    except OSError:
        told = os.urandom(16)
    lines = [line for line in told.splitlines() if b"MHz" not in line]
    return (hashlib.blake2b(b"\n".join(lines), digest_size=16).hexdigest(),)
