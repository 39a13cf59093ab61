"""What a decision for speed depends on besides the text, in the words of the lockfile."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from cr1cc.config import Config
from cr1cc.donors.clang_options import clang_options
from cr1cc.errors import ToolchainError
from cr1cc.records import GccToolchain, Plan, Toolchain
from cr1cc.speed.build import Maker
from cr1cc.speed.foreign import gcc_options
from cr1cc.speed.isa import processor
from cr1cc.speed.table import CLANG, GCC
from cr1cc.toolchain.describe import describe
from cr1cc.toolchain.describe_gcc import describe_gcc
from cr1cc.toolchain.find import find_compiler
from cr1cc.util import process

# Options that say where the build lies, and nothing of the code that is made.
_PLACES = ("-fdebug-prefix-map=", "-ffile-prefix-map=", "-fmacro-prefix-map=",
           "-fdebug-compilation-dir", "-fprofile-prefix-map=")  # fmt: skip


def compiler_label(family: str, toolchain: Toolchain | GccToolchain) -> str:
    """A compiler as a lockfile names it: family and version for people, and a digest of all
    that it says about itself."""
    digest = hashlib.blake2b(toolchain.identity.encode(), digest_size=8).hexdigest()
    return f"{family}-{'.'.join(map(str, toolchain.version))}:{digest}"


def options_digest(plan: Plan) -> str:
    """The options that decide what becomes of the text, hexadecimal."""
    words = [word for word in plan.text if not word.startswith(_PLACES)]
    if any(word.endswith("=native") for word in words):
        words.append(processor())
    said = repr((plan.language, plan.level.value, words, plan.triple))
    return hashlib.blake2b(said.encode(errors="surrogateescape"), digest_size=8).hexdigest()


def other_maker(
    plan: Plan,
    toolchain: Toolchain | GccToolchain,
    mode: tuple[str, ...],
    config: Config,
    environ: Mapping[str, str],
) -> tuple[Maker | None, str]:
    """The compiler of the other family that may make objects for a command, and its label;
    (None, "") where tables do not allow it or there is none."""
    try:
        if isinstance(toolchain, GccToolchain):
            options = clang_options(plan, toolchain)
            if options is None:
                return None, ""
            driver = find_compiler(CLANG, setting=config.clang or None, environ=environ, own="")
            clang = describe(driver, cache_dir=config.cache_dir, environ=environ)
            maker = Maker((driver,), CLANG, clang.identity, options, clang)
            return maker, compiler_label(CLANG, clang)
        driver = find_compiler(GCC, setting=config.gcc or None, environ=environ, own="")
        gcc = describe_gcc(driver, cache_dir=config.cache_dir, environ=environ)
        options = gcc_options(plan, _macros(plan, toolchain, mode, environ), gcc)
        if options is None:
            return None, ""
        return Maker((driver,), GCC, gcc.identity, options), compiler_label(GCC, gcc)
    except (ToolchainError, OSError):
        return None, ""


def _macros(
    plan: Plan, clang: Toolchain, mode: tuple[str, ...], environ: Mapping[str, str]
) -> bytes:
    language = "c" if plan.language == "c" else "c++"
    command = [
        clang.driver, *mode, f"-O{plan.level.value}", *plan.text, "-Qunused-arguments", "-dM", "-E",
        "-x", language, "/dev/null",
    ]  # fmt: skip
    return process.capture(command, environ)[1]
