"""The order of the coreset follows the labels."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cr1cc.errors import UserError
from cr1cc.passes.coreset import known
from cr1cc.passes.recipe import format_recipe
from cr1cc.records import Metric
from cr1cc.train.label import log_of
from cr1cc.train.order import order
from tests.unit.train.test_trajectories import ROW

TEXTS = ["@size; mergefunc", "@size; iroutliner", "@size; dse", "@size; globalopt"]


@pytest.fixture
def coreset(tmp_path: Path) -> Path:
    path = tmp_path / "coreset.json"
    part = {"recipes": TEXTS, "compiler": "a clang"}
    data = {"bytes": part, "instructions": part, "tails": ["function(dce)"]}
    path.write_text(json.dumps(data))
    return path


def write(folder: Path, *values: list[int | None]) -> None:
    """The rows of modules on which these recipes, in order, leave so many of 1000 bytes."""
    lines = []
    for sizes in values:
        pairs = list(zip(TEXTS, sizes, strict=False))
        good = [[text, size] for text, size in pairs if size is not None and size < 1000]
        row = {**ROW, "recipes": good, "others": [list(p) for p in pairs if list(p) not in good]}
        lines.append(json.dumps({"key": str(len(lines)), "row": row}) + "\n")
    log_of(folder, Metric.BYTES, held_out=False).write_text("".join(lines))


def test_the_first_is_best_alone_and_the_next_adds_most(tmp_path: Path, coreset: Path) -> None:
    before = json.loads(coreset.read_text())
    write(
        tmp_path, [990, 900, 905, 1000], [990, 900, 905, 1010], [700, 950, 940, None],
        [500, 500, 500],  # does not know them all
    )  # fmt: skip
    count, means = order(tmp_path, Metric.BYTES, coreset)
    assert count == 3
    found = json.loads(coreset.read_text())
    assert found["bytes"]["recipes"] == [TEXTS[0], TEXTS[1], TEXTS[2], TEXTS[3]]
    assert means == pytest.approx((0.32 / 3, 0.5 / 3))
    assert found["bytes"]["mean_gain_by_size"] == pytest.approx([0.10667, 0.16667])
    write(tmp_path, [999, 900, 905, 1000], [999, 900, 905, 1010], [990, 950, 840, None])
    order(tmp_path, Metric.BYTES, coreset)
    found = json.loads(coreset.read_text())
    assert found["bytes"]["recipes"] == [TEXTS[2], TEXTS[1], TEXTS[0], TEXTS[3]]
    assert (found["instructions"], found["tails"]) == (before["instructions"], before["tails"])
    read = known(str(coreset)).recipes[Metric.BYTES]
    assert [format_recipe(recipe) for recipe in read] == found["bytes"]["recipes"]


def test_labels_of_other_recipes_say_nothing(tmp_path: Path, coreset: Path) -> None:
    write(tmp_path, [900, 900])
    with pytest.raises(UserError, match="no label knows"):
        order(tmp_path, Metric.BYTES, coreset)
