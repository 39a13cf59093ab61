"""Every proposer: deterministic, within its budget, and only with what is vetted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from cr1cc.errors import RecipeError, ToolchainError, UserError
from cr1cc.passes.recipe import (
    canonical,
    check_recipe,
    check_tail,
    fits,
    format_recipe,
    parse_recipe,
)
from cr1cc.passes.rows import NEWEST, OLDEST
from cr1cc.policy import coreset
from cr1cc.policy.proposers import PROPOSERS, proposer_named
from cr1cc.records import Failure, Level, ModuleInfo, Recipe, Request, Score

MAJORS = (14, 16, 19, 22, 23)
SIZE = Recipe(("@size",))


def request(budget: int, major: int = 19, target: str = "X86", print_: str = "a1") -> Request:
    info = ModuleInfo(print_, "x86_64-pc-linux-gnu", 100, (1,) * 56, 4, False)
    return Request(info, Level.OZ, major, target, budget)


HUGE = 200_000  # instructions


class Bench:
    """Scores made from the text of a recipe; it remembers what was asked."""

    def __init__(self, failing: bool = False) -> None:
        self.asked: list[Recipe] = []
        self.failing = failing

    def __call__(self, recipes: Sequence[Recipe]) -> list[Score | Failure]:
        self.asked += recipes
        return [self.score(recipe) for recipe in recipes]

    def score(self, recipe: Recipe) -> Score | Failure:
        digest = hashlib.blake2b(format_recipe(recipe).encode()).digest()
        if self.failing or (digest[0] < 20 and recipe != SIZE):
            return Failure.CRASHED
        return Score(100 + digest[1], 1000 + digest[2])


@pytest.mark.parametrize("name", PROPOSERS)
@pytest.mark.parametrize("target", ["X86", "AArch64"])
@pytest.mark.parametrize("major", MAJORS)
def test_proposals_hold_for_the_compiler_and_repeat(name: str, target: str, major: int) -> None:
    asked = request(24, major, target)
    first, second = Bench(), Bench()
    proposal = proposer_named(name).propose(asked, first)
    assert proposer_named(name).propose(asked, second) == proposal
    assert first.asked == second.asked
    for recipe in (*proposal.recipes, *first.asked):
        check_recipe(recipe, major, target)
    for tail in proposal.tails:
        check_tail(tail, major)


@pytest.mark.parametrize("name", PROPOSERS)
def test_a_huge_module_gets_all_of_its_budget_and_only_what_fits(name: str) -> None:
    asked = request(40)
    asked = replace(asked, info=replace(asked.info, ic=HUGE))
    bench = Bench()
    proposal = proposer_named(name).propose(asked, bench)
    assert all(fits(recipe, HUGE) for recipe in (*proposal.recipes, *bench.asked))
    if name in ("coreset", "random"):
        assert len(proposal.recipes) == asked.budget


@pytest.mark.parametrize("name", PROPOSERS)
@pytest.mark.parametrize("budget", [0, 1, 2, 7, 33, 80])
def test_no_proposer_spends_more_than_its_budget(name: str, budget: int) -> None:
    bench = Bench()
    proposal = proposer_named(name).propose(request(budget), bench)
    assert len({*bench.asked, *proposal.recipes}) <= budget
    assert len(bench.asked) == len(set(bench.asked))


@pytest.mark.parametrize("name", ["random", "search"])
def test_other_modules_get_other_proposals(name: str) -> None:
    proposals = [proposer_named(name).propose(request(24, print_=p), Bench()) for p in ("a", "b")]
    assert proposals[0] != proposals[1]


@pytest.mark.parametrize("print_", [f"{number:x}" for number in range(12)])
def test_search_ends_no_worse_than_the_baseline(print_: str) -> None:
    bench = Bench()
    best = proposer_named("search").propose(request(60, print_=print_), bench).recipes[0]
    end, start = bench.score(best), bench.score(SIZE)
    assert isinstance(end, Score)
    assert isinstance(start, Score)
    assert (end.loadable, end.ic) <= (start.loadable, start.ic)


def test_search_survives_a_module_on_which_everything_fails() -> None:
    assert proposer_named("search").propose(request(60), Bench(failing=True)).recipes == ()


def test_the_baseline_proposes_nothing() -> None:
    bench = Bench()
    assert proposer_named("baseline").propose(request(9), bench).recipes == ()
    assert not bench.asked


def test_an_unknown_proposer_is_the_users_error() -> None:
    with pytest.raises(UserError, match="coreset"):
        proposer_named("oracle")


def test_the_shipped_coreset_is_canonical_and_without_repetition() -> None:
    with open(coreset.DATA, "rb") as file:
        data = json.load(file)
    recipes, tails = data["recipes"], data["tails"]
    assert recipes
    assert tails
    assert len(set(recipes)) == len(recipes)
    assert len(set(tails)) == len(tails)
    for text in recipes:
        assert format_recipe(canonical(parse_recipe(text))) == text


def test_everything_in_the_shipped_coreset_holds_somewhere() -> None:
    def holds(text: str, major: int, *, tail: bool) -> bool:
        try:
            if tail:
                check_tail(text, major)
            else:
                check_recipe(parse_recipe(text), major, "X86")
        except RecipeError:
            return False
        return True

    with open(coreset.DATA, "rb") as file:
        data = json.load(file)
    for key, tail in (("recipes", False), ("tails", True)):
        for text in data[key]:
            majors = range(OLDEST, NEWEST + 1)
            assert any(holds(text, major, tail=tail) for major in majors), text


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"recipes": ["("], "tails": []}', "\0"])
def test_a_damaged_coreset_is_one_clear_error(text: str, tmp_path_factory) -> None:
    path = tmp_path_factory.mktemp("data") / "coreset.json"
    path.write_text(text)
    with pytest.raises(ToolchainError, match="no coreset"):
        coreset.Coreset(str(path))
