"""Trainings compared on modules that are held out, played against their labels.

Nothing is compiled, so many trainings can be compared on equal terms; what compiles say of the
best of them, `cr1 bench` says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cr1cc.errors import UserError
from cr1cc.records import Metric
from cr1cc.train import simulate
from cr1cc.train.lessons import VIEWS, held_out
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


@dataclass(frozen=True)
class Training:
    """What is compared: its name, the view of modules that it learnt with, its weights."""

    name: str
    view: str
    network: Network


def compare(folder: Path, trainings: Sequence[Training]) -> list[Compared]:
    """The coreset in its order, these trainings in conversation and asked only once, and the
    best of all of the coreset, for each metric. Raises UserError if there are no labels of
    modules that are held out."""
    found = []
    for metric in Metric:
        lessons = _known(folder, metric, VIEWS[0])
        if not lessons:
            continue
        best = sum(max(0.0, *one.named.values()) for one in lessons) / len(lessons)
        rows = [("coreset", simulate.in_order(lessons, _LONGEST))]
        for one in trainings:
            told = _known(folder, metric, one.view)
            rows.append((one.name, simulate.saved(one.network, told, _LONGEST)))
            rows.append((f"{one.name}, asked once", simulate.at_once(one.network, told, _LONGEST)))
        rows.append(("all of the coreset", [best] * _LONGEST))
        found += [
            Compared(metric.value, len(lessons), who, tuple(means[turn - 1] for turn in TURNS))
            for who, means in rows
        ]
    if not found:
        raise UserError(f"{folder}: no labels; `cr1 train label --held-out` makes them")
    return found


def _known(folder: Path, metric: Metric, view: str) -> list[Lesson]:
    return [one for one in held_out(folder, metric, view) if len(one.named) > _LONGEST]
