"""Conversations: one way to hold them, whatever kind of model it is held with."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cr1cc.errors import RecipeError
from cr1cc.model import vocabulary
from cr1cc.model.choices import Action
from cr1cc.model.client import ModelClient
from cr1cc.model.conversation import (
    CONVERSATIONS,
    Conversation,
    TextConversation,
    TokenConversation,
)
from cr1cc.model.question import ROOM, Sample
from cr1cc.model.text import write
from cr1cc.model.vocabulary import IDS, TOKENS, encode
from cr1cc.passes.recipe import check_recipe, parse_recipe
from cr1cc.records import Level, ModuleInfo, Recipe, Request
from cr1cc.util.remembered import stamp
from tests.foreign import foreign_model
from tests.models import random_model

ANSWER, MEASURE = (Action.ANSWER,), (Action.MEASURE,)
ALL = tuple(Action)
NOWHERE = ("", 0, 0, 0)
INFO = ModuleInfo("a", "x86_64-pc-linux-gnu", 900, tuple(range(56)), 4, False)
REQUEST = Request(INFO, Level.OZ, 19, "X86", 16)
GOOD = parse_recipe("@size; function(sroa) | -disable-lsr")


def tokens(*words: str) -> Sample:
    return Sample(tuple(IDS[word] for word in words), 0.0)


def test_one_answer_is_asked_for_in_one_turn() -> None:
    question = TokenConversation(NOWHERE, REQUEST).ask(ANSWER, 8, 0.7, "seed")
    assert question.turns == ((*vocabulary.prompt(REQUEST), IDS[vocabulary.ANSWER]),)
    assert question.room == ROOM
    assert TokenConversation(NOWHERE, REQUEST, 6).ask(ANSWER, 8, 0.7, "seed").room <= 1024


def test_tokens_tell_what_was_said_and_what_came_of_it() -> None:
    first = TokenConversation(NOWHERE, REQUEST, 3)
    sample = Sample(tuple(encode(GOOD)), 0.0)
    assert first.heard(MEASURE, sample) == (Action.MEASURE, GOOD)
    second = first.told(MEASURE, sample, 1000, 990)
    searched = tokens("<search>")
    assert second.heard(ALL, searched) == (Action.SEARCH, Recipe())
    third = second.told(ALL, searched, 1000, 900, GOOD)
    question = third.ask(ANSWER, 8, 0.7, "seed")
    assert question.turns[:1] == first.ask(MEASURE, 8, 0.7, "seed").turns
    assert question.turns[:2] == second.ask(ALL, 8, 0.7, "seed").turns
    said = [TOKENS[token] for turn in question.turns for token in turn]
    recipe = [TOKENS[token] for token in encode(GOOD)]
    assert said[vocabulary.PROMPT_LENGTH :] == [
        "<measure>", *recipe, "<result>", "gain:10",
        "<search>", "<result>", *recipe, "gain:80", "<answer>",
    ]  # fmt: skip


def test_what_has_no_words_cannot_be_told() -> None:
    long = Recipe(("@size", f"function({','.join(['sroa'] * 120)})"))
    talk = TokenConversation(NOWHERE, REQUEST, 2)
    with pytest.raises(RecipeError):
        talk.told(ALL, tokens("<search>"), 1000, 900, long)


def test_texts_tell_the_same() -> None:
    talk = TextConversation(NOWHERE, REQUEST, 2)
    said = write(Action.MEASURE, ["sroa", "-disable-lsr"])
    assert talk.heard(ALL, Sample((1,), 0.0, said)) == (Action.MEASURE, GOOD)
    searched = Sample((2,), 0.0, write(Action.SEARCH, []))
    assert talk.heard(ALL, searched) == (Action.SEARCH, Recipe())
    (one,) = talk.told(MEASURE, Sample((1,), 0.0, said), 1000, 990).exchanges
    assert said.startswith(one.begun)
    assert one.response == '<tool_response>{"improvement": 0.01}</tool_response>'
    (two,) = talk.told(ALL, searched, 1000, None, GOOD).exchanges
    assert (two.begun, '"sroa", "-disable-lsr"' in two.response) == ("<", True)


@pytest.mark.parametrize(
    ("kind", "make"), [("tokens", random_model), ("text", foreign_model)], ids=["tokens", "text"]
)
def test_a_conversation_goes_on_in_a_real_model(kind: str, make: object, tmp_path: Path) -> None:
    pytest.importorskip("llama_cpp", reason="the package llama-cpp-python is missing")
    assert callable(make)
    path = make(tmp_path / "model.gguf")
    talk: Conversation = CONVERSATIONS[kind](stamp(str(path)), REQUEST, 4)
    questions, answers = [], []
    with ModelClient(str(path), os.environ) as client:
        for actions in (MEASURE, ALL, ALL, ANSWER):
            questions.append(talk.ask(actions, 4, 0.7, f"{len(questions)}"))
            answers.append(client.sample(questions[-1]))
            action, recipe = talk.heard(actions, answers[-1][0])
            assert action in actions
            check_recipe(recipe, 19, "X86")
            found = GOOD if action is Action.SEARCH else None
            talk = talk.told(actions, answers[-1][0], 1000, 990, found)
    for question, answer in zip(questions, answers, strict=True):
        with ModelClient(str(path), os.environ) as another:
            assert another.sample(question) == answer
