"""A budget in evaluations, and results that cannot stand in for the baseline."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from cr1cc.evaluate.meter import Meter
from cr1cc.records import Failure, Recipe, Score, Toolchain
from tests.unit.evaluate.conftest import MakeEvaluator, bitcode_of

SIZE = Recipe(("@size",))
UNTOUCHED = Recipe()
# Only the optimiser knows that nothing is called.
CALLS = """int outside(int);
static int never(void) { return 0; }
int f(int x) { return never() ? outside(x) : x; }
"""


def test_each_recipe_costs_once_and_nothing_beyond_the_budget(evaluator: MakeEvaluator) -> None:
    with evaluator() as fresh:
        meter = Meter(fresh, 2)
        first = meter.measure([SIZE, SIZE])
        assert first[0] is first[1]
        assert meter.spent == 1
        assert meter.measure([UNTOUCHED, Recipe(("@O2",))])[1] is Failure.REJECTED
        assert meter.measure([SIZE]) == first[:1]


def test_an_object_that_needs_another_symbol_has_failed(
    evaluator: MakeEvaluator, toolchain: Toolchain, tmp_path: Path
) -> None:
    with evaluator(bitcode=bitcode_of(toolchain, CALLS, tmp_path)) as fresh:
        size, untouched = fresh.measure([SIZE, UNTOUCHED])
        assert isinstance(size, Score)
        assert isinstance(untouched, Score)
        assert (size.needs, untouched.needs) == (set(), {"outside"})
        assert size.links_like(untouched)
        meter = Meter(fresh, 9)
        meter.against(size, 0)
        assert meter.measure([UNTOUCHED, SIZE]) == [Failure.SYMBOLS, size]
        meter = Meter(fresh, 9)
        meter.against(dataclasses.replace(untouched, exports="others"), 0)
        assert meter.measure([UNTOUCHED]) == [Failure.SYMBOLS]


def test_more_instructions_than_the_ceiling_are_not_emitted(evaluator: MakeEvaluator) -> None:
    with evaluator() as fresh:
        meter = Meter(fresh, 9)
        (base,) = meter.measure([SIZE])
        assert isinstance(base, Score)
        meter.against(base, base.ic)
        assert meter.measure([Recipe()]) == [Failure.REJECTED]
        assert meter.measure([SIZE]) == [base]
