"""What the model is taught: real results, and to say its own words only."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from cr1cc.model import vocabulary
from cr1cc.model.decoding import Rules, walk
from cr1cc.model.vocabulary import END, IDS, PROMPT_LENGTH, TOKENS, decode
from cr1cc.passes.recipe import format_recipe, parse_recipe
from cr1cc.policy.coreset import Coreset
from cr1cc.records import Metric
from cr1cc.train.trajectories import Branch, Example, Lesson, example, split

GOOD = [
    ["@size; function(sroa,early-cse<memssa>) | -disable-lsr", 880],
    ["@size; mergefunc", 900],
    ["@size | -enable-misched=false", 990],
]
OTHERS = [["@size; @size", 1000], ["@size; iroutliner", 1100], ["@size; globalopt", None]]
ROW: dict[str, Any] = {
    "package": "bc", "module": "bc/a.bc", "metric": "bytes", "triple": "x86_64-pc-linux-gnu",
    "major": 19, "ic": 700, "features": list(range(56)), "opcodes": {"26 28": 3, "1 2": 1},
    "base": 1000, "recipes": GOOD, "others": OTHERS,
}  # fmt: skip


def lesson(**changes: object) -> Lesson:
    row = {**ROW, **changes}
    return Lesson.of(row, tuple(row["features"]))


def told(count: int = 400) -> list[Example]:
    return [example(lesson(), 4, Random(seed)) for seed in range(count)]


def words(branch: Branch) -> list[str]:
    return [TOKENS[token] for token in branch.tokens]


def test_a_module_without_anything_better_has_nothing_good() -> None:
    found = lesson(recipes=[], others=[["@size; @size", 1000], ["@size; dse", 1001]])
    assert found.good == ()
    assert set(found.values.values()) == {1000, 1001}


def test_examples_repeat_and_differ_by_their_seed() -> None:
    assert told(5) == told(5)
    assert example(lesson(), 4, Random(1)) != example(lesson(), 4, Random(2))


def test_tails_are_told_where_there_are_some() -> None:
    tails = [["function(sroa,gvn)", 12], ["function(sink)", 4], ["function(dce)", 0]]
    said = [
        words(branch)
        for seed in range(200)
        for branch in example(lesson(tails=tails), 4, Random(seed)).branches
        if words(branch)[0] == "<tail>"
    ]
    assert {" ".join(one[1:]) for one in said} >= {"sroa gvn <end>", "sink <end>"}
    assert not any("dce" in one for one in said)
    assert not any(words(branch)[0] == "<tail>" for one in told() for branch in one.branches)
    with_tails = example(lesson(tails=tails), 64, Random(1))
    assert {len(branch.tokens) == len(branch.learnt) for branch in with_tails.branches} == {True}


def test_all_four_kinds_are_told() -> None:
    kinds = {
        tuple(word for word in words(branch) if word in ("<measure>", "<search>", "<answer>"))
        for one in told()
        for branch in one.branches
    }
    assert kinds == {
        ("<answer>",),
        ("<measure>", "<answer>"),
        ("<measure>", "<measure>", "<answer>"),
        ("<measure>", "<search>", "<answer>"),
    }


def test_prompts_say_the_features_but_for_a_few_near_ones() -> None:
    exact = vocabulary.prompt(lesson().request)[5:]
    for one in told():
        assert len(one.prompt) == PROMPT_LENGTH
        pairs = zip(one.prompt[5:], exact, strict=True)
        off = [abs(said - true) for said, true in pairs if said != true]
        assert set(off) <= {1}
        assert len(off) < 28


def test_results_are_those_of_the_labels() -> None:
    """A tool's answer follows the recipe that it is about, and says what was measured."""
    values = {parse_recipe(text).stages: value for text, value in (*GOOD, *OTHERS)}
    for one in told():
        for branch in one.branches:
            for at, word in enumerate(words(branch)):
                if not word.startswith("gain:"):
                    continue
                before = words(branch)[:at]
                if before[-1] == "<result>":
                    begin = max(i for i, w in enumerate(before) if w == "<measure>") + 1
                    end = max(i for i, w in enumerate(before) if w == END) + 1
                else:  # of the search: the recipe stands behind <result>
                    begin = max(i for i, w in enumerate(before) if w == "<result>") + 1
                    end = at
                recipe = decode(branch.tokens[begin:end])
                if recipe.stages in values:  # else adapted to another LLVM
                    assert branch.tokens[at] == vocabulary.gain(1000, values[recipe.stages])


