"""What a benchmark says of one contender on one module, and over all of them."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Protocol:
    """What a contender did on the way to its answer."""

    measured: int = 0  # calls of `instrcount`
    searched: int = 0  # calls of `find_best_pass_sequence`
    malformed: int = 0  # recipes that are not well formed or not vetted
    failed: bool = False  # it could not be asked: plain -Oz is the answer


@dataclass(frozen=True)
class Result:
    """One contender (`proposer`) on one module; the fields of the JSON record. Shares are of 1."""

    module: str
    proposer: str
    candidates: int  # recipes that were evaluated, the baseline not counted
    ic_unoptimised: int
    ic_baseline: int
    ic: int
    over_oz: float
    over_orig: float
    bytes_baseline: int
    bytes: int
    success: bool  # there is an answer, well formed and vetted
    seconds: float  # proposing, measuring and emitting, on the wall
    thinking: float  # the part of it that the proposer took, without measurements
    recipe: str  # what was taken in the end
    measured: int = 0  # as in Protocol
    searched: int = 0
    malformed: int = 0
    failed: bool = False


def share(before: int, after: int) -> float:
    """How much smaller `after` is, of 1; 0 if there is nothing to save."""
    return round((before - after) / before, 6) if before else 0.0


@dataclass(frozen=True)
class Summary:
    """One proposer over all modules. Shares are of 1, `worst` is the smallest."""

    proposer: str
    modules: int
    success: float
    over_oz: Mapping[str, float]  # mean, median, worst
    over_orig: float  # mean
    smaller: Mapping[str, float]  # bytes: mean, median, worst, total
    candidates: float  # mean
    seconds: float  # mean
    thinking: float  # median of the seconds without measurements
    protocol: Mapping[str, int]  # sums of the fields of Protocol


def summaries(results: Sequence[Result]) -> list[Summary]:
    """In the order in which the proposers were asked."""
    return [
        _summary(name, [result for result in results if result.proposer == name])
        for name in dict.fromkeys(result.proposer for result in results)
    ]


def _summary(name: str, rows: Sequence[Result]) -> Summary:
    saved = [share(row.bytes_baseline, row.bytes) for row in rows]
    before, after = sum(r.bytes_baseline for r in rows), sum(r.bytes for r in rows)
    return Summary(
        name,
        len(rows),
        sum(row.success for row in rows) / len(rows),
        _spread([row.over_oz for row in rows]),
        statistics.fmean([row.over_orig for row in rows]),
        {**_spread(saved), "total": share(before, after)},
        statistics.fmean([row.candidates for row in rows]),
        statistics.fmean([row.seconds for row in rows]),
        statistics.median([row.thinking for row in rows]),
        {field.name: sum(getattr(row, field.name) for row in rows) for field in fields(Protocol)},
    )


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {
        "mean": statistics.fmean(values),
        "median": statistics.median(values),
        "worst": min(values),
    }
