"""The agent's conversations, held by a real model process with random weights."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from functools import cache, partial

import pytest

from cr1cc.model.describe import describe
from cr1cc.passes.recipe import check_recipe, format_recipe
from cr1cc.policy.agent import Agent
from cr1cc.policy.interface import Measure
from cr1cc.records import (
    Failure,
    Level,
    Metric,
    ModuleInfo,
    Proposal,
    Recipe,
    Request,
    Score,
    Turn,
)
from tests.foreign import foreign_model
from tests.models import random_model

# Of this seed, because its model calls the search in some of the conversations below.
MODELS = (random_model, partial(foreign_model, seed=4))


BUDGET = 48  # enough for a search


def request(fingerprint: str, budget: int = BUDGET, metric: Metric = Metric.BYTES) -> Request:
    features = tuple(hashlib.blake2b(fingerprint.encode(), digest_size=56).digest())
    info = ModuleInfo(fingerprint, "x86_64-pc-linux-gnu", 900, features, 4, False)
    return Request(info, Level.OZ, 19, "X86", budget, metric)


@cache
def score(recipe: Recipe) -> Score | Failure:
    """As good as any: some fail, plain -Oz has 1000 bytes."""
    if recipe == Recipe(("@size",)):
        return Score(500, 1000)
    number = int.from_bytes(hashlib.blake2b(format_recipe(recipe).encode()).digest()[:2], "big")
    return Failure.CRASHED if number % 9 == 0 else Score(400 + number % 200, 900 + number % 200)


class Meter:
    """Counts as a compile's meter does: the baseline is known, nothing counts twice."""

    def __init__(self) -> None:
        self.seen: dict[Recipe, None] = {}

    def measure(self, recipes: Sequence[Recipe]) -> list[Score | Failure]:
        self.seen.update(dict.fromkeys(r for r in recipes if r != Recipe(("@size",))))
        return [score(recipe) for recipe in recipes]


@pytest.fixture(scope="module", params=MODELS, ids=["tokens", "text"])
def agent(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Agent:
    folder = tmp_path_factory.mktemp("model")
    path = request.param(folder / "model.gguf")
    facts = describe(str(path), cache_dir=str(folder), environ=os.environ)
    assert not facts.problem
    return Agent(facts, os.environ)


@pytest.fixture(scope="module")
def talks(agent: Agent) -> list[tuple[Meter, Proposal]]:
    found = []
    for number in range(10):
        meter = Meter()
        found.append((meter, agent.propose(request(f"m{number}"), meter.measure)))
    return found


def actions(proposal: Proposal) -> list[str]:
    return [turn.action for turn in proposal.trace]


def test_conversations_begin_with_a_measurement_and_end_with_the_answer(
    talks: list[tuple[Meter, Proposal]],
) -> None:
    for _, proposal in talks:
        said = actions(proposal)
        assert said[0] == Turn.MEASURED
        assert said.index(Turn.ANSWERED) == len(said) - 1
        assert said.count(Turn.SEARCHED) <= 1
        assert said.count(Turn.MEASURED) <= 16
    assert {word for _, proposal in talks for word in actions(proposal)} == {
        Turn.MEASURED, Turn.SEARCHED, Turn.ANSWERED
    }  # fmt: skip


def test_results_in_the_trace_are_those_of_the_tool(talks: list[tuple[Meter, Proposal]]) -> None:
    for _, proposal in talks:
        for turn in proposal.trace:
            result = score(turn.recipe)
            assert turn.before == 1000
            if turn.action == Turn.ANSWERED and turn.after is None:
                continue  # said without having been measured
            assert turn.after == (result.loadable if isinstance(result, Score) else None)


def test_no_recipe_is_measured_twice_by_turns(talks: list[tuple[Meter, Proposal]]) -> None:
    for _, proposal in talks:
        measured = [turn.recipe for turn in proposal.trace if turn.action == Turn.MEASURED]
        assert len(set(measured)) == len(measured)


def test_the_budget_is_kept_and_the_best_of_all_comes_first(
    talks: list[tuple[Meter, Proposal]],
) -> None:
    for meter, proposal in talks:
        assert len(meter.seen) <= BUDGET
        sizes = [result.loadable for r in proposal.recipes if isinstance(result := score(r), Score)]
        assert sizes == sorted(sizes)
        assert len(sizes) == len(proposal.recipes)
        for recipe in proposal.recipes:
            check_recipe(recipe, 19, "X86")
        assert proposal.tails


@pytest.mark.parametrize("budget", [0, 1, 2])
def test_small_budgets_are_kept(agent: Agent, budget: int) -> None:
    meter = Meter()
    proposal = agent.propose(request("small", budget), meter.measure)
    assert len(meter.seen) <= budget
    assert bool(proposal.trace) == bool(budget)


def test_equal_requests_get_equal_proposals(
    agent: Agent, talks: list[tuple[Meter, Proposal]]
) -> None:
    assert agent.propose(request("m3"), Meter().measure) == talks[3][1]


def test_instructions_are_told_apart_by_passes_alone(agent: Agent) -> None:
    proposal = agent.propose(request("ic", metric=Metric.INSTRUCTIONS), Meter().measure)
    assert proposal.recipes
    assert not any(turn.recipe.options for turn in proposal.trace)
    assert all(turn.before == 500 for turn in proposal.trace)


def test_without_a_baseline_nothing_is_said(agent: Agent) -> None:
    refuse: Measure = lambda recipes: [Failure.CRASHED] * len(recipes)  # noqa: E731
    proposal = agent.propose(request("broken"), refuse)
    assert (proposal.recipes, proposal.trace) == ((), ())
