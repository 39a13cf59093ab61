"""The windows of a unit of assembly."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from cr1cc.asm.graph import Graph
from cr1cc.asm.unit import Unit
from cr1cc.assembly.normal import SIZE, Normal, normalised
from cr1cc.rewrite.code import code_of
from cr1cc.rewrite.flow import Code, Line
from cr1cc.rewrite.instruction import Instruction
from cr1cc.rewrite.places import ALL_GENERAL
from cr1cc.rewrite.windows import clobbered


class Cut(NamedTuple):
    """`lines` of the function that follow each other; `places` must be equal behind them."""

    function: str
    lines: tuple[Line, ...]
    places: int
    normal: Normal


def windows_of(
    unit: Unit, wanted: Callable[[Sequence[Instruction]], bool] = lambda _: True
) -> Iterator[Cut]:
    """The windows of a unit that are wanted and have a normal form, overlapping ones too."""
    defined = frozenset(name for name, one in unit.symbols.items() if one.atom is not None)
    for function in Graph(unit).functions:
        code = code_of(unit, function)
        if may_change(code):
            free = clobbered(code, defined)
            for run in code.runs():
                yield from _of_run(function.entries[0], run, free, wanted)


def may_change(code: Code) -> bool:
    """Whether instructions of a function may be replaced at all."""
    return code.is_plain and not code.has_handlers and not code.uses_places


def _of_run(
    name: str, run: Sequence[Line], free: int, wanted: Callable[[Sequence[Instruction]], bool]
) -> Iterator[Cut]:
    instructions = [line.instruction for line in run if line.instruction]
    for start in range(len(run)):
        for end in range(start + 1, min(start + SIZE, len(run)) + 1):
            window = instructions[start:end]
            if not wanted(window):
                continue
            places = run[end - 1].live | ALL_GENERAL & ~free
            normal = normalised(window, places)
            if normal is not None:
                yield Cut(name, tuple(run[start:end]), places, normal)
