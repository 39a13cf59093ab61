"""How good a window is: its bytes, and its predicted cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cr1cc.assembly.bench import Bench
from cr1cc.assembly.cost import cost
from cr1cc.assembly.names import restored
from cr1cc.assembly.problem import Problem

_USUAL = ("xor", "test", "mov", "lea", "cmp", "add", "and", "or", "sub", "shl", "shr", "sar")


class Score(NamedTuple):
    """Bytes of a window, and its predicted cost."""

    bytes: int
    cost: float

    def beats(self, other: Score) -> bool:
        """Whether it is smaller, or as small and cheaper."""
        return self < other

    def rank(self, old: Score) -> tuple[bool, Score]:
        """For an order of what is better than `old`: what costs more comes last, however small
        it is; of the others the smallest first, then the cheapest."""
        return self.cost > old.cost, self


def score(bench: Bench, problem: Problem, lines: Sequence[str]) -> Score:
    """Of lines over the names of a window. Raises AsmError."""
    window = restored(lines, problem.names)
    bench.learn(one.text for one in window)
    return Score(sum(bench.size(one.text) for one in window), cost(window))


def rarity(line: str) -> int:
    """How late a mnemonic stands in the order of what compilers like to write."""
    known = (place for place, stem in enumerate(_USUAL) if line.startswith(stem))
    return next(known, len(_USUAL))
