"""The tables of packages, and that nothing which ships was made from what is held out."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import pytest

from cr1cc.passes.coreset import DATA
from cr1cc.train.packages import HELD_OUT, PACKAGES, PACKED, Package
from tests.projects.fetch import CHECKOUT
from tests.projects.table import PROJECTS

LEARNT = {package.name for package in PACKAGES}
HELD = {package.name for package in HELD_OUT}
PROGRAMS = "csmith"  # not of a package
# Nobody learns from these: the sets that other systems publish figures for.
RESERVED = {
    "blas", "cbench", "ccache", "chstone", "codenet", "embench", "llvm-test-suite", "mibench",
    "npb", "opencv", "tensorflow",
}  # fmt: skip


@pytest.mark.parametrize("table", [PACKAGES, HELD_OUT])
def test_a_table_is_sorted_and_names_each_package_once(table: tuple[Package, ...]) -> None:
    names = [package.name for package in table]
    assert names == sorted(set(names))


def test_what_is_held_out_is_not_learnt_from() -> None:
    assert HELD
    assert not HELD & LEARNT
    assert set(PACKED) <= LEARNT


def test_no_package_is_reserved() -> None:
    assert not (LEARNT | HELD) & RESERVED


def test_nothing_is_learnt_from_projects_of_the_benchmark() -> None:
    projects = {name for row in PROJECTS.values() for name in (row.name, row.debian)}
    assert "zlib" in projects
    assert not LEARNT & projects


@pytest.mark.parametrize("metric", ["bytes", "instructions"])
def test_the_coreset_was_mined_from_packages_to_learn_from(metric: str) -> None:
    found = set(json.loads(Path(DATA).read_text())[metric]["packages"])
    assert found
    assert found <= LEARNT | {PROGRAMS}


@pytest.mark.parametrize("metric", ["bytes", "instructions"])
@pytest.mark.parametrize(("kind", "packages"), [("label", LEARNT | {PROGRAMS}), ("held", HELD)])
def test_labels_are_of_their_side_of_the_split(kind: str, packages: set[str], metric: str) -> None:
    text = lzma.decompress((CHECKOUT / f"bench/labels/{kind}-{metric}.jsonl.xz").read_bytes())
    rows = [json.loads(line)["row"] for line in text.splitlines()]
    found = {row["package"] for row in rows if row}
    assert found
    assert found <= packages


def test_the_counted_corpus_is_that_of_the_tables() -> None:
    counted = json.loads((CHECKOUT / "bench/corpus.json").read_text())["packages"]
    versions = {package.name: package.version for package in (*PACKAGES, *HELD_OUT)}
    for name, row in counted.items():
        assert row["held_out"] == (name in HELD)
        assert row["version"] == versions.get(name, "")
    assert counted.keys() <= versions.keys() | {PROGRAMS}
    assert len(counted) >= 60
