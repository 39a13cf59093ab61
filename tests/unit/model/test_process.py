"""The model process: the same answers from any, and an error from none that ends or hangs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from cr1cc.errors import ModelError
from cr1cc.model import client as module
from cr1cc.model.client import ModelClient
from cr1cc.model.decoding import Rules, State, walk
from cr1cc.model.question import ROOM, Question
from cr1cc.model.vocabulary import ANSWER, IDS, RESULT, decode_for, prompt
from cr1cc.passes.recipe import check_recipe
from cr1cc.passes.rows import NEWEST, OLDEST
from cr1cc.records import Level, Metric, ModuleInfo, Request
from cr1cc.util.remembered import stamp
from tests.models import random_model

pytest.importorskip("llama_cpp", reason="the package llama-cpp-python is missing")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(random_model(tmp_path_factory.mktemp("model") / "random.gguf"))


@pytest.fixture
def client(model: str) -> Iterator[ModelClient]:
    with ModelClient(model, os.environ) as client:
        yield client


def request(major: int = 19, metric: Metric = Metric.BYTES) -> Request:
    info = ModuleInfo("a1", "x86_64-pc-linux-gnu", 100, (3,) * 56, 4, False)
    return Request(info, Level.OZ, major, "X86", 8, metric)


def question(model: str, asked: Request | None = None, seed: str = "s") -> Question:
    asked = asked or request()
    turns = ((*prompt(asked), IDS[ANSWER]),)
    # Hot, for a model that knows what it wants says little else.
    return Question(stamp(model), turns, State(Rules.of(asked)), 8, ROOM, 4.0, seed)


def pid(client: ModelClient) -> int:
    assert client._link is not None
    return client._link._pid


@pytest.mark.parametrize("metric", Metric)
def test_every_answer_is_a_vetted_recipe(client: ModelClient, model: str, metric: Metric) -> None:
    for major in range(OLDEST, NEWEST + 1):
        asked = request(major, metric)
        found = client.sample(question(model, asked))
        assert len(found) > 1
        for one in found:
            assert walk(Rules.of(asked), one.tokens)
            check_recipe(decode_for(one.tokens, major, "X86"), major, "X86")


def test_answers_depend_on_the_question_alone(client: ModelClient, model: str) -> None:
    first = client.sample(question(model))
    assert client.sample(question(model, request(14))) != first
    assert client.sample(question(model, seed="t")) != first
    assert client.sample(question(model)) == first
    with ModelClient(model, os.environ) as other:
        assert other.sample(question(model)) == first


def test_a_conversation_goes_on_as_if_it_were_told_anew(client: ModelClient, model: str) -> None:
    first = replace(question(model), room=256)
    told = client.sample(first)[0].tokens
    second = replace(first, turns=(*first.turns, (*told, IDS[RESULT], IDS[ANSWER])))
    answer = client.sample(second)
    with ModelClient(model, os.environ) as other:
        assert other.sample(second) == answer
        assert other.sample(first) == client.sample(first)
    assert {one.tokens for one in answer} != {one.tokens for one in client.sample(first)}


def test_rows_go_on_from_the_shared_prompt_as_alone(model: str) -> None:
    from cr1cc.model.engine import Engine

    tokens = question(model).turns[0]
    with (
        closing(Engine(model)) as engine,
        closing(engine.session(4, 128)) as many,
        closing(engine.session(1, 128)) as alone,
    ):
        assert (many.extend(tokens) == alone.extend(tokens)).all()
        many.branch()
        for step in range(3):
            together = many.step(range(4), [20 + row + step for row in range(4)])
        for row in range(4):
            alone.branch()
            for step in range(3):
                apart = alone.step([0], [20 + row + step])
            assert (apart[0] == together[row]).all()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"turns": ((10**6,),)}, "does not know"),
        ({"turns": ((-1,),)}, "does not know"),
        ({"turns": ()}, "without a turn"),
        ({"turns": ((),)}, "without a turn"),
        ({"rows": 0}, "without rows"),
        ({"room": 70}, "without room"),
        ({"room": 4096}, "too short"),
        ({"model": ("elsewhere", 1, 2, 3)}, "has changed"),
        ({"rows": 1000}, "context"),
        ({"start": None}, "AttributeError"),
    ],
)
def test_a_question_that_is_none_is_refused(
    change: dict[str, object], complaint: str, client: ModelClient, model: str
) -> None:
    with pytest.raises(ModelError, match=complaint):
        client.sample(replace(question(model), **change))  # type: ignore[arg-type]
    assert client.sample(question(model))  # it goes on


def test_a_process_that_ends_is_an_error(client: ModelClient, model: str) -> None:
    for number in (signal.SIGKILL, signal.SIGABRT):
        client.facts()
        os.kill(pid(client), number)
        with pytest.raises(ModelError, match=f"ended by signal {number.value}"):
            client.sample(question(model))


def test_a_process_that_hangs_is_ended(
    client: ModelClient, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.facts()
    stopped = pid(client)
    os.kill(stopped, signal.SIGSTOP)
    monkeypatch.setattr(module, "_SILENCE", 0.2)
    with pytest.raises(ModelError, match="does not answer within"):
        client.sample(question(model))
    with pytest.raises(ProcessLookupError):
        os.kill(stopped, 0)


def test_a_process_is_limited_and_keeps_nothing_of_the_build(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Modules of the project that is built are none of ours.
    (tmp_path / "numpy.py").write_text("raise SystemExit(3)")
    (tmp_path / "struct.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    read, write = os.pipe()
    os.set_inheritable(write, True)
    with ModelClient(model, os.environ) as client:
        client.facts()
        os.close(write)
        assert os.read(read, 1) == b""  # nobody else has it
        limits = Path(f"/proc/{pid(client)}/limits").read_text()
        (space,) = [line.split()[3] for line in limits.splitlines() if "address" in line]
        assert 2 << 30 < int(space) < 5 << 30
        targets = {os.readlink(f"/proc/{pid(client)}/fd/{n}") for n in (0, 1, 2)}
        assert targets == {"/dev/null"}
    os.close(read)


def test_a_process_ends_with_its_parent(model: str) -> None:
    program = (
        "import os, sys, time; from cr1cc.model.client import ModelClient;"
        "client = ModelClient(sys.argv[1], os.environ); client.facts();"
        "print(client._link._pid, flush=True); time.sleep(60)"
    )
    root = str(Path(__file__).parents[3])
    parent = subprocess.Popen(
        [sys.executable, "-c", program, model],
        env={**os.environ, "PYTHONPATH": root}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert parent.stdout
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 10
    while _alive(child):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
