"""Near duplicates of what is held out: code that packages copy from each other.

FOLDER/KIND.shapes.jsonl   one line for each module: the shapes of its functions (`ir/shape.py`)
FOLDER/KIND.near           the files, as PACKAGE/FILE, that are not learnt from

A module is a near duplicate if at least half of its instructions are in functions whose shape
a held-out module has, too. Functions of a few instructions look alike everywhere and say
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from cr1cc.ir.shape import shapes
from cr1cc.llvm.library import Library
from cr1cc.llvm.module import Module
from cr1cc.train.corpus import FUNCTIONS, KINDS, Sample, modules_of, near_file
from cr1cc.train.packages import HELD_OUT
from cr1cc.train.tasks import Row, Task, logged
from cr1cc.util.atomic import replace_file

_TELLING = 16  # instructions of a function, from which on its shape says something
_SHARE = 0.5

Note = Callable[[Iterable[Row], str, int], Iterable[Row]]


def find(task: Task, folder: Path, jobs: int, note: Note) -> None:
    """Write the lists of all kinds."""
    for kind in KINDS:
        for form in ("", FUNCTIONS):
            _find(task, folder, kind + form, jobs, note)


def _find(task: Task, folder: Path, kind: str, jobs: int, note: Note) -> None:
    files = modules_of(folder, kind)
    work = [(_shapes, task, sample) for sample in files]
    step = f"shapes ({kind})"
    rows = list(note(logged(folder / f"{kind}.shapes.jsonl", work, jobs), step, len(work)))
    names = {package.name for package in HELD_OUT}
    held = {shape for s, row in zip(files, rows, strict=True) if s.package in names
            for shape, _ in _telling(row)}  # fmt: skip
    near = [
        sample.name
        for sample, row in zip(files, rows, strict=True)
        if sample.package not in names and _is_near(_telling(row), held)
    ]
    replace_file(str(near_file(folder, kind)), "".join(f"{n}\n" for n in near).encode())


def _telling(row: Row) -> list[tuple[str, int]]:
    return [(shape, ic) for shape, ic in row["shapes"] if ic >= _TELLING]


def _is_near(functions: Sequence[tuple[str, int]], held: set[str]) -> bool:
    whole = sum(ic for _, ic in functions)
    common = sum(ic for shape, ic in functions if shape in held)
    return bool(whole) and common >= _SHARE * whole


def _shapes(task: Task, sample: Sample) -> Row:
    library = Library(task.library)
    with Module.read(library, sample.path.read_bytes()) as module:
        return {"shapes": shapes(module)}
