"""Foreign models in llama.cpp: vocabularies, forms of conversations, samples, turns."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cr1cc.errors import ModelError
from cr1cc.model import dialogue
from cr1cc.model.choices import Action
from cr1cc.model.client import ModelClient
from cr1cc.model.decoding import Rules
from cr1cc.model.question import Exchange, Sample, TextQuestion
from cr1cc.model.text import Pieces, Spelling, read, recipe_of
from cr1cc.passes.recipe import check_recipe
from cr1cc.records import Level, Metric, ModuleInfo, Request
from cr1cc.util.remembered import stamp
from tests.foreign import CONTROL, foreign_model

pytest.importorskip("llama_cpp", reason="the package llama-cpp-python is missing")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return foreign_model(tmp_path_factory.mktemp("model") / "foreign.gguf")


@pytest.fixture(scope="module")
def client(model: Path) -> Iterator[ModelClient]:
    with ModelClient(str(model), os.environ) as client:
        yield client


def question(
    model: Path,
    *actions: Action,
    major: int = 19,
    metric: Metric = Metric.BYTES,
    rows: int = 6,
    questions: int = 1,
    seed: str = "seed",
) -> TextQuestion:
    info = ModuleInfo("a", "x86_64-pc-linux-gnu", 900, tuple(range(56)), 4, False)
    request = Request(info, Level.OZ, major, "X86", 16, metric)
    return TextQuestion(
        model=stamp(str(model)),
        system=dialogue.system(request),
        user=dialogue.user(request),
        exchanges=(),
        spelling=Spelling(Rules.of(request), actions or (Action.ANSWER,)),
        rows=rows,
        questions=questions,
        temperature=1.5,
        seed=seed,
    )


@pytest.mark.parametrize("metric", list(Metric))
@pytest.mark.parametrize("major", [14, 19, 23])
def test_samples_are_recipes(client: ModelClient, model: Path, major: int, metric: Metric) -> None:
    asked = question(model, *Action, major=major, metric=metric, rows=12)
    samples = client.sample(asked)
    assert len({sample.text for sample in samples}) == len(samples) > 3
    assert sorted(-s.logarithm for s in samples) == [-s.logarithm for s in samples]
    for sample in samples:
        action, items = read(sample.text)
        if action is not Action.SEARCH:
            check_recipe(recipe_of(items), major, "X86")


def test_equal_questions_get_equal_answers(client: ModelClient, model: Path) -> None:
    asked = question(model)
    first = client.sample(asked)
    assert client.sample(question(model, seed="another")) != first
    assert client.sample(asked) == first
    with ModelClient(str(model), os.environ) as another:
        assert another.sample(asked) == first
    # Nothing but the beginning and what is drawn decides a row.
    assert {s.text for s in client.sample(replace(asked, rows=2))} <= {s.text for s in first}


def test_a_model_without_a_template_is_asked_in_a_plain_form(tmp_path: Path) -> None:
    texts = []
    for name, template in (("plain", None), ("unknown", "{{ messages[0] }}")):
        path = foreign_model(tmp_path / f"{name}.gguf", template=template)
        with ModelClient(str(path), os.environ) as client:
            texts.append([sample.text for sample in client.sample(question(path))])
    assert texts[0] == texts[1] != []


class Fake:
    """Words for which a character is a token; keeps what was asked of it."""

    context = 1 << 20
    beginning = (1,)
    pieces = Pieces((code, bytes((code,))) for code in range(256))

    def __init__(self, form: str = "<{role}>{content}</>") -> None:
        self.form = form

    def tokenize(self, text: str) -> tuple[int, ...]:
        return tuple(text.encode("ascii"))

    def layout(self, messages: list[tuple[str, str]]) -> str | None:
        text = "".join(self.form.format(role=role, content=content) for role, content in messages)
        return f"{len(messages) if '#' in self.form else ''}{text}<assistant>"


def test_a_conversation_grows_turn_by_turn(client: ModelClient, model: Path) -> None:
    first = question(model, Action.MEASURE, questions=3)
    (said,) = client.sample(replace(first, rows=1))
    exchange = Exchange(first.spelling.begun, said.text, dialogue.response(1000, 990))
    again = Spelling(first.spelling.rules, tuple(Action))
    second = replace(first, exchanges=(exchange,), spelling=again)
    third = replace(second, exchanges=(exchange, Exchange("<", said.text, "what")))
    one, two, three = (asked.read(Fake()) for asked in (first, second, third))
    assert one[0] == two[0][:1] == three[0][:1]
    assert two[0] == three[0][:2]
    assert one[2] == two[2] == three[2]
    text = bytes(token for turn in three[0] for token in turn[turn is three[0][0] :]).decode()
    assert text == Fake().layout(
        [
            ("system", first.system), ("user", first.user),
            ("assistant", said.text), ("user", exchange.response),
            ("assistant", said.text), ("user", "what"),
        ]
    ) + "<"  # fmt: skip
    # The same in a session that goes on and in one that begins with it.
    going_on = client.sample(second)
    with ModelClient(str(model), os.environ) as another:
        assert another.sample(second) == going_on
        assert another.sample(first) == client.sample(first)


def test_a_form_that_changes_what_was_said_begins_again(model: Path) -> None:
    first = question(model)
    second = replace(first, exchanges=(Exchange('<answer>["', '<answer>["sroa"]</answer>', "no"),))
    turns, _, _ = second.read(Fake("#{role}{content}"))
    assert len(turns) == 1


def test_control_tokens_and_crossings_never_come(client: ModelClient, model: Path) -> None:
    words = int(client.facts()["words"])
    samples: list[Sample] = client.sample(question(model, *Action, rows=16))
    used = {token for sample in samples for token in sample.tokens}
    assert max(used) < words - len(CONTROL)


def test_a_vocabulary_that_lacks_a_character_is_refused(tmp_path: Path) -> None:
    path = foreign_model(tmp_path / "model.gguf", without="<")
    with (
        ModelClient(str(path), os.environ) as client,
        pytest.raises(ModelError, match="its vocabulary cannot spell '<'"),
    ):
        client.sample(question(path))


def test_a_short_context_is_refused(tmp_path: Path) -> None:
    path = foreign_model(tmp_path / "model.gguf", context=1024)
    with (
        ModelClient(str(path), os.environ) as client,
        pytest.raises(ModelError, match="its context of 1024 tokens is too short for"),
    ):
        client.sample(question(path))
