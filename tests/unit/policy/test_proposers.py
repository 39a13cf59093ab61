"""Every proposer: deterministic, within its budget, and only with what is vetted."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from cr1cc.config import Config
from cr1cc.errors import ModelError, RecipeError, ToolchainError, UserError
from cr1cc.passes.recipe import (
    canonical,
    check_recipe,
    check_tail,
    fits,
    format_recipe,
    parse_recipe,
)
from cr1cc.passes.rows import NEWEST, OLDEST
from cr1cc.policy import coreset, model_, proposers
from cr1cc.policy.interface import Proposer
from cr1cc.policy.proposers import PROPOSERS, Circumstances
from cr1cc.records import Failure, Level, Metric, ModuleInfo, Recipe, Request, Score
from tests.models import random_model

MAJORS = (14, 16, 19, 22, 23)
SIZE = Recipe(("@size",))
Named = Callable[[str], Proposer]


def request(budget: int, major: int = 19, target: str = "X86", print_: str = "a1") -> Request:
    info = ModuleInfo(print_, "x86_64-pc-linux-gnu", 100, (1,) * 56, 4, False)
    return Request(info, Level.OZ, major, target, budget)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """With a model, should one be asked for."""
    folder = tmp_path_factory.mktemp("model")
    path = folder / "random.gguf"
    if importlib.util.find_spec("llama_cpp"):
        random_model(path)
    return Config(model=str(path), cache_dir=str(folder))


@pytest.fixture
def named(config: Config) -> Named:
    def found(name: str) -> Proposer:
        if name in ("agent", "model"):
            pytest.importorskip("llama_cpp", reason="the package llama-cpp-python is missing")
        return proposers.proposer_named(name, Circumstances(config, os.environ))

    return found


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
def test_proposals_hold_for_the_compiler_and_repeat(
    named: Named, name: str, target: str, major: int
) -> None:
    asked = request(24, major, target)
    first, second = Bench(), Bench()
    proposal = named(name).propose(asked, first)
    assert named(name).propose(asked, second) == proposal
    assert first.asked == second.asked
    for recipe in (*proposal.recipes, *first.asked):
        check_recipe(recipe, major, target)
    for tail in proposal.tails:
        check_tail(tail, major)


@pytest.mark.parametrize("name", PROPOSERS)
def test_a_huge_module_gets_all_of_its_budget_and_only_what_fits(named: Named, name: str) -> None:
    asked = request(40)
    asked = replace(asked, info=replace(asked.info, ic=HUGE))
    bench = Bench()
    proposal = named(name).propose(asked, bench)
    assert all(fits(recipe, HUGE) for recipe in (*proposal.recipes, *bench.asked))
    if name in ("coreset", "model", "random"):
        assert len(proposal.recipes) == asked.budget


@pytest.mark.parametrize("name", PROPOSERS)
@pytest.mark.parametrize("budget", [0, 1, 2, 7, 33, 80])
def test_no_proposer_spends_more_than_its_budget(named: Named, name: str, budget: int) -> None:
    bench = Bench()
    proposal = named(name).propose(request(budget), bench)
    assert len({*bench.asked, *proposal.recipes} - {SIZE}) <= budget
    assert len(bench.asked) == len(set(bench.asked))


@pytest.mark.parametrize("name", ["random", "search"])
def test_other_modules_get_other_proposals(named: Named, name: str) -> None:
    proposals = [named(name).propose(request(60, print_=p), Bench()) for p in ("a", "b")]
    assert proposals[0] != proposals[1]


@pytest.mark.parametrize("print_", [f"{number:x}" for number in range(12)])
def test_search_ends_no_worse_than_the_baseline(named: Named, print_: str) -> None:
    bench = Bench()
    best = named("search").propose(request(60, print_=print_), bench).recipes[0]
    end, start = bench.score(best), bench.score(SIZE)
    assert isinstance(end, Score)
    assert isinstance(start, Score)
    assert (end.loadable, end.ic) <= (start.loadable, start.ic)


def test_search_survives_a_module_on_which_everything_fails(named: Named) -> None:
    assert named("search").propose(request(60), Bench(failing=True)).recipes == ()


def test_the_baseline_proposes_nothing(named: Named) -> None:
    bench = Bench()
    assert named("baseline").propose(request(9), bench).recipes == ()
    assert not bench.asked


def test_an_unknown_proposer_is_the_users_error(named: Named) -> None:
    with pytest.raises(UserError, match="coreset"):
        named("oracle")


def test_the_shipped_coreset_is_canonical_and_without_repetition() -> None:
    with open(coreset.DATA, "rb") as file:
        data = json.load(file)
    tails = data["tails"]
    assert tails
    assert len(set(tails)) == len(tails)
    for metric in Metric:
        recipes = data[metric.value]["recipes"]
        assert len(set(recipes)) == len(recipes) > 0
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
    lists = [(data[metric.value]["recipes"], False) for metric in Metric]
    for texts, tail in (*lists, (data["tails"], True)):
        for text in texts:
            majors = range(OLDEST, NEWEST + 1)
            assert any(holds(text, major, tail=tail) for major in majors), text


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"recipes": ["("], "tails": []}', "\0"])
def test_a_damaged_coreset_is_one_clear_error(text: str, tmp_path_factory) -> None:
    path = tmp_path_factory.mktemp("data") / "coreset.json"
    path.write_text(text)
    with pytest.raises(ToolchainError, match="no coreset"):
        coreset.Coreset(str(path))


def test_the_coreset_comes_first_and_fills_up_what_the_model_does_not_say(
    named: Named, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = named("coreset").propose(request(16), Bench())
    coreset_ = tuple(map(canonical, known.recipes))
    said = [parse_recipe("@size; function(sroa)"), parse_recipe("@size; function(sroa,sroa)")]
    sampled = ([*said, coreset_[1], said[0]], ["function(sink)", known.tails[0]])
    monkeypatch.setattr(model_.Model, "_sampled", lambda *_: sampled)
    proposal = named("model").propose(replace(request(16), tails=4), Bench())
    between = tuple(map(canonical, said))
    assert proposal.recipes == (*coreset_[:8], *between, *coreset_[8:14])
    assert proposal.tails == (*known.tails[:2], "function(sink)", *known.tails[2:])


@pytest.mark.parametrize(("budget", "wanted"), [(2, 1), (3, 2), (4, 2), (8, 4), (16, 8)])
def test_half_of_the_budget_is_the_models(
    named: Named, monkeypatch: pytest.MonkeyPatch, budget: int, wanted: int
) -> None:
    asked = []
    monkeypatch.setattr(
        model_.Model, "_sampled", lambda _self, _r, *wanted: asked.append(wanted) or ([], [])
    )
    named("model").propose(replace(request(budget), tails=budget), Bench())
    assert asked == [(wanted, budget // 2)]


@pytest.mark.parametrize("tails", [0, 1, 2, 5])
def test_the_model_proposes_vetted_tails(named: Named, tails: int) -> None:
    known = named("coreset").propose(request(4), Bench()).tails
    proposal = named("model").propose(replace(request(4), tails=tails), Bench())
    for text in proposal.tails:
        check_tail(text, 19)
    own = [text for text in proposal.tails[:tails] if text not in known]
    assert len(own) <= tails // 2
    assert bool(own) == (tails > 1)


def test_a_model_names_all_that_its_proposals_depend_on(named: Named, config: Config) -> None:
    version, machine = named("model").version, named("model").machine
    path = os.path.join(config.cache_dir, "other.gguf")
    random_model(Path(path), seed=2)
    other = proposers.proposer_named("model", Circumstances(config._replace(model=path), {}))
    assert other.version != version
    assert other.machine == machine
    assert "llama-cpp-python " in machine
    assert "llama-cpp-python " not in version
    assert named("coreset").version in version


def test_a_model_that_cannot_be_used_is_an_error(config: Config) -> None:
    circumstances = Circumstances(config._replace(model="/nowhere/model.gguf"), os.environ)
    with pytest.raises(ModelError, match="No such file"):
        proposers.proposer_named("model", circumstances)
