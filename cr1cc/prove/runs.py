"""Runs of instructions as code: many are assembled at once, each as a function of one object."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from cr1cc.errors import EvaluationError, GateError, UserError
from cr1cc.prove.code import Body, CodeUnit

Lines = Sequence[str]
Assemble = Callable[[str], bytes]  # raises GateError or EvaluationError for what it does not take


class Pair(NamedTuple):
    """A run and what shall stand in its place; None: no instructions."""

    original: Body
    new: Body | None

    @property
    def sizes(self) -> tuple[int, int]:
        """Bytes of both."""
        old, new = (one.end - one.start if one else 0 for one in self)
        return old, new

    @property
    def saved(self) -> int:
        """Bytes."""
        old, new = self.sizes
        return old - new


def pairs(texts: Sequence[tuple[Lines, Lines]], assemble: Assemble) -> Iterator[Pair | None]:
    """The code of each run and of its new lines, which may be none; None of what is no code."""
    try:
        unit = CodeUnit("windows", assemble(_listing(texts)))
    except (GateError, EvaluationError):
        if len(texts) == 1:
            yield None
        else:
            middle = len(texts) // 2
            yield from pairs(texts[:middle], assemble)
            yield from pairs(texts[middle:], assemble)
        return
    for number, (_, new) in enumerate(texts):
        yield _pair(unit, number, bool(new))


def _pair(unit: CodeUnit, number: int, replaced: bool) -> Pair | None:
    try:
        return Pair(unit.body(f"old{number}"), unit.body(f"new{number}") if replaced else None)
    except UserError:  # it has no size
        return None


def _listing(texts: Sequence[tuple[Lines, Lines]]) -> str:
    """A unit with a function for each run, before and after."""
    lines = ["\t.text"]
    for number, sides in enumerate(texts):
        for side, rows in zip(("old", "new"), sides, strict=True):
            name = f"{side}{number}"
            lines += [f"\t.type\t{name}, @function", f"{name}:", *rows]
            lines.append(f"\t.size\t{name}, .-{name}")
    return "\n".join(lines) + "\n"
