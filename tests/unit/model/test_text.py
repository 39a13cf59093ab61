"""The text protocol: no walk through allowed pieces leaves it, whatever the vocabulary is."""

from __future__ import annotations

import json
import random
import string
from dataclasses import replace

import pytest

from cr1cc.errors import ModelError
from cr1cc.model import dialogue
from cr1cc.model.choices import Action
from cr1cc.model.decoding import Rules
from cr1cc.model.text import (
    LENGTH,
    MOST_ITEMS,
    OPENINGS,
    Pieces,
    Spelling,
    TextState,
    read,
    recipe_of,
    write,
)
from cr1cc.passes.options import OPTIONS
from cr1cc.passes.recipe import check_recipe, fits, parse_recipe
from cr1cc.records import Level, Metric, ModuleInfo, Recipe, Request

ALL = tuple(Action)
ANSWER = (Action.ANSWER,)
CHARACTERS = [character.encode() for character in string.printable]
COMMON = [
    b"<answer", b'["', b'"]', b'", "', b'",', b' "', b"</", b"inst", b"combine", b"loop",
    b"-disable",
    b"simplify", b"cfg", b"gvn", b"sroa", b'sroa"', b'sroa", "licm', b'"]</answer>\n', b"licm",
]  # fmt: skip


def vocabulary(*more: bytes) -> Pieces:
    return Pieces(enumerate([*CHARACTERS, *more]))


def request(major: int = 19, metric: Metric = Metric.BYTES, ic: int = 900) -> Request:
    info = ModuleInfo("a", "x86_64-pc-linux-gnu", ic, tuple(range(56)), 4, False)
    return Request(info, Level.OZ, major, "X86", 16, metric)


def parsed(text: str) -> tuple[str, list[str]]:
    """Name and items of a text, read as anybody would."""
    if text.startswith("<answer>"):
        return "answer", json.loads(text.removeprefix("<answer>").removesuffix("</answer>"))
    call = json.loads(text.removeprefix("<tool_call>").removesuffix("</tool_call>"))
    return call["name"], call["arguments"].get("optimization_flags", [])


def spell(state: TextState, text: str) -> TextState:
    """Say a text in single characters. Raises ValueError where one is not allowed."""
    for character in text:
        token = state.pieces.tokens[character.encode()]
        if token not in state.allowed():
            raise ValueError(f"{character} cannot follow {state.typed!r}")
        state = state.step(token)
    return state


@pytest.mark.parametrize("more", [(), COMMON], ids=["characters", "pieces"])
@pytest.mark.parametrize("metric", list(Metric))
@pytest.mark.parametrize(("major", "ic"), [(14, 900), (19, 900), (19, 1_000_000), (23, 900)])
def test_random_walks_end_in_vetted_recipes(
    major: int, ic: int, metric: Metric, more: list[bytes]
) -> None:
    rng = random.Random(f"{major} {ic} {metric} {len(more)}")
    asked = request(major, metric, ic)
    rules, words = Rules.of(asked), vocabulary(*more)
    masks: dict[object, tuple[int, ...]] = {}
    seen: set[Recipe] = set()
    for number in range(40):
        actions = rng.choice([ALL, ANSWER, (Action.MEASURE, Action.SEARCH)])
        state, count = Spelling(rules, actions).start(words), 0
        begun = state.spelling.begun
        while not state.done:
            allowed = state.allowed()
            assert allowed
            assert allowed == tuple(sorted(set(allowed)))
            assert masks.setdefault(state.mask_key(), allowed) == allowed
            # Some walks go on as long as they may.
            comma = words.tokens[b","]
            token = comma if number % 2 and comma in allowed else rng.choice(allowed)
            state, count = state.step(token), count + 1
        assert state.allowed() == ()
        assert count <= LENGTH
        assert state.said.startswith(begun)
        action, items = read(state.said)
        assert action in actions
        assert parsed(state.said) == (action.value, list(items))
        assert len(items) <= MOST_ITEMS
        assert write(action, items) == state.said
        if action is not Action.SEARCH:
            assert items
            recipe = recipe_of(items)
            check_recipe(recipe, major, "X86")
            assert fits(recipe, ic)
            assert metric is Metric.BYTES or not recipe.options
            seen.add(recipe)
    assert len(seen) > 15


def test_a_token_is_a_beginning_of_what_may_come_and_ends_with_the_segment() -> None:
    words = vocabulary(*COMMON)
    state = Spelling(Rules.of(request()), ANSWER).start(words)
    for piece, allowed in (
        (b"sroa", True), (b'sroa"', True), (b"s", True), (b"inst", True), (b"-disable", True),
        (b'sroa", "licm', False), (b"combine", False), (b"x", False), (b'"', False),
    ):  # fmt: skip
        assert (words.tokens[piece] in state.allowed()) == allowed, piece
    state = state.step(words.tokens[b"sroa"])
    assert words.tokens[b'"]'] in state.allowed()
    assert words.tokens[b'"]</answer>\n'] not in state.allowed()
    state = state.step(words.tokens[b'", "'])
    assert state.items == ("sroa",)
    assert spell(state, 'licm"]</answer>').said == '<answer>["sroa", "licm"]</answer>'


