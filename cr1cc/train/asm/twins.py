"""Small functions of one source by several builds: windows that compilers answer themselves.

FOLDER/twins/PACKAGE.jsonl   those of a package, once they were looked for

A function that is one block of a few instructions and a return is a window. What another build
makes of the same function is a guess of a better one, as far as it is content with its registers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from cr1cc.asm.graph import Graph
from cr1cc.asm.reader import read_unit
from cr1cc.asm.statement import Machine
from cr1cc.assembly.names import named
from cr1cc.assembly.normal import SIZE, normalised
from cr1cc.errors import AsmError
from cr1cc.rewrite.code import code_of
from cr1cc.rewrite.instruction import Instruction
from cr1cc.rewrite.places import ALL_REGISTERS, vector, whole
from cr1cc.train.asm.corpus import rows_of, texts
from cr1cc.train.asm.variants import VARIANTS, Variant
from cr1cc.util.atomic import replace_file

Note = Callable[[Iterable[Any], str, int], Iterable[Any]]

# Results of few functions; where they are not live, more is proved.
_RARE_RESULTS = whole(1) | whole(2) | whole(8) | vector(1) | vector(2) | vector(3)


class Twin(NamedTuple):
    """A window of a function, and what another build has in its place. `source`: "compiler" or
    "march"."""

    function: str
    old: tuple[str, ...]
    live: tuple[str, ...]
    new: tuple[str, ...]
    source: str


class _Body(NamedTuple):
    window: tuple[Instruction, ...]
    live: int


def twins(folder: Path, package: str, note: Note) -> Iterator[Twin]:
    """All of a package, each once; from their file if it is there."""
    path = folder / "twins" / f"{package}.jsonl"
    if not path.exists():
        lines = [json.dumps(one) + "\n" for one in _found(folder, package, note)]
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(str(path), "".join(lines).encode())
    for function, old, live, new, source in rows_of(path):
        yield Twin(function, tuple(old), tuple(live), tuple(new), source)


def _found(folder: Path, package: str, note: Note) -> Iterator[Twin]:
    seen: set[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = set()
    names = [path.name for path in texts(folder, package, VARIANTS[0].name)]
    for name in note(names, f"functions of {package}", len(names)):
        found = {row: _bodies(folder / "text" / package / row.name / name) for row in VARIANTS}
        for one in _pairs(found):
            key = one.old, one.live, one.new
            if key not in seen:
                seen.add(key)
                yield one


def _pairs(found: dict[Variant, dict[str, _Body]]) -> Iterator[Twin]:
    for own, bodies in found.items():
        if not own.counted:
            continue
        for other, theirs in found.items():
            march = other.family == own.family and not other.counted
            for name in bodies.keys() & theirs.keys() if other is not own else ():
                yield from _twin(name, bodies[name], theirs[name], "march" if march else "compiler")


def _twin(name: str, body: _Body, other: _Body, source: str) -> Iterator[Twin]:
    for live in (body.live, body.live & ~_RARE_RESULTS):
        normal = normalised(body.window, live)
        if normal is None:
            return
        try:
            new = named(other.window, normal.names)
        except AsmError:
            return
        if new != normal.lines:
            yield Twin(name, normal.lines, normal.live, new, source)


def _bodies(path: Path) -> dict[str, _Body]:
    """The functions of a file that are one block of at most SIZE instructions and a return."""
    try:
        unit = read_unit(path.read_text("utf-8", "surrogateescape"))
    except (AsmError, OSError):
        return {}
    found: dict[str, _Body] = {}
    if unit.machine is not Machine.X86_64:
        return found
    for function in Graph(unit).functions:
        lines = [line for line in code_of(unit, function).lines if line.instruction]
        window = tuple(line.instruction for line in lines if line.instruction)
        if 1 < len(window) <= SIZE + 1 and window[-1].stem == "ret":
            body = window[:-1]
            if all(one.stem not in ("", "push", "pop", "leave", "ret", "call") for one in body):
                found[function.entries[0]] = _Body(body, lines[-2].live & ALL_REGISTERS)
    return found
