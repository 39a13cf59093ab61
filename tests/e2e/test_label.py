"""Labels are what the evaluator says, and are made once."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from cr1cc.model import vocabulary
from cr1cc.passes.recipe import check_recipe, parse_recipe
from cr1cc.records import Metric, Recipe, Score, Toolchain
from cr1cc.train.corpus import Sample
from cr1cc.train.label import KEPT, Plan, label
from cr1cc.train.tasks import Row, Task
from tests.e2e.wrapped import PROGRAM


def quietly(rows: Iterable[Row], _step: str, _total: int) -> Iterable[Row]:
    return rows


@pytest.fixture
def corpus(tmp_path: Path, any_toolchain: Toolchain) -> list[Sample]:
    folder = tmp_path / "packages" / "own"
    folder.mkdir(parents=True)
    for name, text in (("first", PROGRAM), ("second", PROGRAM.replace("x > 40", "x > 9"))):
        (tmp_path / "m.c").write_text(text)
        command = [any_toolchain.driver, "-Oz", "-c", "-emit-llvm", "-Xclang"]
        command += ["-disable-llvm-passes", "m.c", "-o", str(folder / f"{name}.bc")]
        subprocess.run(command, cwd=tmp_path, check=True)
    return [Sample("own", path) for path in sorted(folder.glob("*.bc"))]


@pytest.mark.parametrize("metric", list(Metric))
def test_labels_can_be_measured_again(
    metric: Metric, corpus: list[Sample], any_toolchain: Toolchain, tmp_path: Path
) -> None:
    task = Task.of(any_toolchain)
    plan = Plan(metric, budget=20, jobs=2)
    rows = label(task, corpus, tmp_path, plan, quietly)
    assert {row["module"] for row in rows} == {"own/first.bc", "own/second.bc"}
    log = tmp_path / f"label-{metric.value}.jsonl"
    written = log.read_text()
    assert len(written.splitlines()) == 2
    assert label(task, corpus, tmp_path, plan, quietly) == rows
    assert log.read_text() == written
    for row in rows:
        assert len(row["features"]) == 56
        recipes = [parse_recipe(text) for text, _ in row["recipes"]]
        values = [value for _, value in row["recipes"]]
        assert values == sorted(values)
        assert all(value < row["base"] for value in values)
        assert len(set(recipes)) == len(recipes) <= KEPT
        (sample,) = [sample for sample in corpus if sample.name == row["module"]]
        with task.evaluator(sample) as evaluator:
            results = evaluator.measure([Recipe(("@size",)), *recipes])
        scores = [result for result in results if isinstance(result, Score)]
        assert len(scores) == len(results)
        bytes_ = metric is Metric.BYTES
        found = [score.loadable if bytes_ else score.ic for score in scores]
        assert found == [row["base"], *values]
        for recipe in recipes:
            check_recipe(recipe, task.major, task.target)
            assert vocabulary.decode(vocabulary.encode(recipe)).stages == recipe.stages
        assert row["others"]
        assert not {parse_recipe(text) for text, _ in row["others"]} & set(recipes)
    if metric is Metric.BYTES:
        assert any(row["recipes"] for row in rows)


def test_a_torn_log_is_taken_up_again(
    corpus: list[Sample], any_toolchain: Toolchain, tmp_path: Path
) -> None:
    task, plan = Task.of(any_toolchain), Plan(Metric.INSTRUCTIONS, budget=4, jobs=1)
    rows = label(task, corpus, tmp_path, plan, quietly)
    log = tmp_path / "label-instructions.jsonl"
    first, second = log.read_text().splitlines()
    log.write_text(f"{first}\n{second[:40]}")
    assert label(task, corpus, tmp_path, plan, quietly) == rows
    assert [json.loads(line)["row"] for line in log.read_text().splitlines()[-1:]] == rows[-1:]
