"""Recipes as text, checks of recipes and tails, adaptation, pruning."""

from __future__ import annotations

from random import Random

import pytest

from cr1cc.errors import RecipeError
from cr1cc.passes.attributes import ATTRIBUTES, goes_with
from cr1cc.passes.macros import MACROS, expand, is_macro
from cr1cc.passes.options import options_for
from cr1cc.passes.pipeline import random_pipeline
from cr1cc.passes.prune import minimise, prune, reduce
from cr1cc.passes.recipe import (
    adapt,
    canonical,
    check_recipe,
    check_tail,
    fits,
    format_recipe,
    parse_recipe,
    same,
    stages_run,
)
from cr1cc.records import Level, Recipe

EXAMPLE = (
    "@size; function(simplifycfg<keep-loops;sink-common-insts>,gvn); module(mergefunc)"
    " | -disable-lsr -enable-misched=false"
)


@pytest.mark.parametrize("text", ["", "@size", "| -disable-lsr", EXAMPLE])
def test_recipe_text_round_trips(text: str) -> None:
    assert format_recipe(parse_recipe(text)) == text


def test_random_recipes_round_trip() -> None:
    rng = Random(1)
    options = [row.text for row in options_for(19, "X86")]
    for _ in range(200):
        stages = tuple(
            rng.choice(("@size", random_pipeline(rng, 19, 5))) for _ in range(rng.randint(0, 4))
        )
        recipe = Recipe(stages, tuple(rng.sample(options, rng.randint(0, 3))))
        assert parse_recipe(format_recipe(recipe)) == recipe


@pytest.mark.parametrize(
    "text",
    ["@nothing", "@size;", "; @size", "@size |", "@size | disable-lsr", "@size | a | -b", "sroa<"],
)
def test_malformed_recipes_are_refused(text: str) -> None:
    with pytest.raises(RecipeError):
        parse_recipe(text)


@pytest.mark.parametrize(
    ("text", "offender"),
    [
        ("@size; structurizecfg", "structurizecfg is refused"),
        ("@size; default<Oz>", "default"),
        ("function(sroa)", "begins with a macro"),
        ("@size | -global-isel=1", "-global-isel=1 is refused"),
        ("@size | -load=evil.so", "-load=evil.so is not"),
        ("@size | -pre-RA-sched=source -pre-RA-sched=list-burr", "conflicts"),
        ("; ".join(["@size"] * 17), "too long"),
    ],
)
def test_the_check_of_a_recipe_names_the_offender(text: str, offender: str) -> None:
    with pytest.raises(RecipeError, match=offender):
        check_recipe(parse_recipe(text), 19, "X86")


def test_an_option_for_another_target_is_refused() -> None:
    rows = [row for row in options_for(19, "X86") if row.targets]
    for row in rows:
        with pytest.raises(RecipeError):
            check_recipe(Recipe(("@size",), (row.text,)), 19, "NoSuchTarget")
    check_recipe(parse_recipe(EXAMPLE), 19, "X86")


@pytest.mark.parametrize(
    "text", ["sroa", "function(sroa),function(dce)", "cgscc(inline)", "@size", ""]
)
def test_only_one_function_pipeline_is_a_tail(text: str) -> None:
    with pytest.raises(RecipeError):
        check_tail(text, 19)


@pytest.mark.parametrize("name", [row.name for row in ATTRIBUTES])
def test_an_attribute_is_a_tail_and_a_stage_but_no_beginning(name: str) -> None:
    check_tail(name, 19)
    recipe = parse_recipe(f"@size; {name} | -disable-lsr")
    check_recipe(recipe, 19, "X86")
    assert parse_recipe(format_recipe(recipe)) == recipe == canonical(recipe)
    assert adapt(recipe, 14, "X86") == recipe
    with pytest.raises(RecipeError, match="begins with a macro"):
        check_recipe(parse_recipe(name), 19, "X86")


def test_no_attribute_is_tried_against_the_users_own_option() -> None:
    assert goes_with("@frame", ("-g", "-fno-omit-frame-pointer"))
    assert not goes_with("@frame", ("-fPIC", "-fomit-frame-pointer"))
    assert goes_with("function(sroa)", ("-fomit-frame-pointer",))


@pytest.mark.parametrize(
    ("text", "added"),
    [
        ("@size; function(gvn)", ()),
        ("@start; function(tailcallelim,sroa)", ()),
        ("@start; function(sroa)", ("function(tailcallelim)",)),
        ("@start; @frame", ("function(tailcallelim)",)),
    ],
)
def test_recursion_that_the_baseline_makes_a_loop_becomes_one(
    text: str, added: tuple[str, ...]
) -> None:
    recipe = parse_recipe(text)
    assert stages_run(recipe) == (*recipe.stages, *added)


