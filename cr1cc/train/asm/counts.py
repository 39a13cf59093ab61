"""What corpus and labels of assembly come to, in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cr1cc.errors import UserError
from cr1cc.train.asm.corpus import rows_of, texts
from cr1cc.train.asm.labels import progress_of, rows
from cr1cc.train.asm.variants import VARIANTS
from cr1cc.train.asm.work import split_of


def counts(folder: Path) -> dict[str, Any]:
    """By package the sources, windows and distinct windows; of all labels how many are better,
    by side and source, and what they save. Raises UserError without a corpus."""
    paths = sorted((folder / "windows").glob("*.jsonl"))
    if not paths:
        raise UserError(f"{folder}: no corpus; `cr1 train asm corpus` makes one")
    distinct: set[tuple[tuple[str, ...], tuple[str, ...]]] = set()
    packages = {}
    for path in paths:
        found = [((tuple(row["old"]), tuple(row["live"])), row["count"]) for row in rows_of(path)]
        distinct.update(key for key, _ in found)
        packages[path.stem] = {
            "split": split_of(path.stem),
            "sources": len(texts(folder, path.stem, VARIANTS[0].name)),
            "windows": sum(count for _, count in found),
            "distinct": len(found),
        }
    return {
        "packages": packages,
        "windows": sum(one["windows"] for one in packages.values()),
        "distinct": len(distinct),
        "worked on": progress_of(folder),
        "labels": _of_labels(rows(folder / "labels.jsonl")),
    }


def _of_labels(found: Iterable[dict[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for side in ("train", "held"):
        some = [row for row in found if row["split"] == side]
        better = [row for row in some if row["source"] != "none"]
        made[side] = {
            "rows": len(some),
            "better": len(better),
            "by source": dict(sorted(Counter(row["source"] for row in better).items())),
            "cheaper or as cheap": sum(row["cost"][1] <= row["cost"][0] for row in better),
            "bytes saved": sum(row["bytes"][0] - row["bytes"][1] for row in better),
        }
    return made
