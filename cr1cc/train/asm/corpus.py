"""The corpus of assembly: what compilers make of open packages, and the windows of that.

FOLDER/text/PACKAGE/VARIANT/*.s   assembly, by the rows of `variants.py`
FOLDER/windows/PACKAGE.jsonl      its distinct windows, the most frequent first
FOLDER/apt                        the private state of apt

A line of windows: {"old": lines, "live": names, "count": how often, "function": where first}.
A package is complete with its file of windows; a run can be taken up again.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cr1cc.asm.reader import read_unit
from cr1cc.asm.statement import Machine
from cr1cc.assembly.cut import windows_of
from cr1cc.assembly.worth import is_worth
from cr1cc.errors import AsmError, UserError
from cr1cc.train.apt import PrivateApt
from cr1cc.train.asm.variants import VARIANTS
from cr1cc.train.corpus import build, in_cxx, unpacked
from cr1cc.train.packages import HELD_OUT, PACKAGES, Package
from cr1cc.util.atomic import replace_file

Note = Callable[[Iterable[Any], str, int], Iterable[Any]]
Key = tuple[tuple[str, ...], tuple[str, ...]]  # lines, and names that are live

RARE_SIZE = 4  # instructions: longer windows that occur once in a package are left out


class Found(NamedTuple):
    """How often a window occurs, and in which function first."""

    times: int
    function: str


def chosen(names: Sequence[str]) -> list[Package]:
    """Rows of the table of packages. Raises UserError for a name without a row."""
    rows = {package.name: package for package in (*PACKAGES, *HELD_OUT)}
    for name in names:
        if name not in rows:
            raise UserError(f"{name}: no package of the corpus")
    return [rows[name] for name in names]


def collect(
    folder: Path, packages: Sequence[Package], gcc: str, clang: str, note: Note
) -> Iterator[str]:
    """Make what is missing; yields a line for each package. `note` shows progress."""
    apt = PrivateApt(folder / "apt")
    for package in packages:
        target = windows_file(folder, package.name)
        if target.exists():
            continue
        try:
            sources = _capture(package, folder, apt, gcc, clang)
        except UserError as error:
            yield f"{package.name}: left out: {error}"
            continue
        found = _count(folder, package.name, note)
        target.parent.mkdir(parents=True, exist_ok=True)
        replace_file(str(target), _printed(found))
        yield f"{package.name}: {sources} sources, {len(found)} windows"


def windows_file(folder: Path, package: str) -> Path:
    return folder / "windows" / f"{package}.jsonl"


def rows_of(path: Path, text: str | None = None) -> Iterator[Any]:
    """What the lines of a JSONL file say, or of its `text`. Raises UserError for damage."""
    for number, line in enumerate((path.read_text() if text is None else text).splitlines(), 1):
        try:
            yield json.loads(line)
        except ValueError:
            raise UserError(f"{path}: line {number} is damaged") from None


def texts(folder: Path, package: str, variant: str) -> list[Path]:
    """The assembly of a package by a variant, sorted by name."""
    return sorted((folder / "text" / package / variant).glob("*.s"))


def _capture(package: Package, folder: Path, apt: PrivateApt, gcc: str, clang: str) -> int:
    """Build a package unless it is there; the number of its sources. Raises UserError."""
    place = folder / "text" / package.name
    if not place.exists():
        staging = folder / f".{package.name}"
        with unpacked(package, apt) as (tree, _):
            shutil.rmtree(staging, ignore_errors=True)
            staging.mkdir(parents=True)
            words = [sys.executable, "-m", "cr1cc.train.asm.capture", gcc, clang, str(staging)]
            compilers = {"CC": words, "CXX": [in_cxx(clang), "-O0", "-w"]}
            build(package, tree, compilers, os.environ, clang)
        place.parent.mkdir(parents=True, exist_ok=True)
        staging.rename(place)
    count = len(texts(folder, package.name, VARIANTS[0].name))
    if not count:
        raise UserError("nothing of it could be built")
    return count


def _count(folder: Path, package: str, note: Note) -> dict[Key, Found]:
    found: dict[Key, Found] = {}
    files = [path for row in VARIANTS if row.counted for path in texts(folder, package, row.name)]
    for path in note(files, f"windows of {package}", len(files)):
        for key, function in _windows(path):
            known = found.get(key)
            found[key] = Found(known.times + 1, known.function) if known else Found(1, function)
    rare = [key for key, one in found.items() if one.times == 1 and len(key[0]) > RARE_SIZE]
    for key in rare:
        del found[key]
    return found


def _windows(path: Path) -> Iterator[tuple[Key, str]]:
    try:
        unit = read_unit(path.read_text("utf-8", "surrogateescape"))
    except AsmError:
        return
    if unit.machine is not Machine.X86_64 or unit.has_debug:
        return
    for cut in windows_of(unit, is_worth):
        yield (cut.normal.lines, cut.normal.live), cut.function


def _printed(found: dict[Key, Found]) -> bytes:
    rows = sorted(found.items(), key=lambda item: (-item[1].times, item[0]))
    lines = (
        json.dumps({"old": old, "live": live, "count": one.times, "function": one.function})
        for (old, live), one in rows
    )
    return "".join(line + "\n" for line in lines).encode()
