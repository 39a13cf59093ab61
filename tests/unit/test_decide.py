"""From measurements to a decision, by hand."""

from __future__ import annotations

from cr1cc.decide import affordable, best_tails, function_changes, promising
from cr1cc.records import Failure, FunctionChange, Recipe, Score

A, B, C, D = (Recipe((name,)) for name in "abcd")


def test_smaller_recipes_are_ranked_by_bytes_then_instructions_then_order() -> None:
    results = [Score(9, 80), Score(8, 80), Score(9, 70), Score(8, 80)]
    assert promising(Score(10, 100), [A, B, C, D], results) == [C, B, D, A]


def test_equal_larger_failed_and_unemitted_recipes_do_not_count() -> None:
    results = [Score(5, 100), Score(5, 101), Failure.CRASHED, Score(5)]
    assert promising(Score(10, 100), [A, B, C, D], results) == []


def test_a_recipe_that_changes_what_is_defined_does_not_count() -> None:
    base = Score(5, 100, exports="f g")
    results = [Score(5, 70, exports="f"), Score(5, 90, exports="f g")]
    assert promising(base, [A, B], results) == [B]


def test_a_base_without_an_object_promises_nothing() -> None:
    assert promising(Score(10), [A], [Score(1, 1)]) == []


def test_every_function_gets_its_own_best_tail() -> None:
    base = {"f": 10, "g": 20, "h": 30}
    sizes = [{"f": 9, "g": 21, "h": 30}, {"f": 8, "g": 20, "h": 29}]
    assert best_tails(base, ["t", "u"], sizes) == {"f": ("u", 8), "g": ("", 20), "h": ("u", 29)}


def test_of_equal_tails_the_first_is_taken() -> None:
    assert best_tails({"f": 10}, ["t", "u"], [{"f": 8}, {"f": 8}]) == {"f": ("t", 8)}


def test_failed_tails_and_functions_that_disappear_are_left_alone() -> None:
    sizes = [Failure.TIMED_OUT, {}, {"new": 1}]
    assert best_tails({"f": 10}, ["t", "u", "v"], sizes) == {"f": ("", 10)}


def test_changes_name_every_function_of_both_objects() -> None:
    changes = function_changes({"f": 10, "g": 5}, {"f": 8, "o": 3}, {"f": "t"}, {"f": "store"})
    assert changes == (
        FunctionChange("f", 10, 8, "t", "store"),
        FunctionChange("g", 5, 0),
        FunctionChange("o", 0, 3),
    )


def test_a_very_large_module_gets_a_part_of_the_budget() -> None:
    assert affordable(8, 0, 3) == 8
    assert affordable(8, 60_000, 3) == 8
    assert affordable(8, 120_000, 3) == 4
    assert affordable(8, 10_000_000, 3) == 3
    assert affordable(2, 10_000_000, 3) == 2
    assert affordable(0, 10, 3) == 0
