"""What a window asks for: values before it, and what must be the same behind it."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from cr1cc.assembly.bench import Bench
from cr1cc.assembly.names import Names, compared, example_names, restored
from cr1cc.assembly.normal import is_jump
from cr1cc.assembly.step import AT, PLACES, State, Step, Trace
from cr1cc.prove.effect import VECTORS
from cr1cc.prove.instructions import FLAGS
from cr1cc.rewrite.effects import effects
from cr1cc.rewrite.instruction import Instruction
from cr1cc.rewrite.places import described, flags

SAMPLES = 40
_LOADS = 8
_EDGES = (0, 1, 2, 7, 31, 63, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000,
          0xFFFFFFFF, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)  # fmt: skip


class Run(NamedTuple):
    """A sample: the state before a window, what loads give, and what the window makes of it."""

    before: State
    loads: tuple[int, ...]
    after: State
    trace: Trace


class Problem:
    """A window in the normal form. `wanted`: flags that are followed; `checks`: places that are
    compared, and the mask of each. Raises AsmError for lines that are no window."""

    def __init__(self, lines: Sequence[str], live: Sequence[str]) -> None:
        self.lines, self.live = tuple(lines), tuple(live)
        self.names: Names = example_names(lines)
        self.window: tuple[Instruction, ...] = restored(lines, self.names)
        self.places = compared(live, self.names)
        self.jumps = is_jump(self.window[-1])
        read = {
            name for name in FLAGS if any(effects(one).reads & flags(name) for one in self.window)
        }
        self.wanted = frozenset(read | {name for name in FLAGS if name in live})
        self.checks = _checks(self)

    def runs(self, bench: Bench) -> list[Run] | None:
        """Samples, equal for equal windows; None if an instruction cannot be run."""
        texts = [one.text for one in self.window]
        bench.learn(texts)
        steps = [bench.step(text, self.wanted) for text in texts]
        plain = [one for one in steps if one is not None]
        if len(plain) < len(steps):
            return None
        source = Random("\n".join(self.lines))
        return [_run(plain, source, number) for number in range(SAMPLES)]

    def wrong(self, run: Run, state: State) -> list[int]:
        """The places whose values are not those behind the window."""
        after = run.after
        return [at for at, mask in self.checks if (state[at] ^ after[at]) & mask]


def _checks(problem: Problem) -> tuple[tuple[int, int], ...]:
    """Of what the window names: all else no candidate writes."""
    named = set(problem.names.values())
    found = []
    for name, ranges in described(problem.places).items():
        if name in FLAGS or f"%{name}" in named:
            mask = sum((1 << high + 1) - (1 << low) for low, high in ranges)
            found.append((AT[name], mask))
    return tuple(found)


def _run(steps: Sequence[Step], source: Random, number: int) -> Run:
    before = _values(source, number)
    loads = tuple(_wide(source, number) for _ in range(_LOADS))
    state: State = before
    trace: Trace = []
    for step in steps:
        state = step(state, loads, trace)
    return Run(before, loads, state, trace)


def _values(source: Random, number: int) -> State:
    """Of all places. The first sample is random, every second one of edge values; in every
    fourth all registers are equal but for a bit, since comparisons tell equal ones apart."""
    shared = source.choice(_EDGES)
    found = []
    for name in PLACES:
        width = 1 if name in FLAGS else 128 if name in VECTORS else 64
        value = source.getrandbits(width)
        if width == 64 and number % 2:
            value = source.choice(_EDGES) if source.random() < 0.8 else value
        elif width == 64 and number % 4 == 2:
            value = shared ^ (source.random() < 0.3)
        found.append(value)
    return found


def _wide(source: Random, number: int) -> int:
    if number % 2:
        return source.choice(_EDGES) | source.choice(_EDGES) << 64
    return source.getrandbits(128)
