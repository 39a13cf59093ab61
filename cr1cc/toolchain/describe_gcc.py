"""Describe a gcc: version, identity, target, what it does unasked; remembered in a small file."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from cr1cc.errors import ToolchainError
from cr1cc.records import GccToolchain
from cr1cc.util.process import capture
from cr1cc.util.remembered import recall, remember, stamp

OLDEST = 11  # the versions that the donors were tried with
NEWEST = 14

_FORMAT = 1  # of the remembered answer
_VERSION = re.compile(r"^gcc version ((\d+)\.(\d+)\.(\d+).*)$", re.MULTILINE)
# What decides which program a launcher (ccache, a script) starts, and which assembler gcc does.
_ENVIRONMENT = ("PATH", "CCACHE_COMPILER", "CCACHE_PATH", "CCACHE_CONFIGPATH")

# Predefined macros that tell what the compiler does unasked, by its configuration or its
# distribution's choice, or for which processor it compiles.
TELLING = (
    "_FORTIFY_SOURCE",
    "__CET__",
    "__ELF__",
    "__FMA__",
    "__ILP32__",
    "__PIC__",
    "__PIE__",
    "__SSP_ALL__",
    "__SSP_EXPLICIT__",
    "__SSP_STRONG__",
    "__SSP__",
    "__x86_64__",
)


def describe_gcc(
    driver: str, *, cache_dir: str, environ: Mapping[str, str] | None = None
) -> GccToolchain:
    """The GccToolchain of the compiler at `driver`, an absolute path.

    Remembered in `cache_dir`, which need not exist or be writable.
    Raises ToolchainError if `driver` does not run or is not gcc.
    """
    env = os.environ if environ is None else environ
    circumstances = "\0".join([driver, *(env.get(name, "") for name in _ENVIRONMENT)])
    key = hashlib.blake2b(circumstances.encode(errors="surrogateescape"), digest_size=12)
    file = os.path.join(cache_dir, f"gcc-{key.hexdigest()}.json")
    known = _recall(file, driver)
    if known is not None:
        return known
    toolchain, files = _ask(driver, {**env, "LC_ALL": "C"})
    try:
        stamps = [(path, stamp(path)) for path in files]
    except OSError:
        return toolchain
    remember(file, _FORMAT, asdict(toolchain), stamps)
    return toolchain


def problem(toolchain: GccToolchain) -> str:
    """What keeps this compiler from being used, one sentence; "" if nothing."""
    if OLDEST <= toolchain.major <= NEWEST:
        return ""
    version = ".".join(map(str, toolchain.version))
    return f"version {version} is not one of {OLDEST} to {NEWEST}, which were tested"


def _ask(driver: str, env: Mapping[str, str]) -> tuple[GccToolchain, list[str]]:
    """The description, and the programs that it depends on."""
    _, told = _run(driver, ["-v"], env)
    found = _VERSION.search(told)
    if found is None:
        raise ToolchainError(f"{driver} is not gcc: its -v names no gcc version")
    programs = {name: _program(driver, name, env) for name in ("cc1", "cc1plus", "as")}
    assembler = _run(programs["as"], ["--version"], env)[0].partition("\n")[0]
    configured = hashlib.blake2b(_field(told, "Configured with").encode(), digest_size=4)
    macros, _ = _run(driver, ["-Os", "-dM", "-E", "-x", "c", os.devnull], env)
    defined = {words[1] for line in macros.splitlines() if len(words := line.split(" ", 2)) > 1}
    major, minor, patch = map(int, found.groups()[1:])
    toolchain = GccToolchain(
        driver=driver,
        version=(major, minor, patch),
        identity=f"gcc {found[1].strip()}, {configured.hexdigest()}; {assembler}",
        triple=_field(told, "Target"),
        defaults=tuple(name for name in TELLING if name in defined),
    )
    return toolchain, [driver, *(path for path in programs.values() if os.path.exists(path))]


def _program(driver: str, name: str, env: Mapping[str, str]) -> str:
    """Where gcc finds a program of its own; it looks for an assembler on PATH in the end."""
    path = _run(driver, [f"-print-prog-name={name}"], env)[0].strip()
    if "/" not in path:
        for directory in env.get("PATH", "").split(os.pathsep):
            if os.path.isfile(os.path.join(directory, path)):
                return os.path.abspath(os.path.join(directory, path))
    return path


def _run(program: str, arguments: list[str], env: Mapping[str, str]) -> tuple[str, str]:
    """Standard output and standard error. Raises ToolchainError if the program fails."""
    try:
        null = os.open(os.devnull, os.O_RDONLY)
        try:
            status, out, err = capture([program, *arguments], env, stdin=null)
        finally:
            os.close(null)
    except OSError as error:
        raise ToolchainError(f"{program} cannot be started: {error.strerror}") from error
    if status != 0:
        ended = f"ended with status {status}" if status > 0 else f"was ended by signal {-status}"
        raise ToolchainError(f"{program} {arguments[0]} {ended}")
    return out.decode(errors="replace"), err.decode(errors="replace")


def _field(text: str, name: str) -> str:
    match = re.search(rf"^{name}: *(.+?) *$", text, re.MULTILINE)
    return match[1] if match else ""


def _recall(file: str, driver: str) -> GccToolchain | None:
    """The remembered description; anything odd counts as unknown."""
    try:
        known = _toolchain(recall(file, _FORMAT))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return known if known.driver == driver else None


def _toolchain(fields: dict[str, Any]) -> GccToolchain:
    """A description from JSON; raises TypeError or ValueError when a field has the wrong form."""
    numbers, defaults = fields["version"], fields["defaults"]
    sound = (
        all(type(fields[name]) is str for name in ("driver", "identity", "triple"))
        and [type(number) for number in numbers] == [int, int, int]
        and all(type(name) is str for name in defaults)
    )
    if not sound:
        raise ValueError("a field of the wrong form")
    return GccToolchain(**{**fields, "version": tuple(numbers), "defaults": tuple(defaults)})
