"""How much faster one of two programs is, from runs in turn. Pure functions, seeded."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

_RESAMPLES = 1000
_CONFIDENCE = 0.98  # many candidates are looked at, so more than the usual 0.95

# Rounds after which the interval is looked at: fewer looks, fewer lucky ones.
LOOKS = (7, 11, 15, 21, 31)
FIRST_RUNS = 11  # of the program as it is, which show how noisy they are
_UNSTEADY = 0.04  # the doubt from which on a sample is the least of some runs
_LEAST_OF = 3
_ENOUGH = 0.004  # half the width of an interval at which more runs tell nothing new


@dataclass(frozen=True)
class Gain:
    """Time before divided by time after: the median of the ratios of neighbours, and its
    interval."""

    ratio: float
    low: float
    high: float
    runs: int

    @property
    def is_faster(self) -> bool:
        """Whether the new program is faster, significantly."""
        return self.low > 1.0

    def __str__(self) -> str:
        return f"{self.ratio:.3f}[{self.low:.3f}..{self.high:.3f}]"


SAME = Gain(1.0, 1.0, 1.0, 0)  # of a program and itself


def gain(before: Sequence[float], after: Sequence[float]) -> Gain:
    """The gain from seconds of runs in turn: `before[i]` and `after[i]` are neighbours, so what
    makes a machine slower for longer than two runs makes both slower, and leaves their ratio.

    The interval is a percentile bootstrap over rounds (Efron and Tibshirani, 1993, 13.3),
    with a seed, so that equal times give equal intervals.
    """
    generator = random.Random(len(before))
    ratios = [one / max(other, 1e-9) for one, other in zip(before, after, strict=True)]
    rounds = len(ratios)
    medians = sorted(median(generator.choices(ratios, k=rounds)) for _ in range(_RESAMPLES))
    tail = (1 - _CONFIDENCE) / 2
    low = medians[int(tail * (_RESAMPLES - 1))]
    high = medians[int((1 - tail) * (_RESAMPLES - 1))]
    return Gain(median(ratios), low, high, rounds)


def is_decided(found: Gain) -> bool:
    """Whether more runs would hardly change the answer."""
    return found.low > 1.0 or found.high < 1.0 or found.high - found.low < 2 * _ENOUGH


def doubt(times: Sequence[float]) -> float:
    """How little so many runs of one program tell: the width of the interval of their median, as
    a share of it, or of the gain from each to the next if that is less. Now and then a slower run
    leaves the median alone, slower runs in a row leave that gain."""
    level = gain(times, [1.0] * len(times))
    step = gain(times[:-1], times[1:])
    return min((level.high - level.low) / max(level.ratio, 1e-9), step.high - step.low)


def least_of(times: Sequence[float]) -> int:
    """How many runs a sample should be the least of, by some runs of one program: one where they
    are alike, or like their neighbours. What else a machine does only adds to a time, on a shared
    one to every second run."""
    return 1 if doubt(times) <= _UNSTEADY else _LEAST_OF
