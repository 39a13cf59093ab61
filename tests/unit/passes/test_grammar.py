"""Pipeline text: parsed, printed, normalised, checked."""

from __future__ import annotations

import pytest

from cr1cc.errors import RecipeError
from cr1cc.passes.grammar import (
    MAX_TEXT,
    check_pipeline,
    format_pipeline,
    keep,
    leaves,
    normalise,
    parse_pipeline,
)

TEXTS = [
    "globaldce",
    "function(sroa)",
    "function<eager-inv>(sroa<modify-cfg>,early-cse<>)",
    "cgscc(devirt<4>(inline,function(loop-mssa(licm<allowspeculation>),gvn<>)))",
    "module(function(simplifycfg<bonus-inst-threshold=1;no-keep-loops;>,adce)),mergefunc",
]


@pytest.mark.parametrize("text", TEXTS)
def test_text_round_trips_exactly(text: str) -> None:
    assert format_pipeline(parse_pipeline(text)) == text


@pytest.mark.parametrize("text", TEXTS)
def test_vetted_text_passes_the_check_for_llvm_19(text: str) -> None:
    check_pipeline(parse_pipeline(text), 19)


_MALFORMED = [
    *("", ",", "sroa,", "function(", "function()", "function(sroa))", "gvn<", "gvn<a", "gvn<a>>"),
    *("a b", "(sroa)", "-sroa", "sroa;gvn", "é", "function(" * 100 + "sroa" + ")" * 100),
    "a" * (MAX_TEXT + 1),
]


@pytest.mark.parametrize("text", _MALFORMED)
def test_malformed_text_is_a_recipe_error(text: str) -> None:
    with pytest.raises(RecipeError):
        parse_pipeline(text)


@pytest.mark.parametrize(
    ("text", "major", "offender"),
    [
        ("function(newgvn)", 19, "newgvn"),
        ("strip", 19, "strip"),
        ("no-such-pass", 19, "no-such-pass"),
        ("sroa", 19, "sroa"),
        ("function(globaldce)", 19, "globaldce"),
        ("function(loop(licm))", 19, "licm"),
        ("function(loop-mssa(loop-unroll-full))", 19, "loop-unroll-full"),
        ("function(cgscc(inline))", 19, "cgscc"),
        ("loop(indvars)", 19, "loop"),
        ("function(sroa(dce))", 19, "sroa"),
        ("function(move-auto-init)", 14, "move-auto-init"),
        ("function(mergereturn)", 23, "mergereturn"),
        ("function(sroa<preserve-cfg>)", 14, "preserve-cfg"),
        ("function(gvn<no-pre>)", 23, "no-pre"),
        ("function(instcombine<verify-fixpoint>)", 19, "verify-fixpoint"),
        ("function(simplifycfg<bonus-inst-threshold=999999>)", 19, "bonus-inst-threshold"),
        ("function(simplifycfg<bonus-inst-threshold>)", 19, "bonus-inst-threshold"),
        ("function(function-simplification)", 19, "function-simplification"),
        ("cgscc(devirt(inline))", 19, "devirt"),
        ("cgscc(devirt<99>(inline))", 19, "devirt"),
        ("function<no-rerun>(sroa)", 19, "function"),
    ],
)
def test_the_check_names_the_offender(text: str, major: int, offender: str) -> None:
    with pytest.raises(RecipeError, match=offender):
        check_pipeline(parse_pipeline(text), major)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("function(sroa),function(gvn)", "function(sroa,gvn)"),
        ("module(function(sroa)),function(gvn)", "function(sroa,gvn)"),
        ("module(module(globaldce))", "globaldce"),
        ("function(sroa,function(gvn))", "function(sroa,gvn)"),
        ("function(gvn<>,simplifycfg<keep-loops;>)", "function(gvn,simplifycfg<keep-loops>)"),
        ("function(sroa),function<eager-inv>(gvn)", "function(sroa),function<eager-inv>(gvn)"),
        ("cgscc(inline),cgscc(argpromotion)", "cgscc(inline),cgscc(argpromotion)"),
        ("function(loop(indvars),loop(loop-rotate))", "function(loop(indvars),loop(loop-rotate))"),
    ],
)
def test_normalising_merges_what_acts_alike(text: str, normal: str) -> None:
    once = normalise(parse_pipeline(text))
    assert format_pipeline(once) == normal
    assert normalise(once) == once


def test_keeping_leaves_drops_managers_left_empty() -> None:
    tree = parse_pipeline("globaldce,cgscc(inline,function(sroa,loop(indvars))),function(gvn)")
    assert leaves(tree) == ["globaldce", "inline", "sroa", "indvars", "gvn"]
    assert format_pipeline(keep(tree, lambda i: i in (1, 2))) == "cgscc(inline,function(sroa))"
    assert keep(tree, lambda i: False) == ()
