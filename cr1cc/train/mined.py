"""Labels that mining the coreset has made already.

It measured some hundred recipes on each module of a sample. What it wrote down of them
(`coreset.py`: matrix, matrix-again, cross, inlined) says which are best there.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from cr1cc.train.tasks import Row, Task

_LOGS = ("matrix", "matrix-again", "cross", "inlined")


@cache
def measured(folder: Path, task: Task, metric: str) -> dict[str, dict[str, int]]:
    """By name of the module, what recipes, as texts, make of it; "" is plain -Oz."""
    found: dict[str, dict[str, int]] = {}
    for name in _LOGS:
        for place, module, by, texts, row in _entries(folder / f"{name}-{metric}.jsonl"):
            if place[1:] == (task.major, task.target) and by == metric and row:
                values = found.setdefault(module, {"": row["bytes"]})
                values.update(zip(texts, row["sizes"], strict=True))
    return found


def _entries(log: Path) -> Iterator[tuple[tuple[object, ...], str, str, list[str], Row]]:
    """What `tasks.logged` wrote: the arguments of a measurement, and its row."""
    for line in log.read_text().splitlines() if log.exists() else ():
        try:
            entry = json.loads(line)
            yield (*ast.literal_eval(entry["key"]), entry["row"])
        except (ValueError, KeyError, TypeError):
            continue  # the line that an interruption tore
