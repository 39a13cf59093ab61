"""Trainings compared on modules that are held out, played against their labels.

Nothing is compiled, so many trainings can be compared on equal terms; what compiles say of the
best of them, `cr1 bench` says.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cr1cc.errors import UserError
from cr1cc.records import Metric
from cr1cc.train import simulate
from cr1cc.train.label import log_of
from cr1cc.train.network import Network
from cr1cc.train.trajectories import Lesson

TURNS = (1, 2, 4, 7, 16)
_LONGEST = max(TURNS)


@dataclass(frozen=True)
class Compared:
    """Mean shares of the baseline that are saved after so many measurements (`TURNS`)."""

    metric: str
    modules: int
    who: str
    saved: tuple[float, ...]


def held_out(folder: Path, metric: Metric) -> list[Lesson]:
    """What `cr1 train label --held-out` found, modules on which nothing is better among them."""
    log = log_of(folder, metric, held_out=True)
    lines = log.read_text().splitlines() if log.exists() else []
    rows = [json.loads(line)["row"] for line in lines if line.endswith("}")]
    return [one for one in map(Lesson.of, filter(None, rows)) if len(one.named) > _LONGEST]


def compare(folder: Path, networks: Sequence[tuple[str, Network]]) -> list[Compared]:
    """The coreset in its order, these networks, and the best of all of the coreset, for each
    metric. Raises UserError if there are no labels of modules that are held out."""
    found = []
    for metric in Metric:
        lessons = held_out(folder, metric)
        if not lessons:
            continue
        best = sum(max(0.0, *one.named.values()) for one in lessons) / len(lessons)
        rows = [
            ("coreset", simulate.in_order(lessons, _LONGEST)),
            *((name, simulate.saved(network, lessons, _LONGEST)) for name, network in networks),
            ("all of the coreset", [best] * _LONGEST),
        ]
        found += [
            Compared(metric.value, len(lessons), who, tuple(means[turn - 1] for turn in TURNS))
            for who, means in rows
        ]
    if not found:
        raise UserError(f"{folder}: no labels; `cr1 train label --held-out` makes them")
    return found
