"""The search: walks, offspring that holds, budgets, and finding what there is to find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from cr1cc.errors import ToolchainError
from cr1cc.passes.macros import START
from cr1cc.passes.recipe import check_recipe, fits, format_recipe
from cr1cc.policy.breeding import Breeder
from cr1cc.policy.search import find_best_pass_sequence
from cr1cc.policy.synergy import Graph, graph
from cr1cc.records import Failure, Level, Metric, ModuleInfo, Recipe, Request, Score


def request(
    budget: int = 300,
    major: int = 19,
    metric: Metric = Metric.BYTES,
    ic: int = 100,
    name: str = "a",
) -> Request:
    info = ModuleInfo(name, "x86_64-pc-linux-gnu", ic, (1,) * 56, 4, False)
    return Request(info, Level.OZ, major, "X86", budget, metric)


class Hidden:
    """Recipes are the better the more of some passes they have, in any order, and the shorter."""

    wanted = ("mergefunc", "gvn<no-pre", "-disable-lsr")

    def __init__(self) -> None:
        self.asked: list[Recipe] = []

    def __call__(self, recipes: Sequence[Recipe]) -> list[Score | Failure]:
        self.asked += recipes
        return [self.score(recipe) for recipe in recipes]

    def score(self, recipe: Recipe) -> Score | Failure:
        text = format_recipe(recipe)
        if "loop-sink" in text:
            return Failure.CRASHED
        found = sum(word in text for word in self.wanted)
        return Score(1000 - 20 * found, 5000 - 100 * found)


@pytest.mark.parametrize("major", [14, 16, 19, 22, 23])
def test_walks_are_vetted_pipelines_that_follow_the_graph(major: int) -> None:
    rng = Random(1)
    for length in (1, 2, 12):
        for _ in range(20):
            check_recipe(Recipe((START, graph().walk(rng, major, length))), major, "X86")
    chain = Graph({"sroa": 1.0}, {"sroa": {"gvn": 1.0}, "gvn": {"dse": 0.5}})
    walks = [chain.walk(rng, major, 3) for _ in range(200)]
    assert walks.count("function(sroa,gvn,dse)") > 100


@pytest.mark.parametrize("text", [None, "", "[]", '{"alone": 1}', '{"alone": {}, "edges": []}'])
def test_a_damaged_graph_is_one_clear_error(text: str | None, tmp_path: Path) -> None:
    path = tmp_path / "synergy.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ToolchainError, match="no synergy graph"):
        graph(str(path))


@pytest.mark.parametrize("metric", Metric)
@pytest.mark.parametrize("major", [14, 19, 23])
@pytest.mark.parametrize("ic", [100, 1_000_000])
def test_offspring_is_vetted_and_keeps_its_macro_in_front(
    major: int, metric: Metric, ic: int
) -> None:
    asked = request(major=major, metric=metric, ic=ic)
    breeder = Breeder(asked, Random(3))
    population = [*breeder.standards(), *breeder.strangers(40)]
    assert len(population) > 20
    for _ in range(300):
        child = breeder.child(breeder.rng.choice(population), breeder.rng.choice(population))
        check_recipe(child, major, "X86")
        assert fits(child, ic)
        assert metric is Metric.BYTES or not child.options
        population.append(child)
    assert len(set(population)) > 200


@pytest.mark.parametrize("budget", [1, 7, 40, 300])
def test_the_budget_is_kept_and_nothing_is_measured_twice(budget: int) -> None:
    hidden = Hidden()
    find_best_pass_sequence(request(budget), hidden)
    assert len(hidden.asked) == len(set(hidden.asked)) <= budget


def test_it_finds_what_there_is_and_drops_what_is_of_no_use() -> None:
    hidden = Hidden()
    best = find_best_pass_sequence(request(1500), hidden)[0]
    assert hidden.score(best) == Score(940, 4700)
    assert len(format_recipe(best)) < 120


def test_seeds_come_first_and_equal_requests_get_equal_answers() -> None:
    seed = Recipe(("@size", "mergefunc"), ("-disable-lsr",))
    hidden = Hidden()
    first = find_best_pass_sequence(request(60), hidden, [seed])
    assert hidden.asked[1] == seed
    assert find_best_pass_sequence(request(60), Hidden(), [seed]) == first
    other = Hidden()
    find_best_pass_sequence(request(60, name="b"), other, [seed])
    assert other.asked != hidden.asked


def test_where_everything_fails_there_is_no_answer() -> None:
    failing = lambda recipes: [Failure.CRASHED] * len(recipes)  # noqa: E731
    assert find_best_pass_sequence(request(30), failing) == ()
    huge = replace(request(30), info=replace(request().info, ic=10**7))
    assert all(
        "iroutliner" not in format_recipe(r) for r in find_best_pass_sequence(huge, Hidden())
    )
