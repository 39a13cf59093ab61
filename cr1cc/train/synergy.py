"""Mine the synergy graph: what each pass does alone, and what it does behind each other one.

FOLDER/synergy.jsonl   one line for each module (a run can be taken up again)

Measured on unoptimised modules, in instructions, both as they are and behind the beginning of
the standard pipeline. `cr1cc.policy.synergy` says what an edge weighs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from random import Random
from statistics import fmean

from cr1cc.passes.macros import START
from cr1cc.passes.pipeline import nest
from cr1cc.passes.rows import forms_for
from cr1cc.passes.standard import seeds
from cr1cc.passes.table import passes_for
from cr1cc.records import Metric, Recipe, Score, Toolchain
from cr1cc.train.corpus import Sample
from cr1cc.train.tasks import Row, Task, logged, spread

_LEAST, _MOST = 100, 1500  # instructions of a module: every pair is measured on each
_LIGHT = 1e-4  # edges below this share are noise


def mine(
    toolchain: Toolchain, corpus: Sequence[Sample], folder: Path, modules: int, jobs: int,
    note: Callable[[Iterable[Row], str, int], Iterable[Row]],
) -> dict[str, object]:  # fmt: skip
    """The graph as data. `note(rows, step, total)` shows progress and passes rows on."""
    task = Task.of(toolchain)
    chosen = spread(corpus, Random(1))[:modules]
    passes = [text for row in passes_for(task.major) for text in forms_for(row, task.major)]
    beginnings = [(START,), seeds(task.major, task.target)[0].stages[:2]]
    work = [(_pairs, task, s, passes, [list(b) for b in beginnings]) for s in chosen]
    rows = note(logged(folder / "synergy.jsonl", work, jobs), "synergy", len(work))
    tables = [table for row in rows for table in row.get("tables", ())]
    return {
        "compiler": toolchain.identity,
        "alone": _kept({a: fmean(t["alone"][i] for t in tables) for i, a in enumerate(passes)}),
        "edges": {
            a: _kept({
                b: fmean(max(0.0, t["behind"][i][j] - t["alone"][j]) for t in tables)
                for j, b in enumerate(passes)
            })
            for i, a in enumerate(passes)
        },
    }  # fmt: skip


def write(graph: dict[str, object], path: Path) -> None:
    path.write_text(json.dumps(graph, indent=0) + "\n")


def _kept(weights: dict[str, float]) -> dict[str, float]:
    return {name: round(weight, 5) for name, weight in weights.items() if weight >= _LIGHT}


def _pairs(
    task: Task, sample: Sample, passes: Sequence[str], beginnings: Sequence[Sequence[str]]
) -> Row:
    """For each beginning: the share of instructions that each pass removes alone, and behind
    each pass."""
    with task.evaluator(sample, Metric.INSTRUCTIONS) as evaluator:
        if not _LEAST <= evaluator.describe().ic <= _MOST:
            return {}
        tables = []
        for beginning in map(tuple, beginnings):
            single = [Recipe((*beginning, nest([a]))) for a in passes]
            double = [Recipe((*r.stages, nest([b]))) for r in single for b in passes]
            scores = evaluator.measure([Recipe(beginning), *single, *double], emit=False)
            counts = [score.ic if isinstance(score, Score) else None for score in scores]
            before = counts[0]
            if not before:
                return {}
            tables.append(_table(before, counts[1:], len(passes)))
        return {"tables": tables}


def _table(before: int, counts: Sequence[int | None], width: int) -> Row:
    def share(start: int | None, end: int | None) -> float:
        return 0.0 if start is None or end is None else round((start - end) / before, 5)

    alone = [share(before, after) for after in counts[:width]]
    behind = [
        [share(counts[i], counts[width * (i + 1) + j]) for j in range(width)] for i in range(width)
    ]
    return {"alone": alone, "behind": behind}
