"""Profiles: how often a benchmark took each branch of a source, as gcc writes and reads them.

A *training* build counts; a build with `profiled` in its row reads what was counted. A training
object brings its own copy of gcc's runtime for that, hidden from all others, so that the user's
link command needs nothing more. What it writes is a file of `gcov`, and a decision names it by
its digest.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Collection, Sequence

from cr1cc.emit import contents
from cr1cc.errors import EvaluationError
from cr1cc.util.elf import NotElfError, ObjectFile

FOLDER = "cr1.profiles"  # beside the lockfile
ELSEWHERE = "CR1_PROFILES"  # set by `cr1 tune`: the folder where its own profiles lie
_ENDING = ".gcda"  # gcc's
_OURS = re.compile(r"[0-9a-f]{20}\.gcda")


def folder_of(lock: str) -> str:
    """Where the profiles of a lockfile's decisions lie."""
    return os.path.join(os.path.dirname(os.path.abspath(lock)), FOLDER)


def file_of(folder: str, name: str) -> str:
    """The file of the profile of that name."""
    return os.path.join(folder, name + _ENDING)


def digest_of(data: bytes) -> str:
    """The name of a profile for decisions, hexadecimal."""
    return hashlib.blake2b(data, digest_size=10).hexdigest()


def problem(folder: str, name: str) -> str:
    """Why a decision's profile cannot be used, "" if it can."""
    path = file_of(folder, name)
    try:
        data = contents(path)
    except OSError as error:
        return f"{path}: {error.strerror}"
    return "" if digest_of(data) == name else f"{path}: not the one that was decided with"


def remove_others(folder: str, wanted: Collection[str]) -> None:
    """Remove the profiles that no decision names, and the folder if none is left."""
    try:
        found = os.listdir(folder)
    except OSError:
        return
    for name in found:
        if _OURS.fullmatch(name) and name.removesuffix(_ENDING) not in wanted:
            os.unlink(os.path.join(folder, name))
    with contextlib.suppress(OSError):  # there are files left
        os.rmdir(folder)


def options(folder: str, name: str) -> tuple[str, ...]:
    """What gcc is told of the file, whether it writes or reads it. The path leaves no trace in
    an object: gcc takes the names of these files from those of its dumps."""
    return ("-dumpdir", os.path.join(folder, ""), "-dumpbase", name)


def self_contained(
    data: bytes, compiler: Sequence[str], path: str, run: Callable[[Sequence[str]], bytes]
) -> bytes:
    """A training object with the runtime that it needs, which no other object sees.

    `compiler` is gcc with the options that choose the machine, `path` where programs are looked
    for; `run` gives what a command prints. Raises EvaluationError.
    """
    with tempfile.TemporaryDirectory(prefix="cr1-training-") as folder:
        counting, joined, names, hidden = (
            os.path.join(folder, name) for name in ("counting.o", "joined.o", "names", "hidden.o")
        )
        try:
            seen = ObjectFile(data).exports()
        except NotElfError as error:
            raise EvaluationError(str(error)) from None
        with open(counting, "wb") as file:
            file.write(data)
        with open(names, "w", encoding="utf-8", errors="surrogateescape") as lines:
            lines.writelines(f"{name}\n" for name in sorted(seen))
        run([*compiler, "-r", "-nostdlib", "-o", joined, counting, "-lgcov"])
        named = run([compiler[0], "-print-prog-name=objcopy"]).decode().strip()
        if (objcopy := shutil.which(named, path=path)) is None:
            raise EvaluationError("there is no objcopy for this gcc")
        run([objcopy, f"--keep-global-symbols={names}", joined, hidden])
        return contents(hidden)
