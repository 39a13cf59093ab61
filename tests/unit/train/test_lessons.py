"""Which labels are learnt from, and what they tell of a module."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cr1cc.errors import UserError
from cr1cc.records import Metric
from cr1cc.train.corpus import KIND, near_file
from cr1cc.train.label import log_of
from cr1cc.train.lessons import VIEWS, held_out, learnt
from cr1cc.train.packages import HELD_OUT
from tests.unit.train.test_trajectories import ROW


def write(folder: Path, *rows: object, held: bool = False) -> None:
    lines = [json.dumps({"key": str(n), "row": row}) + "\n" for n, row in enumerate(rows)]
    log_of(folder, Metric.BYTES, held_out=held).write_text("".join(lines) + '{"torn')


def test_what_is_held_out_and_what_tells_nothing_is_not_learnt(tmp_path: Path) -> None:
    held = HELD_OUT[0].name
    near = {**ROW, "module": "bc/near.bc"}
    write(tmp_path, ROW, near, {**ROW, "package": held}, {**ROW, "recipes": []}, {})
    near_file(tmp_path, KIND[Metric.BYTES]).write_text("bc/near.bc\n")
    assert [one.package for one in learnt(tmp_path, "features")] == ["bc"]
    write(tmp_path, ROW, {**ROW, "recipes": []}, {}, held=True)
    assert len(held_out(tmp_path, Metric.BYTES, "features")) == 2


def test_each_view_has_as_many_numbers(tmp_path: Path) -> None:
    write(tmp_path, ROW, {**ROW, "opcodes": {"1 2": 9}})
    write(tmp_path, {**ROW, "opcodes": {"26 28": 5, "7 7": 2}}, held=True)
    told = {view: learnt(tmp_path, view)[0].request.info.features for view in VIEWS}
    assert told["features"] == tuple(range(56))
    assert told["opcodes"] == (1, 3, *[0] * 54)  # the most common pair first
    (held,) = held_out(tmp_path, Metric.BYTES, "opcodes")
    assert held.request.info.features == (0, 5, *[0] * 54)


def test_without_labels_there_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cr1 train label"):
        learnt(tmp_path, "features")
