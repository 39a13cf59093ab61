"""Describe a compiler: version, identity, target, libLLVM; remembered in a small file.

Asking costs a process or two, and happens once per compiler: the answer is
kept with the stamps of the files that it depends on.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from cr1cc.errors import ToolchainError
from cr1cc.records import Toolchain
from cr1cc.util.process import capture
from cr1cc.util.remembered import recall, remember, stamp

_FORMAT = 2  # of the remembered answer
_VERSION = re.compile(r"\bclang version (\d+)\.(\d+)\.(\d+)")
# What decides which compiler a launcher (ccache, a script) starts, and which libLLVM ld.so loads.
_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "CCACHE_COMPILER", "CCACHE_PATH", "CCACHE_CONFIGPATH")


@dataclass(frozen=True)
class _Answer:
    """What `--version` says."""

    version: tuple[int, int, int]
    identity: str
    triple: str
    folder: str  # where the program says that it is installed, "" if it does not


def describe(driver: str, *, cache_dir: str, environ: Mapping[str, str] | None = None) -> Toolchain:
    """The Toolchain of the compiler at `driver`, an absolute path.

    Remembered in `cache_dir`, which need not exist or be writable. A clang without a
    usable libLLVM is described too, with `libllvm_problem`.
    Raises ToolchainError if `driver` does not run or is not clang.
    """
    env = os.environ if environ is None else environ
    circumstances = [driver, *(env.get(name, "") for name in _ENVIRONMENT)]
    key = hashlib.blake2b("\0".join(circumstances).encode(errors="surrogateescape"), digest_size=12)
    file = os.path.join(cache_dir, f"toolchain-{key.hexdigest()}.json")
    known = _recall(file, driver)
    if known:
        return known
    answer = _ask(driver, env)
    # Here, because a compile with a known compiler does not need it.
    from cr1cc.toolchain.libllvm import Library, find_library

    binary = real_binary(driver, answer.folder, answer.version[0])
    library = (
        find_library(binary, answer.version, env)
        if binary
        else Library(None, f"{driver} starts a compiler that cannot be located")
    )
    toolchain = Toolchain(
        driver=driver,
        version=answer.version,
        identity=answer.identity,
        default_triple=answer.triple,
        libllvm=library.path,
        libllvm_problem=library.problem,
        targets=library.targets,
    )
    files = [path for path in (driver, binary, library.path) if path]
    _remember(file, toolchain, files)
    return toolchain


def real_binary(driver: str, folder: str, major: int) -> str | None:
    """The clang program behind `driver`, which may be a link, a script or ccache.

    `folder` is the `InstalledDir` that the compiler itself prints.
    """
    resolved = os.path.realpath(driver)
    named = os.path.basename(resolved).startswith("clang")
    if not folder or (named and os.path.realpath(folder) == os.path.dirname(resolved)):
        return resolved
    for name in (f"clang-{major}", "clang"):
        path = os.path.realpath(os.path.join(folder, name))
        if os.path.isfile(path):
            return path
    return None


def _ask(driver: str, env: Mapping[str, str]) -> _Answer:
    try:
        null = os.open(os.devnull, os.O_RDONLY)
        try:
            status, out, err = capture([driver, "--version"], env, stdin=null)
        finally:
            os.close(null)
    except OSError as error:
        raise ToolchainError(f"{driver} cannot be started: {error.strerror}") from error
    text = out.decode(errors="replace")
    if status != 0:
        ended = f"ended with status {status}" if status > 0 else f"was ended by signal {-status}"
        reason = err.decode(errors="replace").strip().split("\n")[0]
        raise ToolchainError(f"{driver} --version {ended}{': ' if reason else ''}{reason}")
    match = _VERSION.search(text)
    if not match:
        raise ToolchainError(f"{driver} is not clang: its --version names no clang version")
    line = next(line for line in text.splitlines() if _VERSION.search(line))
    major, minor, patch = map(int, match.groups())
    return _Answer(
        (major, minor, patch), line.strip(), _field(text, "Target"), _field(text, "InstalledDir")
    )


def _field(text: str, name: str) -> str:
    match = re.search(rf"^{name}: *(.+?) *$", text, re.MULTILINE)
    return match[1] if match else ""


def _recall(file: str, driver: str) -> Toolchain | None:
    """The remembered Toolchain; anything odd counts as unknown."""
    try:
        known = _toolchain(recall(file, _FORMAT))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return known if known.driver == driver else None


def _toolchain(fields: dict[str, Any]) -> Toolchain:
    """A Toolchain from JSON; raises TypeError or ValueError when a field has the wrong form."""
    texts = ("driver", "identity", "default_triple", "libllvm_problem")
    numbers, targets, libllvm = fields["version"], fields["targets"], fields["libllvm"]
    sound = (
        all(type(fields[name]) is str for name in texts)
        and (libllvm is None or type(libllvm) is str)
        and [type(number) for number in numbers] == [int, int, int]
        and all(type(target) is str for target in targets)
    )
    if not sound:
        raise ValueError("a field of the wrong form")
    return Toolchain(**{**fields, "version": tuple(numbers), "targets": tuple(targets)})


def _remember(file: str, toolchain: Toolchain, files: list[str]) -> None:
    """Keep the description; a file that is gone by now is no error."""
    try:
        stamps = [(path, stamp(path)) for path in files]
    except OSError:
        return
    # Installing a libLLVM touches no file that we know.
    remember(file, _FORMAT, asdict(toolchain), stamps, doubtful=not toolchain.libllvm)