def test_items_are_those_that_the_tables_allow() -> None:
    words = vocabulary()
    start = Spelling(Rules.of(request()), ANSWER).start(words)
    for text in ("structurizecfg", "loop-unroll", "newgvn", "strip", "-enable-ipra", "", "@size"):
        with pytest.raises(ValueError, match="cannot follow"):
            spell(start, f'{text}"')
    once = spell(start, '-disable-lsr", "')
    for text in ("-disable-lsr", "-lsr-insns-cost=false"):  # another one of the same group
        with pytest.raises(ValueError, match="cannot follow"):
            spell(once, f'{text}"')
    assert spell(spell(start, 'sroa", "'), 'sroa"]</answer>').done
    for rules in (Rules.of(request(metric=Metric.INSTRUCTIONS)), Rules.of(request())):
        dash = words.tokens[b"-"]
        assert (dash in Spelling(rules, ANSWER).start(words).allowed()) == (
            rules.metric is Metric.BYTES
        )


def test_what_all_actions_have_in_common_is_begun_already() -> None:
    rules = Rules.of(request())
    assert Spelling(rules, ALL).begun == "<"
    assert Spelling(rules, (Action.MEASURE, Action.SEARCH)).begun == '<tool_call>{"name": "'
    assert Spelling(rules, ANSWER).begun == '<answer>["'
    search = Spelling(rules, (Action.SEARCH,)).start(vocabulary())
    assert search.done
    assert search.said == OPENINGS[Action.SEARCH]


@pytest.mark.parametrize("missing", ["<", '"', "z", "0", "=", " "])
def test_a_vocabulary_without_a_character_is_refused(missing: str) -> None:
    words = Pieces(enumerate(c for c in [*CHARACTERS, *COMMON] if c != missing.encode()))
    with pytest.raises(ModelError, match=f"its vocabulary cannot spell '{missing}'"):
        Spelling(Rules.of(request()), ANSWER).start(words)


def test_the_first_of_equal_pieces_counts() -> None:
    words = Pieces([(7, b"a"), (9, b"a"), (11, b"ab")])
    assert words.heads(b"abc") == {7, 11}
    assert words.pieces == {7: b"a", 11: b"ab"}


def test_texts_of_others_are_no_protocol() -> None:
    for text in ("", "<answer>", "<answer>[]", '<think>"]</answer>'):
        with pytest.raises(ModelError, match="not of the protocol"):
            read(text)


def test_recipes_stand_behind_the_standard_pipeline() -> None:
    assert recipe_of(["sroa", "-disable-lsr", "licm", "-aggressive-ext-opt"]) == parse_recipe(
        "@size; function(sroa,loop-mssa(licm)) | -aggressive-ext-opt -disable-lsr"
    )
    assert recipe_of(["-disable-lsr"]) == parse_recipe("@size | -disable-lsr")


def test_the_prompt_says_what_the_request_says() -> None:
    first = dialogue.user(request())
    features = json.loads(first.splitlines()[-1])
    assert len(features) == 56
    assert features["BBNumArgsLo"] == 1
    assert "900 instructions" in first
    others = [
        request(14),
        request(metric=Metric.INSTRUCTIONS),
        request(ic=901),
        replace(request(), target="ARM"),
        replace(request(), level=Level.OS),
    ]
    assert len({first, *map(dialogue.user, others)}) == 6
    assert "code generation" in dialogue.system(request())
    assert "code generation" not in dialogue.system(request(metric=Metric.INSTRUCTIONS))
    for line in dialogue.system(request()).splitlines():
        if line.startswith("<"):
            _, items = read(line)
            check_recipe(recipe_of(items), 19, "X86")


def test_responses_are_json_within_their_tags() -> None:
    def told(*arguments: object) -> object:
        text = dialogue.response(*arguments)  # type: ignore[arg-type]
        return json.loads(text.removeprefix("<tool_response>").removesuffix("</tool_response>"))

    assert told(1000, 950) == {"improvement": 0.05}
    assert told(1000, 1001) == {"improvement": -0.001}
    assert told(0, 0) == {"improvement": 0.0}
    assert told(1000, None) == {"error": "this list cannot be used"}
    found = parse_recipe("@size; function(sroa,loop(indvars)) | -disable-lsr")
    items = ["sroa", "indvars", "-disable-lsr"]
    assert told(1000, 900, found) == {"optimization_flags": items, "improvement": 0.1}


def test_names_need_no_escape_in_json() -> None:
    assert all(json.dumps(row.text) == f'"{row.text}"' for row in OPTIONS)
