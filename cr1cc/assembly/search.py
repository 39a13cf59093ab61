"""Search for a better window: sequences of candidates that do the same on samples.

All sequences of at most two instructions are tried, then the window without one or two of its
instructions and one new one anywhere, then random ones of that kind with two new ones. A jump at
the end stays, with any condition. Effort is counted in instructions run, so the same window gives
the same answers everywhere. Nothing that comes out is more than a guess: `judge.py` proves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from random import Random

from cr1cc.assembly.bench import Bench
from cr1cc.assembly.candidates import USUAL_CONDITIONS, candidates
from cr1cc.assembly.material import material
from cr1cc.assembly.names import restored
from cr1cc.assembly.problem import Problem, Run
from cr1cc.assembly.score import Score, rarity, score
from cr1cc.assembly.step import FIRST_FLAG, State, Step, Touch, Trace, read_as
from cr1cc.errors import AsmError
from cr1cc.rewrite.effects import effects

KEPT = 12  # guesses of a window
_PREFIXES = 5000


@dataclass(frozen=True, eq=False)
class Move:
    """A candidate, ready to run."""

    line: str
    size: int
    step: Step
    reads: int


class _SpentError(Exception):
    """The effort is used up."""


def guesses(bench: Bench, problem: Problem, effort: int) -> list[tuple[Score, tuple[str, ...]]]:
    """What is better and does the same on all samples, best first. `effort`: instructions that
    may be run."""
    runs = problem.runs(bench)
    if runs is None:
        return []
    return _Search(bench, problem, runs, effort).found()


class _Search:
    def __init__(self, bench: Bench, problem: Problem, runs: Sequence[Run], effort: int) -> None:
        self._bench, self._problem, self._runs = bench, problem, runs
        self._left, self._random_effort = effort, effort // 4
        self._old = score(bench, problem, problem.lines)
        self._best: dict[tuple[str, ...], Score] = {}
        self._prefixes: dict[tuple[Move, ...], tuple[State, Trace]] = {}
        self._moves = self._candidates()
        self._ends = self._jumps()

    def found(self) -> list[tuple[Score, tuple[str, ...]]]:
        try:
            for tries in (self._short, self._neighbours, self._random):
                for moves in tries():
                    self._try(moves)
        except _SpentError:
            pass
        order = sorted(self._best, key=lambda lines: self._rank(lines, self._best[lines]))
        return [(self._best[lines], lines) for lines in order[:KEPT]]

    def _rank(self, lines: tuple[str, ...], one: Score) -> tuple[object, ...]:
        """Of equal scores first what compilers write."""
        unusual = sum(map(rarity, lines))
        return one.rank(self._old), len(lines), unusual, sum(map(len, lines)), lines

    # What may be tried ------------------------------------------------------------------------

    def _candidates(self) -> list[Move]:
        problem = self._problem
        lines = candidates(material(problem.lines, problem.window, problem.names))
        own = problem.lines[:-1] if problem.jumps else problem.lines
        return self._ready([*own, *lines])

    def _jumps(self) -> list[Move]:
        if not self._problem.jumps:
            return []
        label = self._problem.lines[-1].split()[1]
        return self._ready([f"j{condition} {label}" for condition in USUAL_CONDITIONS])

    def _ready(self, lines: Sequence[str]) -> list[Move]:
        pairs = []
        for line in dict.fromkeys(lines):
            try:
                pairs.append((line, restored([line], self._problem.names)[0]))
            except AsmError:  # no such instruction, or of registers the window does not have
                continue
        self._bench.learn(one.text for _, one in pairs)
        found = []
        for line, one in pairs:
            step = self._bench.step(one.text, self._problem.wanted)
            if step is not None and self._bench.size(one.text):
                found.append(Move(line, self._bench.size(one.text), step, effects(one).reads))
        return found

    # Sequences --------------------------------------------------------------------------------

    def _short(self) -> Iterator[tuple[Move, ...]]:
        """All sequences of at most two, as far as they may do the same on the first sample."""
        yield ()
        for one in self._moves:
            yield (one,)
        if len(self._problem.lines) > 1:
            yield from self._pairs()

    def _pairs(self) -> Iterator[tuple[Move, ...]]:
        """Without first ones that leave what another one leaves, and second ones that take
        nothing of it."""
        first, most = self._runs[0], self._old.bytes - self._least_end()
        by_place: dict[int, list[Move]] = {}
        for one in self._moves:
            for at in self._writes(one):
                by_place.setdefault(at, []).append(one)
        seen = {_seen(first.before, [])}
        for one in sorted(self._moves, key=lambda move: move.size):
            trace: Trace = []
            state = self._step(one, first, first.before, trace)
            wrong = [at for at in self._problem.wrong(first, state) if at < FIRST_FLAG]
            mark = _seen(state, trace)
            if one.size >= most or len(wrong) > 1 or mark in seen:
                continue
            seen.add(mark)
            if trace != first.trace[: len(trace)]:
                continue
            taken = _ALL if trace else self._offered(state, wrong)
            last = by_place.get(wrong[0] if wrong else _NOTHING, [])
            yield from (
                (one, other) for other in last
                if one.size + other.size <= most and (taken == _ALL or other.reads & taken)
            )  # fmt: skip

    def _offered(self, state: State, wrong: Sequence[int]) -> int:
        """The places that a first instruction wrote for a second one to read; all if it wrote
        what is wanted behind the window."""
        before = self._runs[0].before
        changed = [at for at, value in enumerate(state) if value != before[at]]
        wanted = {at for at, _ in self._problem.checks} - set(wrong)
        if wanted.intersection(changed):
            return _ALL
        return sum({read_as(at) for at in changed})

    def _writes(self, move: Move) -> list[int]:
        """The places that a candidate changes on samples, _NOTHING if flags and memory alone."""
        found = set()
        for run in self._runs[:4]:
            state = move.step(run.before, run.loads, [])
            found |= {at for at in range(FIRST_FLAG) if state[at] != run.before[at]}
        return sorted(found) or [_NOTHING]

    def _neighbours(self) -> Iterator[tuple[Move, ...]]:
        """The window without one or two of its instructions, and one new one anywhere."""
        own = self._own()
        for count in (1, 2):
            for gone in combinations(range(len(own)), count):
                rest = tuple(one for at, one in enumerate(own) if at not in gone)
                yield rest
                for at in range(len(rest) + 1):
                    yield from ((*rest[:at], one, *rest[at:]) for one in self._moves)

    def _random(self) -> Iterator[tuple[Move, ...]]:
        """Without one to three, and two new ones, by chance, with a quarter of the effort."""
        own, source = self._own(), Random("\n".join(self._problem.lines))
        self._left = min(self._left, self._random_effort)
        while len(own) > 2 and self._moves:
            rest = list(own)
            for _ in range(source.randint(1, 3)):
                del rest[source.randrange(len(rest))]
            for _ in range(2):
                rest.insert(source.randint(0, len(rest)), source.choice(self._moves))
            yield tuple(rest)

    def _own(self) -> tuple[Move, ...]:
        by_line = {move.line: move for move in self._moves}
        lines = self._problem.lines[:-1] if self._problem.jumps else self._problem.lines
        return tuple(by_line[line] for line in lines if line in by_line)

    # Trying -----------------------------------------------------------------------------------

    def _try(self, moves: tuple[Move, ...]) -> None:
        """Keep a sequence if it is no larger and does the same, with whatever jump does."""
        size = sum(move.size for move in moves)
        if size + self._least_end() > self._old.bytes:
            return
        first = self._runs[0]
        state, trace = self._after(moves[:-1])
        for move in moves[-1:]:
            trace = trace[:]
            state = self._step(move, first, state, trace)
        if self._problem.wrong(first, state):
            return
        if self._problem.jumps:
            if trace == first.trace[:-1]:
                for end in self._ends:
                    self._check((*moves, end))
        elif trace == first.trace:
            self._check(moves)

    def _after(self, moves: tuple[Move, ...]) -> tuple[State, Trace]:
        """What the first sample becomes; sequences that begin alike share that."""
        known = self._prefixes.get(moves)
        if known is None:
            if not moves:
                return self._runs[0].before, []
            state, trace = self._after(moves[:-1])
            trace = trace[:]
            known = self._step(moves[-1], self._runs[0], state, trace), trace
            if len(self._prefixes) > _PREFIXES:
                self._prefixes.clear()
            self._prefixes[moves] = known
        return known

    def _check(self, moves: tuple[Move, ...]) -> None:
        lines = tuple(move.line for move in moves)
        if lines == self._problem.lines or lines in self._best:
            return
        for run in self._runs:
            trace: Trace = []
            state = run.before
            for move in moves:
                state = self._step(move, run, state, trace)
            if trace != run.trace or self._problem.wrong(run, state):
                return
        found = score(self._bench, self._problem, lines)
        if found.beats(self._old):
            self._best[lines] = found

    def _step(self, move: Move, run: Run, state: State, trace: Trace) -> State:
        self._left -= 1
        if self._left < 0:
            raise _SpentError
        if len(trace) >= len(run.loads) - 1:
            return state
        return move.step(state, run.loads, trace)

    def _least_end(self) -> int:
        return min((end.size for end in self._ends), default=0)


def _seen(state: State, trace: Trace) -> tuple[tuple[int, ...], tuple[Touch, ...]]:
    return tuple(state), tuple(trace)


_ALL = -1
_NOTHING = -1