def test_recipes_that_act_alike_are_the_same() -> None:
    first = parse_recipe("function(sroa),function(gvn<>); mergefunc | -disable-lsr -regalloc=basic")
    second = parse_recipe("function(sroa,gvn); module(mergefunc) | -regalloc=basic -disable-lsr")
    assert same(first, second)
    assert canonical(canonical(first)) == canonical(first)
    assert not same(first, parse_recipe("mergefunc; function(sroa,gvn) | -disable-lsr"))


def test_adapting_drops_what_does_not_hold_and_nothing_else() -> None:
    recipe = parse_recipe(
        "@size; function(move-auto-init,gvn<no-pre;no-load-pre>,sroa<modify-cfg>); strip"
        " | -global-isel -disable-lsr"
    )
    assert format_recipe(adapt(recipe, 14, "X86")) == (
        "@size; function(gvn<no-pre;no-load-pre>,sroa) | -disable-lsr"
    )
    assert "gvn<no-load-pre>" in format_recipe(adapt(recipe, 23, "X86"))
    vetted = parse_recipe(EXAMPLE)
    assert adapt(vetted, 19, "X86") == vetted


def test_instcombine_may_not_verify_its_fixpoint_where_that_can_end_the_process() -> None:
    bare = parse_recipe("@start; function(instcombine)")
    check_recipe(bare, 14, "X86")
    with pytest.raises(RecipeError, match="no-verify-fixpoint"):
        check_recipe(bare, 19, "X86")
    adapted = adapt(bare, 19, "X86")
    assert format_recipe(adapted) == "@start; function(instcombine<no-verify-fixpoint>)"
    assert adapt(adapted, 16, "X86") == bare


def test_adapted_recipes_always_pass_the_check() -> None:
    rng = Random(2)
    for _ in range(100):
        recipe = Recipe(("@size", random_pipeline(rng, 22, 8, size_only=False)))
        for major in (14, 16, 19, 23):
            check_recipe(adapt(recipe, major, "AArch64"), major, "AArch64")


def test_the_size_macro_follows_version_and_level() -> None:
    assert expand("@size", 19, Level.OZ) == "default<Oz>"
    assert expand("@size", 14, Level.OS) == "default<Os>"
    assert expand("@size", 23, Level.OZ) == "default<O2>"
    assert expand("function(sroa)", 19, Level.OZ) == "function(sroa)"
    assert all(map(is_macro, MACROS))
    assert not is_macro("@other")


def test_pruning_drops_all_that_does_nothing_and_counts_evaluations() -> None:
    recipe = parse_recipe(
        "@size; function(adce,gvn,dce,sroa); globaldce | -disable-lsr -regalloc=basic"
    )
    calls: list[Recipe] = []

    def token(candidate: Recipe) -> tuple[bool, ...]:
        calls.append(candidate)
        text = format_recipe(candidate)
        return tuple(word in text for word in ("@size", "gvn", "-disable-lsr"))

    result = prune(recipe, token)
    assert format_recipe(result.recipe) == "@size; function(gvn) | -disable-lsr"
    assert result.evaluations == len(calls)
    assert len(set(calls)) == len(calls)
    assert prune(recipe, token) == result


def test_pruning_never_keeps_a_failure_and_leaves_a_failing_recipe_alone() -> None:
    recipe = parse_recipe("@size; function(sroa)")
    assert prune(recipe, lambda r: None).recipe == recipe
    kept = prune(recipe, lambda r: 1 if "@size" in r.stages else None).recipe
    assert kept == parse_recipe("@size")


def test_pruning_stops_at_its_budget() -> None:
    recipe = Recipe(("@start", random_pipeline(Random(1), 19, 30)))
    result = prune(recipe, lambda r: 1, budget=3)
    assert result.evaluations <= 3


def test_minimising_keeps_what_helps_and_takes_improvements() -> None:
    recipe = parse_recipe("@size; function(gvn,sink,sroa,dce)")

    def score(candidate: Recipe) -> int:
        text = format_recipe(candidate)
        return 100 - 10 * ("@size" in text) - 5 * ("sroa" in text) + 3 * ("sink" in text)

    result = minimise(recipe, score)
    assert format_recipe(result.recipe) == "@size; function(sroa)"
    assert minimise(recipe, lambda r: None).recipe == recipe


def test_reducing_finds_the_guilty_pair() -> None:
    recipe = Recipe(
        ("@size", "function(adce,gvn,dce,sroa,instcombine,sink,dse)"), ("-disable-lsr",)
    )

    def fails(candidate: Recipe) -> bool:
        text = format_recipe(candidate)
        return "gvn" in text and "sink" in text

    assert format_recipe(reduce(recipe, fails).recipe) == "function(gvn,sink)"


@pytest.mark.parametrize(
    ("text", "fitting"),
    [
        ("@size; iroutliner; @size", False),
        ("@size; module(iroutliner),function(dce)", False),
        ("@size; function(dce) | -disable-lsr", True),
        ("@size", True),
    ],
)
def test_what_needs_too_much_memory_does_not_fit_a_huge_module(text: str, fitting: bool) -> None:
    recipe = parse_recipe(text)
    assert fits(recipe, 10_000)
    assert fits(recipe, 100_001) is fitting
