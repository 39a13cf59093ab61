"""The benchmark's figures follow from its rows, and what must hold is checked."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.projects import report
from tests.projects.build import Comparison, ObjectFile
from tests.projects.demo import table
from tests.projects.measure import MeasureError, overhead, peak_memory

ROW: dict[str, Any] = {
    "name": "thing", "version": "1", "system": "make", "files": 2,
    "bytes_plain": 1000, "bytes_ours": 900, "reductions": [0.2, 0.0], "larger": [],
    "unmatched": [], "warm_differs": [],
    "warm_unhandled": [], "test_passed": True, "test_passed_plain": True,
    "test_detail": "", "outputs_differ": False, "seconds_plain": 2.0, "seconds_cold": 8.0,
    "seconds_warm": 3.0, "outcomes": {},
}  # fmt: skip


def result(**changes: Any) -> dict[str, Any]:
    rows = [{**ROW, **changes}]
    memory = {"lua src/lvm.c": {"plain": 50_000_000, "ours": 90_000_000}}
    cost = {"plain_ms": 10.0, "ours_ms": 30.0, "above_ms": 20.0}
    return {
        "date": "2000-01-01", "machine": "one", "compiler": "clang", "jobs": 2, "repeat": 3,
        "skipped": ["no source of that"], "broken": [], "figures": report.figures(rows),
        "costs": {"--version": cost, "memory": memory}, "projects": rows,
    }  # fmt: skip


def test_figures_are_means_over_files_and_ratios_of_times() -> None:
    found = report.figures([ROW, {**ROW, "bytes_plain": 3000, "bytes_ours": 3000}])
    assert found["mean_reduction"] == pytest.approx(0.1)
    assert found["total_reduction"] == pytest.approx(100 / 4000)
    assert (found["warm_ratio"], found["cold_ratio"]) == (1.5, 4.0)


@pytest.mark.parametrize(
    "change",
    [
        {"larger": ["a.o"]},
        {"unmatched": ["a.o"]},
        {"warm_differs": ["a.o"]},
        {"warm_unhandled": ["a.o"]},
        {"test_passed": False},
        {"outputs_differ": True},
    ],
)
def test_what_must_hold_makes_the_result_unsound(change: dict[str, Any]) -> None:
    assert report.sound(result())
    assert not report.sound(result(**change))


def test_both_files_are_written(tmp_path: Path) -> None:
    report.write(result(), tmp_path / "bench")
    assert json.loads((tmp_path / "bench/projects.json").read_text())["figures"]["files"] == 2
    text = (tmp_path / "bench/projects.md").read_text()
    assert "| loadable bytes saved, in total | 10.00 % |" in text
    assert "90 MB (plain clang 50 MB)" in text
    assert "- no source of that" in text


def test_the_demo_table_ends_with_the_sum() -> None:
    pair = (ObjectFile("a.o", 1000, ""), ObjectFile("a.o", 900, ""))
    lines = table(Comparison((pair, pair), (), ()), {"a.o": "a reason"}).splitlines()
    assert lines[1].split() == ["a.o", "1,000", "900", "10.0", "%", "a", "reason"]
    assert lines[-1].split() == ["all", "2,000", "1,800", "10.0", "%"]


def test_memory_counts_children() -> None:
    grow = "import time; data = bytearray(b'x' * 60_000_000); time.sleep(0.4)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grow!r}])"
    if not os.path.exists("/proc/self/smaps_rollup"):
        pytest.skip("/proc/self/smaps_rollup is not there")
    assert 60e6 < peak_memory([sys.executable, "-c", parent], {}) < 200e6


def test_overhead_is_the_difference_of_medians() -> None:
    taken = overhead(["sleep", "0.01"], ["sleep", "0.06"], {}, 3)
    assert 30 < taken.above < 500


def test_a_command_that_fails_under_measurement_is_told() -> None:
    with pytest.raises(MeasureError, match="ended with 1: reason"):
        peak_memory([sys.executable, "-c", "raise SystemExit('reason')"], {})
