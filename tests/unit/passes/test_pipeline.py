"""Nesting, random pipelines and genetic operators: valid whatever the dice say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

import pytest

from cr1cc.errors import RecipeError
from cr1cc.passes.grammar import check_pipeline, leaves, parse_pipeline
from cr1cc.passes.pipeline import (
    crossover,
    delete,
    insert,
    move,
    mutate,
    nest,
    random_pipeline,
    replace,
    swap,
)
from cr1cc.passes.recipe import check_tail
from cr1cc.passes.rows import PassLevel
from cr1cc.records import Toolchain

Accepts = Callable[[list[str]], dict[str, str]]
LEVELS = (PassLevel.MODULE, PassLevel.FUNCTION)


@pytest.mark.parametrize(
    ("passes", "text"),
    [
        ([], ""),
        (["sroa", "gvn"], "function(sroa,gvn)"),
        (["licm", "loop-rotate"], "function(loop-mssa(licm,loop-rotate))"),
        (["loop-rotate", "licm"], "function(loop-mssa(loop-rotate,licm))"),
        (["licm", "loop-unroll-full"], "function(loop-mssa(licm),loop(loop-unroll-full))"),
        (
            ["globalopt", "inline", "sroa", "licm", "function-attrs", "mergefunc", "dce"],
            "globalopt,cgscc(inline,function(sroa,loop-mssa(licm)),function-attrs),"
            "mergefunc,function(dce)",
        ),
    ],
)
def test_flat_sequences_nest(passes: list[str], text: str) -> None:
    assert nest(passes) == text
    assert not text or leaves(parse_pipeline(text)) == passes


def test_a_tail_cannot_hold_a_module_pass() -> None:
    with pytest.raises(RecipeError, match="globaldce"):
        nest(["sroa", "globaldce"], level=PassLevel.FUNCTION)


def test_a_pass_that_is_not_vetted_cannot_be_nested() -> None:
    with pytest.raises(RecipeError, match="structurizecfg"):
        nest(["structurizecfg"])


def _check(text: str, major: int, level: PassLevel) -> None:
    if text:
        check_pipeline(parse_pipeline(text), major)
        if level is PassLevel.FUNCTION:
            check_tail(text, major)


@pytest.mark.parametrize("major", range(14, 24))
@pytest.mark.parametrize("level", LEVELS, ids=lambda level: level.value)
def test_every_product_of_every_operator_passes_the_check(major: int, level: PassLevel) -> None:
    rng = Random(major)
    first, second = (random_pipeline(rng, major, 8, level) for _ in range(2))
    for _ in range(150):
        for text in (
            insert(rng, first, major, level),
            delete(rng, first),
            replace(rng, first, major, level),
            swap(rng, first, level),
            move(rng, first, level),
            crossover(rng, first, second, level),
        ):
            _check(text, major, level)
        first = mutate(rng, first, major, level) or random_pipeline(rng, major, 8, level)
        if len(leaves(parse_pipeline(first))) > 20:
            first, second = random_pipeline(rng, major, 8, level), first


def _passes(text: str) -> Counter[str]:
    return Counter(leaves(parse_pipeline(text))) if text else Counter()


def test_operators_do_what_their_names_say() -> None:
    rng = Random(5)
    for _ in range(200):
        text = random_pipeline(rng, 19, 8)
        before = _passes(text)
        assert (_passes(insert(rng, text, 19)) - before).total() == 1
        assert (before - _passes(delete(rng, text))).total() == 1
        assert (before - _passes(replace(rng, text, 19))).total() <= 1
        assert _passes(replace(rng, text, 19)).total() == 8
        assert _passes(swap(rng, text)) == before
        assert _passes(move(rng, text)) == before


def test_random_pipelines_have_their_length_and_are_decided_by_the_seed() -> None:
    one, two = (random_pipeline(Random(7), 19, 15) for _ in range(2))
    assert one == two != random_pipeline(Random(8), 19, 15)
    assert len(leaves(parse_pipeline(one))) == 15


def test_random_pipelines_for_size_hold_nothing_that_grows_code() -> None:
    rng = Random(3)
    seen = {p for _ in range(200) for p in leaves(parse_pipeline(random_pipeline(rng, 19, 8)))}
    assert not seen & {"loop-vectorize", "slp-vectorizer", "loop-unroll"}
    assert len(seen) > 50


def test_llvm_accepts_hundreds_of_random_pipelines(toolchain: Toolchain, accepts: Accepts) -> None:
    rng = Random(toolchain.major)
    texts = []
    for number in range(300):
        level = LEVELS[number % 2]
        text = random_pipeline(rng, toolchain.major, rng.randint(1, 10), level)
        for _ in range(number % 4):
            text = mutate(rng, text, toolchain.major, level) or text
        texts.append(text)
    assert accepts(texts) == {}
