"""Labels as lessons: which of them may be learnt from, and what they tell of a module.

A prompt has 56 numbers of the module. There are two views of a module:

    features   the AutoPhase features, which is what is shipped
    opcodes    how often the 56 most common pairs of neighbouring opcodes occur, to compare with
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from cr1cc.errors import UserError
from cr1cc.features import FEATURES
from cr1cc.records import Metric
from cr1cc.train.corpus import FUNCTIONS, KIND, near_duplicates
from cr1cc.train.label import log_of
from cr1cc.train.packages import HELD_OUT
from cr1cc.train.tasks import Row
from cr1cc.train.trajectories import Lesson

View = Callable[[Row], tuple[int, ...]]
VIEWS = ("features", "opcodes")


def learnt(folder: Path, view: str) -> list[Lesson]:
    """What `cr1 train label` found in FOLDER, of what is by now neither held out nor nearly so,
    and of modules on which something is better than plain -Oz. Raises UserError if that is
    nothing."""
    rows = _rows(folder)
    told = _view(view, rows)
    found = [one for row in rows if (one := Lesson.of(row, told(row))).good]
    if not found:
        raise UserError(f"{folder}: no labels; `cr1 train label` makes them")
    return found


def held_out(folder: Path, metric: Metric, view: str) -> list[Lesson]:
    """What `cr1 train label --held-out` found, modules on which nothing is better among them."""
    told = _view(view, _rows(folder) if view == "opcodes" else ())
    return [Lesson.of(row, told(row)) for row in _read(log_of(folder, metric, held_out=True))]


def _rows(folder: Path) -> list[Row]:
    held = {package.name for package in HELD_OUT}
    found = []
    for by in Metric:
        near = near_duplicates(folder, KIND[by]) | near_duplicates(folder, KIND[by] + FUNCTIONS)
        rows = _read(log_of(folder, by, held_out=False))
        found += [row for row in rows if row["package"] not in held and row["module"] not in near]
    return found


def _read(log: Path) -> Iterator[Row]:
    """The rows that say something; the line that an interruption tore is none."""
    for line in log.read_text().splitlines() if log.exists() else ():
        try:
            row: dict[str, Any] = json.loads(line)["row"]
        except (ValueError, KeyError, TypeError):
            continue
        if row:
            yield row


def _view(name: str, rows: Iterable[Row]) -> View:
    """As the labels of one folder have it: which pairs are common, they say."""
    if name == "features":
        return lambda row: tuple(row["features"])
    counts: Counter[str] = Counter()
    for row in rows:
        counts.update(row.get("opcodes", {}))
    common = [pair for pair, _ in counts.most_common(len(FEATURES))]
    common += [""] * (len(FEATURES) - len(common))
    return lambda row: tuple(row.get("opcodes", {}).get(pair, 0) for pair in common)
