"""Stored text: what is written comes back, and a poisoned entry is no entry."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from cr1cc.errors import RecipeError
from cr1cc.outcome import Outcome
from cr1cc.records import Answer, Decision, Failure, Recipe, Rewrite, Rewritten
from cr1cc.storage import codec, envelope
from cr1cc.storage.codec import FunctionAnswer


def decode(data: bytes, answer: Answer = Answer.BETTER) -> Decision | None:
    return codec.decode_decision(data, answer, codec.anything, codec.anything)


def test_a_decision_comes_back_equal(better: Decision) -> None:
    assert decode(codec.encode_decision(better)) == better
    nothing = Decision(Answer.NOTHING, Outcome.NOTHING_BETTER, bytes_before=5, bytes_after=5)
    assert decode(codec.encode_decision(nothing), Answer.NOTHING) == nothing


def test_what_became_of_windows_comes_back_and_is_not_there_where_nobody_looked(
    better: Decision,
) -> None:
    assert b"rewritten" not in codec.encode_decision(better)
    rewritten = Rewritten((Rewrite("f", "increment", 2, 3, 1),), 9, 3, 1, 4)
    for one in (rewritten, Rewritten(reason="it has debug data")):
        known = replace(better, rewritten=one)
        assert decode(codec.encode_decision(known)) == known
    assert rewritten.verdicts == "proved=2 unknown=1"


@pytest.mark.parametrize(
    "value", [None, [], [[], 1, 1, 1, 1], [[["f", "x", -1, 0, 0]], 1, 1, 1, 1, ""]]
)
def test_poisoned_windows_make_it_no_decision(better: Decision, value: Any) -> None:
    fields = {**json.loads(codec.encode_decision(better)), "rewritten": value}
    assert decode(json.dumps(fields).encode()) is None


def test_a_decision_on_the_wrong_shelf_is_none(better: Decision) -> None:
    assert decode(codec.encode_decision(better), Answer.NOTHING) is None
    assert decode(codec.encode_decision(better), Answer.FAILED) is None


POISON: list[tuple[str, Any]] = [
    ("answer", "nothing"),
    ("answer", 1),
    ("outcome", "no_such_outcome"),
    ("outcome", "nothing_better"),
    ("outcome", "link"),
    ("stages", "dce"),
    ("stages", [1]),
    ("stages", [["dce"]]),
    ("options", None),
    ("options", {"-x": 1}),
    ("tails", [["f"]]),
    ("tails", [["f", "dce"], ["f", "gvn"]]),
    ("tails", {"f": "dce"}),
    ("bytes", [900, 1000]),
    ("bytes", [1000, 1000]),
    ("bytes", [-1, -2]),
    ("bytes", [True, False]),
    ("bytes", [1e3, 1]),
    ("bytes", [1 << 80, 1]),
    ("ic", [1]),
    ("evaluations", "32"),
    ("evidence", 0),
    ("evidence", "x" * 100_000),
    ("functions", [["f", 1, 2, "dce"]]),
    ("functions", [[1, 1, 2, "dce", "search"]]),
    ("trace", [["answer", ["@size"], [], 9]]),
    ("trace", [["answer", ["@size"], [], -1, None]]),
    ("trace", [["answer", "@size", [], 9, 8]]),
]


@pytest.mark.parametrize(("field", "value"), POISON)
def test_a_poisoned_field_makes_it_no_decision(better: Decision, field: str, value: Any) -> None:
    fields = json.loads(codec.encode_decision(better))
    assert field in fields
    fields[field] = value
    assert decode(json.dumps(fields).encode()) is None


@pytest.mark.parametrize(
    "field",
    [*json.loads(codec.encode_decision(Decision(Answer.FAILED, Outcome.NO_CODE)))],
)
def test_a_missing_field_makes_it_no_decision(better: Decision, field: str) -> None:
    fields = json.loads(codec.encode_decision(better))
    del fields[field]
    assert decode(json.dumps(fields).encode()) is None


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b'"x"'])
def test_what_is_no_object_is_no_decision(data: bytes) -> None:
    assert decode(data) is None
    assert codec.decode_failure(data) is None
    assert codec.decode_function(data, True, "", codec.anything) is None


def test_a_recipe_or_tail_that_the_caller_refuses_is_no_decision(better: Decision) -> None:
    def refuse(text: object) -> None:
        raise RecipeError(f"not vetted: {text}")

    def only_dce(text: object) -> None:
        if text != "dce":
            raise RecipeError(f"not vetted: {text}")

    data = codec.encode_decision(better)
    assert codec.decode_decision(data, Answer.BETTER, refuse, codec.anything) is None
    assert codec.decode_decision(data, Answer.BETTER, codec.anything, only_dce) is None
    seen: list[Recipe] = []
    assert codec.decode_decision(data, Answer.BETTER, seen.append, codec.anything) == better
    assert seen == [better.recipe]


def test_function_answers_and_failures_come_back() -> None:
    answer = FunctionAnswer("dce", 10, 5, "store")
    data = codec.encode_function(answer)
    assert codec.decode_function(data, True, "store", codec.anything) == answer
    assert codec.decode_function(data, False, "store", codec.anything) is None
    for failure in Failure:
        assert codec.decode_failure(codec.encode_failure(failure)) is failure
    assert codec.decode_failure(b'{"failure": "bored"}') is None


@pytest.mark.parametrize("payload", [b"", b"{}", b"x" * 5000])
def test_a_sealed_value_comes_back_under_its_name_only(payload: bytes) -> None:
    sealed = envelope.seal("a", payload)
    assert envelope.unseal("a", sealed) == payload
    assert envelope.unseal("b", sealed) is None
    assert len(sealed) < 200


@pytest.mark.parametrize("payload", [b"{}", bytes(range(256)) * 3])
def test_every_flipped_byte_and_every_cut_is_noticed(payload: bytes) -> None:
    sealed = envelope.seal("a", payload)
    for i in range(len(sealed)):
        assert envelope.unseal("a", sealed[:i]) is None
        assert (
            envelope.unseal("a", sealed[:i] + bytes([sealed[i] ^ 0x10]) + sealed[i + 1 :]) is None
        )
    assert envelope.unseal("a", sealed + b"x") is None
    for other in (None, "text", 1, 1.5):
        assert envelope.unseal("a", other) is None
