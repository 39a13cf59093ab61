"""Whatever a model says, what is sampled is well formed, repeatable and in order."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import pytest

from cr1cc.model import vocabulary
from cr1cc.model.decoding import Rules, State, tail, turn
from cr1cc.model.question import Sample
from cr1cc.model.vocabulary import IDS, TOKENS, decode, decode_for, decode_tail
from cr1cc.passes.recipe import check_recipe, check_tail, fits
from cr1cc.passes.rows import NEWEST, OLDEST
from cr1cc.records import Level, Metric, ModuleInfo, Request

np = pytest.importorskip("numpy", reason="the package numpy is missing")
sampling = pytest.importorskip("cr1cc.model.sampling")


class Fake:
    """Logits made from what a row has said so far."""

    def __init__(self, value: float | None = None, liked: str = "") -> None:
        self.said: dict[int, tuple[int, ...]] = {}
        self.value = value
        self.liked = liked

    def logits(self, said: tuple[int, ...] = ()) -> object:
        if self.value is not None:
            return np.full(len(TOKENS), self.value, np.float32)
        seed = int.from_bytes(hashlib.blake2b(repr(said).encode(), digest_size=8).digest())
        found = np.random.Generator(np.random.PCG64(seed)).normal(0, 3, len(TOKENS))
        if self.liked:
            found[IDS[self.liked]] += 20
        return found.astype(np.float32)

    def branch(self) -> None:
        self.said = {}

    def step(self, rows: Sequence[int], tokens: Sequence[int]) -> object:
        for row, token in zip(rows, tokens, strict=True):
            self.said[row] = (*self.said.get(row, ()), token)
        return np.stack([self.logits(self.said[row]) for row in rows])


def request(major: int = 19, metric: Metric = Metric.BYTES, ic: int = 100) -> Request:
    info = ModuleInfo("a1", "x86_64-pc-linux-gnu", ic, (1,) * 56, 4, False)
    return Request(info, Level.OZ, major, "X86", 8, metric)


def sampled(
    asked: Request, fake: Fake, rows: int = 16, heat: float = 0.7, seed: str = "s"
) -> list[Sample]:
    start = State(Rules.of(asked))
    found: list[Sample] = sampling.sample(fake, fake.logits(), start, rows, heat, seed)
    return found


@pytest.mark.parametrize("metric", Metric)
@pytest.mark.parametrize("major", range(OLDEST, NEWEST + 1))
def test_every_sample_is_a_vetted_recipe(major: int, metric: Metric) -> None:
    for ic in (100, 1_000_000):
        asked = request(major, metric, ic)
        found = sampled(asked, Fake(), rows=24, heat=1.5)
        assert len(found) > 4
        for one in found:
            recipe = decode_for(one.tokens, major, "X86")
            check_recipe(recipe, major, "X86")
            assert fits(recipe, ic)
            assert recipe == asked.suited(recipe)


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf"), float("-inf"), 3e38])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_model_that_says_nonsense_gives_recipes_all_the_same(value: float) -> None:
    for one in sampled(request(), Fake(value)):
        check_recipe(decode(one.tokens), 19, "X86")


@pytest.mark.parametrize("liked", ["<pad>", vocabulary.CLOSE, vocabulary.OPTION, vocabulary.END])
def test_a_model_that_insists_on_a_token_gets_it_where_it_may_stand(liked: str) -> None:
    for one in sampled(request(), Fake(liked=liked)):
        check_recipe(decode(one.tokens), 19, "X86")


def test_equal_questions_get_equal_answers_and_seeds_matter() -> None:
    first = sampled(request(), Fake())
    assert sampled(request(), Fake()) == first
    other = sampled(request(), Fake(), seed="t")
    assert {one.tokens for one in other} != {one.tokens for one in first}


def test_a_row_does_not_depend_on_how_many_there_are() -> None:
    few = {one.tokens for one in sampled(request(), Fake(), rows=4)}
    many = {one.tokens for one in sampled(request(), Fake(), rows=16)}
    assert few < many


def test_the_first_row_is_greedy_and_the_order_is_by_probability() -> None:
    (greedy,) = sampled(request(), Fake(), rows=1)
    assert [greedy] == sampled(request(), Fake(), rows=5, heat=0)
    found = sampled(request(), Fake(), rows=16)
    assert greedy in found
    assert [one.logarithm for one in found] == sorted((o.logarithm for o in found), reverse=True)
    assert len({one.tokens for one in found}) == len(found)


def test_the_logarithm_is_that_of_the_probability_among_allowed_tokens() -> None:
    fake = Fake()
    for one in sampled(request(), fake, rows=4):
        state, expected = State(Rules.of(request())), 0.0
        for count, token in enumerate(one.tokens):
            logits = fake.logits(one.tokens[:count]).astype(float)
            weights = {t: np.exp(logits[t]) for t in state.allowed()}
            expected += np.log(weights[token] / sum(weights.values()))
            state = state.step(token)
        assert state.done
        assert one.logarithm == pytest.approx(expected)


def test_rows_that_stand_apart_begin_with_the_most_probable_tokens() -> None:
    fake = Fake()
    start = State(Rules.of(request()))
    found = sampling.sample(fake, fake.logits(), start, 12, 0.7, "s", apart=True)
    allowed = sorted(start.allowed(), key=lambda token: -float(fake.logits()[token]))
    assert {one.tokens[0] for one in found} == set(allowed[:12])
    again = sampling.sample(fake, fake.logits(), start, 12, 0.7, "t", apart=True)
    assert again == found  # nothing is drawn
    every = sampling.sample(fake, fake.logits(), start, len(allowed) + 4, 0.7, "s", apart=True)
    assert {one.tokens[0] for one in every} == set(allowed)


def test_a_turn_begins_with_its_action() -> None:
    fake = Fake()
    rules = Rules.of(replace(request()))
    start = turn(rules, vocabulary.MEASURE, vocabulary.SEARCH, vocabulary.ANSWER)
    actions = set()
    for one in sampling.sample(fake, fake.logits(), start, 16, 2.0, "s"):
        action = TOKENS[one.tokens[0]]
        actions.add(action)
        if action == vocabulary.SEARCH:
            assert len(one.tokens) == 1
        else:
            check_recipe(decode(one.tokens[1:]), 19, "X86")
    assert len(actions) > 1


def test_a_penalty_makes_repetition_rarer() -> None:
    def repeated(penalty: float) -> int:
        fake = Fake(liked="sroa")
        start = tail(Rules.of(request()))
        found = sampling.sample(fake, fake.logits(), start, 16, 1.0, "s", penalty)
        for one in found:
            check_tail(decode_tail(one.tokens), 19)
        return sum(one.tokens.count(IDS["sroa"]) for one in found)

    assert repeated(1000.0) < repeated(1.0)
    fake = Fake()
    plain = sampled(request(), fake)
    start = State(Rules.of(request()))
    assert sampling.sample(fake, fake.logits(), start, 16, 0.7, "s", 1.0) == plain
