"""Tokens: recipes round-trip, and no walk through allowed tokens leaves the grammar."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from cr1cc.errors import RecipeError
from cr1cc.model import vocabulary
from cr1cc.model.decoding import LENGTH, TAIL_LENGTH, Rules, State, tail, walk
from cr1cc.model.vocabulary import (
    IDS,
    PROMPT_LENGTH,
    TOKENS,
    bucket,
    decode,
    decode_for,
    decode_tail,
    encode,
    encode_tail,
    prompt,
)
from cr1cc.passes.recipe import (
    adapt,
    canonical,
    check_recipe,
    check_tail,
    fits,
    holds,
    parse_recipe,
    same,
)
from cr1cc.policy.coreset import Coreset
from cr1cc.records import Level, Metric, ModuleInfo, Recipe, Request


def request(major: int = 19, target: str = "X86", ic: int = 900) -> Request:
    info = ModuleInfo("a", "x86_64-pc-linux-gnu", ic, tuple(range(56)), 4, False)
    return Request(info, Level.OZ, major, target, 16)


def test_every_token_is_there_once() -> None:
    assert len(set(TOKENS)) == len(TOKENS) == len(IDS)
    assert len(TOKENS) < 2000


@pytest.mark.parametrize(
    ("count", "expected"), [(0, 0), (1, 1), (2, 2), (3, 2), (4, 3), (65_535, 16), (10**9, 17)]
)
def test_buckets_are_powers_of_two(count: int, expected: int) -> None:
    assert bucket(count) == expected


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (None, "failed"),
        (1500, "-320"),
        (1020, "-20"),
        (1005, "-5"),
        (1001, "worse"),
        (1000, "none"),
        (999, "1"),
        (990, "10"),
        (500, "480"),
    ],
)
def test_gains_are_told_in_thousandths_of_the_baseline(after: int | None, expected: str) -> None:
    assert TOKENS[vocabulary.gain(1000, after)] == f"gain:{expected}"


def test_of_an_empty_module_nothing_can_be_saved() -> None:
    assert TOKENS[vocabulary.gain(0, 0)] == "gain:none"


def test_prompts_have_one_length_and_say_what_the_request_says() -> None:
    first = prompt(request())
    assert len(first) == PROMPT_LENGTH
    assert "<unk>" not in [TOKENS[token] for token in first]
    others = [
        request(major=14),
        request(target="ARM"),
        replace(request(), level=Level.OS),
        replace(request(), metric=Metric.INSTRUCTIONS),
        replace(request(), info=replace(request().info, features=(1,) * 56)),
    ]
    assert len({tuple(first), *(tuple(prompt(other)) for other in others)}) == 6
    assert prompt(request(target="Sparc")) == prompt(request(target="AVR"))


def test_the_recipes_of_the_coreset_round_trip_and_can_come_out() -> None:
    rules = Rules.of(request())
    for recipe in Coreset().recipes[Metric.BYTES]:
        tokens = encode(recipe)
        assert decode(tokens) == canonical(recipe)
        assert len(tokens) == 2
        assert walk(rules, tokens)


def test_known_stages_have_a_name_that_may_be_gone_on_from() -> None:
    whole = next(r for r in Coreset().recipes[Metric.BYTES] if len(r.stages) > 1 and r.options)
    for recipe in (
        replace(whole, options=()),
        replace(whole, options=whole.options[:1]),
        replace(whole, stages=(*whole.stages, "mergefunc"), options=()),
    ):
        tokens = encode(recipe)
        assert decode(tokens) == canonical(recipe)
        assert walk(Rules.of(request()), tokens)


def test_names_mean_what_holds_for_the_llvm_that_is_asked_for() -> None:
    for recipe in Coreset().recipes[Metric.BYTES]:
        for major in (14, 23):
            tokens = vocabulary.encode_for(recipe, major, "ARM")
            assert walk(Rules.of(request(major, "ARM")), tokens)
            check_recipe(decode_for(tokens, major, "ARM"), major, "ARM")
            assert same(decode_for(tokens, major, "ARM"), adapt(recipe, major, "ARM"))


def test_what_has_a_name_is_said_only_where_all_of_it_may_be() -> None:
    """Options where bytes count, passes where the module is not too large for them."""

    def names(asked: Request) -> set[Recipe]:
        return {
            vocabulary.NAMED[token]
            for token in State(Rules.of(asked)).allowed()
            if token in vocabulary.NAMED
        }

    everything = names(request())
    plain = names(replace(request(), metric=Metric.INSTRUCTIONS))
    small = names(request(ic=1_000_000))
    assert everything == set(vocabulary.NAMED.values())
    assert plain == {recipe for recipe in everything if not recipe.options}
    assert small == {recipe for recipe in everything if fits(recipe, 1_000_000)}
    assert len(plain) < len(everything)
    assert len(small) < len(everything)


def test_what_has_no_token_is_an_error() -> None:
    for text in ("@size; no-such-pass", "@size | -no-such-option"):
        with pytest.raises(RecipeError, match="has no token"):
            encode(parse_recipe(text))
    for words in (["@size"], ["function(", "<end>"], ["@size", ";", "<end>"], ["<end>"]):
        with pytest.raises(RecipeError):
            decode([IDS[word] for word in words])


@pytest.mark.parametrize("target", ["X86", "AArch64"])
@pytest.mark.parametrize("major", [14, 16, 19, 22, 23])
@pytest.mark.parametrize("ic", [100, 1_000_000])
def test_random_walks_end_in_vetted_recipes(major: int, target: str, ic: int) -> None:
    rng = random.Random(f"{major} {target} {ic}")
    asked = request(major, target, ic)
    rules = Rules.of(asked)
    masks: dict[object, tuple[int, ...]] = {}
    seen: set[Recipe] = set()
    for number in range(200):
        # Some walks never close by themselves, some never choose an option, and so on.
        shy = {rng.choice([vocabulary.END, vocabulary.CLOSE, vocabulary.OPTION, ""])}
        state, tokens = State(rules), []
        while not state.done:
            allowed = state.allowed()
            assert allowed == tuple(sorted(set(allowed)))
            assert masks.setdefault(state.mask_key(), allowed) == allowed
            liked = [t for t in allowed if TOKENS[t] not in shy or number % 3] or list(allowed)
            tokens.append(rng.choice(liked))
            state = state.step(tokens[-1])
        assert len(tokens) <= LENGTH
        assert walk(rules, tokens)
        recipe = decode_for(tokens, major, target)
        check_recipe(recipe, major, target)
        assert fits(recipe, ic)
        seen.add(recipe)
    assert len(seen) > 100


@pytest.mark.parametrize("major", [14, 19, 23])
def test_random_walks_of_tails_end_in_vetted_pipelines(major: int) -> None:
    rng = random.Random(major)
    rules = Rules.of(request(major))
    seen: set[str] = set()
    for _ in range(150):
        state, tokens = tail(rules), []
        while not state.done:
            tokens.append(rng.choice(state.allowed()))
            state = state.step(tokens[-1])
        assert len(tokens) <= TAIL_LENGTH
        text = decode_tail(tokens)
        check_tail(text, major)
        assert encode_tail(text) == tokens
        seen.add(text)
    assert len(seen) > 100


def test_the_tails_of_the_coreset_can_come_out_but_for_rare_forms() -> None:
    spelt = 0
    for text in Coreset().tails:
        try:
            tokens = encode_tail(text)
        except RecipeError:
            continue
        state = tail(Rules.of(request(19)))
        for token in tokens:
            assert token in state.allowed(), text
            state = state.step(token)
        assert state.done
        spelt += 1
    assert spelt > len(Coreset().tails) / 2


def test_what_is_no_tail_is_an_error() -> None:
    for words in ([], ["sroa"], ["<end>"], ["loop(", "<end>"]):
        with pytest.raises(RecipeError):
            decode_tail([IDS[word] for word in words])
    with pytest.raises(RecipeError, match="has no token"):
        encode_tail("function(no-such-pass)")


def test_a_metric_of_instructions_has_no_options() -> None:
    rules = Rules.of(replace(request(), metric=Metric.INSTRUCTIONS))
    state = State(rules).step(IDS["@size"])
    assert IDS[vocabulary.OPTION] not in state.allowed()
    assert not walk(rules, encode(parse_recipe("@size | -disable-lsr")))
    assert holds(parse_recipe("@size | -disable-lsr"), 19, "X86")
