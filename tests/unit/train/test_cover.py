"""Covers take what complements, and cheap recipes before dear ones."""

from __future__ import annotations

import pytest

from cr1cc.train.cover import cover_recipes, cover_tails


def test_recipes_complement_each_other() -> None:
    texts = ["@size | -disable-lsr", "@size | -disable-cgp", "@size | -disable-machine-cse"]
    rows = [
        {"bytes": 100, "sizes": [90, 91, 100]},
        {"bytes": 100, "sizes": [90, 91, 100]},
        {"bytes": 100, "sizes": [100, 100, 95]},
    ]
    chosen, means, totals = cover_recipes(texts, rows, 3)
    assert chosen == [texts[0], texts[2]]  # the second one adds nothing to the first
    assert means == pytest.approx((20 / 300, 25 / 300))
    assert totals == pytest.approx((20 / 300, 25 / 300))


def test_of_equal_recipes_the_cheaper_one_is_taken() -> None:
    texts = ["@size; @size; mergefunc", "@size | -disable-lsr"]
    assert cover_recipes(texts, [{"bytes": 10, "sizes": [8, 8]}], 2)[0] == [texts[1]]


def test_sharing_the_same_ir_makes_a_recipe_cheaper() -> None:
    texts = [
        "@size; mergefunc",
        "@size; globalopt | -disable-lsr",
        "@size; mergefunc | -disable-cgp",
    ]
    rows = [
        {"bytes": 1000, "sizes": [900, 1000, 1000]},
        {"bytes": 1000, "sizes": [1000, 989, 990]},
    ]
    assert cover_recipes(texts, rows, 2)[0] == [texts[0], texts[2]]


def test_nothing_that_gains_nothing_is_taken() -> None:
    assert cover_recipes(["@size; mergefunc"], [{"bytes": 10, "sizes": [10]}], 4) == ([], (), ())


def test_tails_complement_each_other() -> None:
    rows = [{"functions": [[10, 8, 9, 10], [10, 9, 9, 10]]}, {"functions": [[20, 20, 20, 19]]}, {}]
    assert cover_tails(["a", "b", "c"], rows, 3) == ["a", "c"]
