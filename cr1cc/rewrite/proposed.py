"""Windows that a model has proposed, written down: one more source beside the rules, which needs no
model.

    addq $1, %rbx; cmpq %rdi, %rbx; jne .L5 -> incq %rbx; cmpq %rdi, %rbx; jne .L5
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from cr1cc.asm.statement import Kind, Machine, statements
from cr1cc.errors import AsmError
from cr1cc.records import MODEL
from cr1cc.rewrite.change import Change
from cr1cc.rewrite.flow import Code
from cr1cc.rewrite.instruction import Instruction, parsed
from cr1cc.rewrite.windows import Proposal

_ARROW = " -> "


class _Pair(NamedTuple):
    """Instructions before and after."""

    old: tuple[Instruction, ...]
    new: tuple[Instruction, ...]


class Proposed:
    """Proposes windows that are written down, wherever exactly their instructions follow each
    other. What cannot be read proposes nothing."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = tuple(texts)
        self._beginnings: dict[Instruction, list[_Pair]] = {}
        for pair in filter(None, map(_read, self._texts)):
            self._beginnings.setdefault(pair.old[0], []).append(pair)

    @property
    def version(self) -> str:
        return repr(self._texts)

    def proposals(self, code: Code) -> Iterator[Proposal]:
        for run in code.runs():
            instructions = tuple(line.instruction for line in run)
            for start, first in enumerate(instructions):
                for old, new in self._beginnings.get(first, ()) if first else ():
                    end = start + len(old)
                    if instructions[start:end] == old:
                        yield Proposal(MODEL, tuple(run[start:end]), new)


def proposed(changes: Iterable[Change]) -> tuple[str, ...]:
    """The windows of a model among those that were replaced, in the order of their texts."""
    found = {_spelled(one): (one.old, one.new) for one in changes if one.by == MODEL}
    return tuple(text for text in sorted(found) if _texts(_read(text)) == found[text])


def _spelled(one: Change) -> str:
    sides = ("; ".join(" ".join(text.split("\t", 1)) for text in side) for side in one[2:4])
    return _ARROW.join(sides)


def _read(text: str) -> _Pair | None:
    """None of what is no window of instructions that are known: what is proved is what stands in
    the text, and a directive could stand for anything."""
    old, arrow, new = text.partition(_ARROW)
    try:
        pair = _Pair(*(tuple(_instructions(side)) for side in (old, new)))
    except AsmError:
        return None
    return pair if arrow and pair.old and all(one.stem for one in chain(*pair)) else None


def _instructions(text: str) -> Iterator[Instruction]:
    """Raises AsmError."""
    for statement in statements(text, Machine.X86_64):
        if statement.kind is not Kind.INSTRUCTION:
            raise AsmError(f"{statement} is no instruction")
        yield parsed(statement)


def _texts(pair: _Pair | None) -> object:
    return pair and tuple(tuple(one.text for one in side) for side in pair)
