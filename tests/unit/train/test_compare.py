"""Trainings are compared on what is known of modules that are held out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="PyTorch (extra train)")

# ruff: noqa: E402 - these need what was asked for above
from cr1cc.errors import UserError
from cr1cc.model.vocabulary import TOKENS
from cr1cc.records import Metric
from cr1cc.train.compare import TURNS, Training, compare
from cr1cc.train.gguf_file import Shape
from cr1cc.train.label import log_of
from cr1cc.train.network import Network
from tests.unit.train.test_trajectories import CORESET, ROW

SHAPE = Shape(len(TOKENS), width=32, layers=1, heads=2, hidden=32, context=256)


def write(folder: Path, *gains: dict[int, int]) -> None:
    """A module for each: what recipes of the coreset, by number, save of 1000 bytes."""
    lines = []
    for number, gain in enumerate(gains):
        values = [[text, 1000 - gain.get(place, 0)] for place, text in enumerate(CORESET)]
        better = [one for one in values if one[1] < 1000]
        row = {**ROW, "recipes": better, "others": [one for one in values if one not in better]}
        lines.append(json.dumps({"key": str(number), "row": row}) + "\n")
    log_of(folder, Metric.BYTES, held_out=True).write_text("".join(lines) + '{"torn')


def test_modules_without_anything_better_count(tmp_path: Path) -> None:
    write(tmp_path, {0: 20, 3: 100}, {3: -50}, {})
    torch.manual_seed(1)
    rows = compare(tmp_path, [Training("mine", "opcodes", Network(SHAPE).eval())])
    assert [(row.metric, row.modules, row.who) for row in rows] == [
        ("bytes", 3, "coreset"), ("bytes", 3, "mine"), ("bytes", 3, "mine, asked once"),
        ("bytes", 3, "all of the coreset"),
    ]  # fmt: skip
    first, mine, once, everything = rows
    assert first.saved == pytest.approx([0.02 / 3 if turns < 4 else 0.1 / 3 for turns in TURNS])
    assert everything.saved == pytest.approx([0.1 / 3] * len(TURNS))
    for found in (mine, once):
        assert list(found.saved) == sorted(found.saved)
        assert found.saved[-1] <= 0.1 / 3 + 1e-6
    assert mine.saved[0] == once.saved[0]


def test_without_labels_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--held-out"):
        compare(tmp_path, [])
