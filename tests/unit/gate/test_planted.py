"""The planted rewrites: every wrong one is refused, every right one is let through."""

from __future__ import annotations

import os
import shutil

import pytest

from cr1cc.gate.body import read_body
from cr1cc.gate.driver import make_driver
from cr1cc.gate.gate import Gate, is_admitted
from cr1cc.gate.inputs import parse_input
from cr1cc.gate.verdict import Judgement, Verdict
from tests.unit.gate.cases import Case, cases

pytest.importorskip("capstone")

WRONG, RIGHT = cases("wrong"), cases("right")
PAIRS = 20_000


def gate(pairs: int = PAIRS) -> Gate:
    compiler = shutil.which("gcc")
    assert compiler
    return Gate(os.environ, compiler, quick_pairs=pairs, pairs=pairs)


def test_there_are_as_many_as_are_asked_for() -> None:
    assert len(WRONG) >= 45
    assert len(RIGHT) >= 45
    assert sum(case.by == "proof" for case in RIGHT) >= 25
    assert sum(case.by == "proof" for case in WRONG) <= 3
    for listed in (WRONG, RIGHT):
        assert len({case.name for case in listed}) == len(listed)


@pytest.mark.parametrize("case", [case for case in WRONG if case.by != "proof"], ids=repr)
def test_a_wrong_rewrite_is_refused(case: Case) -> None:
    judgement = gate().judge_texts(case.original, case.new, case.signature)
    assert judgement.verdict in (Verdict.REFUTED, Verdict.UNKNOWN), judgement
    assert judgement.by == case.by
    assert not is_admitted(judgement, "tested")
    if judgement.input:
        assert called_again(case, judgement) == (judgement.reason, judgement.input)


def called_again(case: Case, judgement: Judgement) -> tuple[str, str]:
    bodies = [read_body(text, case.signature.name) for text in (case.original, case.new)]
    with make_driver(*bodies, case.signature, os.environ, gate().compiler) as driver:
        again = driver.call(parse_input(case.signature, judgement.input))
    return again.reason, again.input


@pytest.mark.parametrize("case", [case for case in WRONG if case.by == "proof"], ids=repr)
def test_what_only_a_proof_finds_is_not_linked_without_one(case: Case) -> None:
    judgement = gate().judge_texts(case.original, case.new, case.signature)
    assert judgement.verdict is Verdict.TESTED
    assert not is_admitted(judgement, "proved")


@pytest.mark.parametrize("case", RIGHT, ids=repr)
def test_a_right_rewrite_is_let_through(case: Case) -> None:
    judgement = gate().judge_texts(case.original, case.new, case.signature)
    assert judgement.verdict >= Verdict.TESTED, judgement
    assert is_admitted(judgement, "tested")