def test_only_the_models_own_words_are_learnt() -> None:
    bad = {parse_recipe(str(text)).stages for text, _ in OTHERS}
    for one in told():
        for branch in one.branches:
            said = [w for w, learnt in zip(words(branch), branch.learnt, strict=True) if learnt]
            assert not [w for w in said if w == "<result>" or w.startswith("gain:")]
            answer = words(branch).index("<answer>")
            assert all(branch.learnt[answer:])
            assert decode(branch.tokens[answer + 1 :]).stages not in bad


def test_answers_can_come_out_of_masked_decoding() -> None:
    for one in told():
        major = int(TOKENS[one.prompt[3]].partition(":")[2])
        target = TOKENS[one.prompt[4]].partition(":")[2]
        rules = Rules(major, target, frozenset(), Metric.BYTES)
        for branch in one.branches:
            answer = branch.tokens.index(IDS["<answer>"])
            assert walk(rules, branch.tokens[answer + 1 :])


def test_better_recipes_are_told_more_often() -> None:
    texts = [" ".join(words(branch)) for one in told(200) for branch in one.branches]
    counts = [sum(mark in text for text in texts) for mark in ("sroa", "mergefunc", "misched")]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 1.5 * counts[1]


@pytest.mark.parametrize("metric", list(Metric))
def test_the_prompt_names_the_metric(metric: Metric) -> None:
    one = example(lesson(metric=metric.value), 1, Random(1))
    assert f"metric:{metric.value}" in [TOKENS[token] for token in one.prompt]


def test_packages_are_split_whole() -> None:
    lessons = [lesson(package=name) for name in ("bc", "sed", "bc", "gzip")]
    learning, others = split(lessons, ("sed", "gzip"))
    assert {one.package for one in learning} == {"bc"}
    assert {one.package for one in others} == {"sed", "gzip"}


CORESET = [format_recipe(recipe) for recipe in Coreset().recipes[Metric.BYTES]]


def walker() -> Lesson:
    """All of the coreset was measured; the sixth is best, the second one fails."""
    values = [990 - number % 7 for number in range(len(CORESET))]
    measured: list[list[object]] = [list(pair) for pair in zip(CORESET, values, strict=True)]
    measured[5][1], measured[1][1] = 900, None
    return lesson(recipes=[measured[5]], others=[one for one in measured if one is not measured[5]])


def test_in_a_walk_it_is_learnt_what_adds_to_the_best_before() -> None:
    one = walker()
    names = list(one.named)
    assert len(names) == len(CORESET)
    lengths = set()
    for seed in range(60):
        for branch in example(one, 4, Random(seed)).branches:
            if not branch.adds:
                continue
            lengths.add(len(branch.adds))
            best, seen = 0.0, set()
            for place, adds in branch.adds.items():
                assert words(branch)[place - 1] == "<measure>"
                assert not seen & set(adds)
                for token, added in adds.items():
                    assert added == pytest.approx(max(one.named[token] - best, 0))
                assert adds[branch.better[place]] > 0
                assert branch.tokens[place + 3] == one.gain_of(branch.tokens[place])
                seen.add(branch.tokens[place])
                best = max(best, one.named[branch.tokens[place]])
            if "<answer>" in words(branch):
                said = words(branch).index("<answer>") + 1
                assert one.named[branch.tokens[said]] == best
                assert branch.learnt[said - 1] == (best == one.named[names[5]])
    assert len(lengths) > 4


def test_without_the_values_of_the_coreset_no_walk_is_told() -> None:
    assert not any(branch.adds for one in told(50) for branch in one.branches)
