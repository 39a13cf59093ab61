"""What a rewritten window is worth: whether it is proved, its bytes and its predicted cost.

The assembler measures, `cr1cc/prove/window.py` proves. What is equal or differs for some inputs is
told before a solver is asked. Verdicts are kept by the normal form, in a file if one is given.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from cr1cc.assembly.cost import cost
from cr1cc.assembly.names import Names, compared, example_names, restored
from cr1cc.assembly.vocabulary import Goal
from cr1cc.errors import AsmError, Cr1Error
from cr1cc.gate.body import assembled
from cr1cc.gate.verdict import Verdict
from cr1cc.prove.runs import Pair, pairs
from cr1cc.prove.window import WindowProver
from cr1cc.rewrite.places import described

_INPUTS = 8  # that both windows are run on
_TOGETHER = 400  # windows that are assembled at once

Lines = tuple[str, ...]
Numbers = tuple[float, float]


class Ask(NamedTuple):
    """A window in the normal form, what is live behind it, and what it would become."""

    old: Lines
    live: Lines
    new: Lines


class Appraisal(NamedTuple):
    """`agreeing`: share of inputs for which both do the same, 1 if it is proved. Bytes and cost
    before and after; 0 after if it cannot be assembled."""

    proved: bool
    agreeing: float
    bytes: Numbers = (0.0, 0.0)
    cost: Numbers = (0.0, 0.0)

    @property
    def assembles(self) -> bool:
        return bool(self.cost[0])

    def saved(self, goal: Goal) -> float:
        """The share that is saved, below 0 if it is more; 0 for what is not proved."""
        before, after = self.bytes if goal is Goal.SIZE else self.cost
        return 1 - after / before if self.proved and before else 0.0


_NOTHING = Appraisal(proved=False, agreeing=0.0)


class Appraiser:
    """Appraises windows; equal ones once."""

    def __init__(self, env: Mapping[str, str], log: Path | None = None) -> None:
        """Raises ProofError without the extra `prove`."""
        self._env = env
        self._prover = WindowProver()
        self._log = log
        self._known: dict[Ask, Appraisal] = dict(_read(log)) if log else {}

    def appraise(self, asks: Sequence[Ask]) -> list[Appraisal]:
        """A verdict for each. Raises ToolchainError without an assembler."""
        left = [ask for ask in dict.fromkeys(asks) if ask not in self._known]
        for start in range(0, len(left), _TOGETHER):
            part = left[start : start + _TOGETHER]
            found = list(zip(part, self._appraised(part), strict=True))
            self._known.update(found)
            self._keep(found)
        return [self._known[ask] for ask in asks]

    def _keep(self, found: Sequence[tuple[Ask, Appraisal]]) -> None:
        if self._log:
            with self._log.open("a") as file:
                file.writelines(json.dumps([ask, judged]) + "\n" for ask, judged in found)

    def _appraised(self, asks: Sequence[Ask]) -> list[Appraisal]:
        texts = [_texts(ask) for ask in asks]
        found = pairs([one for one in texts if one], lambda text: assembled(text, self._env))
        return [
            self._one(ask, next(found)) if text else _NOTHING
            for ask, text in zip(asks, texts, strict=True)
        ]

    def _one(self, ask: Ask, pair: Pair | None) -> Appraisal:
        if pair is None:
            return _NOTHING
        names = example_names(ask.old)
        costs = (_cost(ask.old, names), _cost(ask.new, names))
        if ask.old == ask.new:
            return Appraisal(True, 1.0, pair.sizes, costs)
        live = described(compared(ask.live, names))
        try:
            agreeing = self._prover.agreement(*pair, live, _INPUTS)
        except (Cr1Error, RecursionError):
            return Appraisal(False, 0.0, pair.sizes, costs)
        proved = agreeing == 1 and self._prover.judge(*pair, live).verdict is Verdict.PROVED
        return Appraisal(proved, agreeing, pair.sizes, costs)


def _cost(lines: Lines, names: Names) -> float:
    return cost(restored(lines, names)) if lines else 0.0


def _texts(ask: Ask) -> tuple[list[str], list[str]] | None:
    """Both windows, None for what is no instruction and for names without a meaning."""
    try:
        names = example_names(ask.old)
        compared(ask.live, names)
        old, new = ([one.text for one in restored(lines, names)] for lines in (ask.old, ask.new))
    except AsmError:
        return None
    return old, new


def _read(log: Path) -> Iterator[tuple[Ask, Appraisal]]:
    """What was judged before; the line that an interruption tore says nothing."""
    for line in log.read_text().splitlines() if log.exists() else ():
        try:
            ask, (proved, agreeing, sizes, costs) = json.loads(line)
        except ValueError:
            continue
        key = Ask(*(tuple(part) for part in ask))
        yield key, Appraisal(proved, agreeing, tuple(sizes), tuple(costs))
