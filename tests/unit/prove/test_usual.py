"""The usual gate over the planted rewrites, with its driver and its prover."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from functools import lru_cache

import pytest

pytest.importorskip("capstone")
pytest.importorskip("triton")
pytest.importorskip("z3")
pytest.importorskip("bitwuzla")

from cr1cc.gate.gate import Gate, is_admitted
from cr1cc.gate.verdict import Judgement, Verdict
from cr1cc.prove import usual
from cr1cc.prove.prover import Prover
from cr1cc.prove.usual import usual_gate
from tests.unit.gate.cases import Case, cases

WRONG, RIGHT = cases("wrong"), cases("right")
HIDDEN = [case for case in WRONG if case.by == "proof"]  # from the driver
SHORT = [case for case in RIGHT if case.by == "proof"][::6]


def gate() -> Gate:
    compiler = shutil.which("gcc")
    assert compiler
    return replace(usual_gate(os.environ, compiler), quick_pairs=2000, pairs=2000)


@lru_cache
def judged(case: Case) -> Judgement:
    return gate().judge_texts(case.original, case.new, case.signature)


def test_it_proves_where_the_packages_are_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(gate().prover, Prover)
    monkeypatch.setattr(usual, "is_installed", lambda: False)
    assert gate().prover is None


def test_what_new_bodies_may_use_holds_for_checks_and_proof() -> None:
    made = usual_gate(os.environ, "gcc", extensions=frozenset(("popcnt",)))
    assert isinstance(made.prover, Prover)
    assert made.extensions == made.prover.settings.isa == {"popcnt"}


@pytest.mark.parametrize("case", HIDDEN, ids=repr)
def test_what_the_driver_does_not_find_the_proof_refuses(case: Case) -> None:
    assert judged(case).by == "proof"
    assert not is_admitted(judged(case), "proved")


@pytest.mark.parametrize("case", SHORT, ids=repr)
def test_a_right_rewrite_is_proved(case: Case) -> None:
    assert judged(case).verdict is Verdict.PROVED, judged(case)


@pytest.mark.long
@pytest.mark.parametrize("case", WRONG, ids=repr)
def test_no_wrong_rewrite_is_admitted(case: Case) -> None:
    assert judged(case).verdict <= Verdict.UNKNOWN, judged(case)
    assert not is_admitted(judged(case), "proved")


@pytest.mark.long
@pytest.mark.parametrize("case", RIGHT, ids=repr)
def test_every_right_rewrite_is_admitted_where_tests_are_enough(case: Case) -> None:
    assert is_admitted(judged(case), "tested"), judged(case)
    if case.by == "proof":
        assert is_admitted(judged(case), "proved"), judged(case)


@pytest.mark.long
def test_enough_of_the_right_ones_are_proved() -> None:
    assert sum(judged(case).verdict is Verdict.PROVED for case in RIGHT) >= 25
