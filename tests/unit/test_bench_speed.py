"""The benchmark of speed: its programs, and how their results are put together."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.bench_speed import HERE
from tests.projects.table import PROJECTS
from tests.speed.report import mean, page
from tests.speed.table import ROWS

RESULT = {
    "name": "crc", "isa": "own", "speedup": 2.0, "low": 1.9, "high": 2.1, "seconds": [0.2, 0.1],
    "same": True, "decisions": [{"donor": "gcc:unroll:1", "functions": {"f": "clang:o3:2"}}],
}  # fmt: skip


def test_there_are_enough_programs_and_all_that_they_name_is_there() -> None:
    assert len(ROWS) >= 25
    assert len({row.name for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert not row.package or row.package in PROJECTS
        assert not row.driver or (HERE / "drivers" / row.driver).exists()
    own = {path.name for path in (HERE / "programs").iterdir()}
    assert own == {source for row in ROWS if not row.package for source in row.sources}


@pytest.mark.long
@pytest.mark.parametrize("row", [row for row in ROWS if not row.package], ids=lambda row: row.name)
def test_an_own_program_does_nothing_undefined(row: object, tmp_path: Path) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("gcc is missing")
    source = HERE / "programs" / row.sources[0]  # type: ignore[attr-defined]
    outputs = []
    for options in ("-O3", "-O1 -fsanitize=undefined,address -fno-sanitize-recover=all"):
        command = ["gcc", *options.split(), source, "-o", tmp_path / "program", "-lm"]
        subprocess.run(command, check=True, capture_output=True)
        done = subprocess.run([tmp_path / "program"], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        outputs.append(done.stdout)
    assert outputs[0] == outputs[1]


def test_no_program_counts_as_more_than_three_and_a_wrong_one_as_one() -> None:
    assert mean([RESULT]) == pytest.approx(2)
    assert mean([{**RESULT, "speedup": 27.0}]) == pytest.approx(3)
    assert mean([{**RESULT, "speedup": 0.5}, RESULT]) == pytest.approx(1)
    assert mean([{**RESULT, "speedup": 2.0, "same": False}]) == pytest.approx(1)


def test_the_page_says_what_each_donor_makes_of_all_programs() -> None:
    looks = [{"gcc:o2": 0.9, "clang:o3": 2.0}, {"gcc:o2": 0.9, "clang:o3": 0.5}]
    text = page([{**RESULT, "everywhere": look} for look in looks], {})
    assert "| clang:o3 | 2 | 1.000 | 0.500 | 2.000 | 1 |\n| gcc:o2 | 2 | 0.900 |" in text
    assert "One donor" not in page([{**RESULT, "isa": "native", "everywhere": looks[0]}], {})


def test_the_page_says_what_the_best_donor_of_each_program_makes() -> None:
    looks = [{"gcc:o2": 0.9, "clang:o3": 4.0}, {"gcc:o2": 0.9, "clang:o3": 0.5}]
    native = {**RESULT, "isa": "native", "speedup": 1.0, "everywhere": {"gcc:o2": 1.5}}
    text = page([*({**RESULT, "everywhere": look} for look in looks), native], {})
    assert "command (2 measured): 1.732 by the best donor of each; 2.000 kept; wanted 1.25" in text
    assert "native` (1 measured): 1.500 by the best donor of each; 1.000 kept; wanted 1.5" in text
    assert "What limits it" not in page([RESULT], {})


def test_the_page_has_machine_means_and_rows() -> None:
    text = page([RESULT, {**RESULT, "isa": "native", "decisions": []}], {"gcc": "gcc 1"})
    assert "- gcc: gcc 1" in text
    assert "Geometric mean: **2.000** (wanted of all programs: 1.25)" in text
    assert f"Only 1 of the {len(ROWS)} programs" in text
    whole = page([RESULT] * len(ROWS), {})
    assert f"All {len(ROWS)} programs" in whole
    assert "| crc | 0.200 s | 0.100 s | 2.000 | 1.900 to 2.100 | clang:o3, gcc:unroll |" in text
    assert "| baseline |" in text


def test_the_page_tells_small_programs_from_libraries() -> None:
    library = {**RESULT, "name": "lua-calls", "speedup": 1.0}
    text = page([RESULT, {**RESULT, "speedup": 4.5}, library], {})
    assert "Small programs of this project (2): 2.449. " in text
    assert "Programs that use a library of a package (1): 1.000. " in text
    assert "library" not in page([RESULT], {})
