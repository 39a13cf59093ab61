"""What rewritten windows are worth: proved or not, bytes, cost, and that it is remembered."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest.importorskip("triton", reason="the package triton-library (extra prove)")


from cr1cc.assembly import appraisal
from cr1cc.assembly.appraisal import Appraisal, Appraiser, Ask
from cr1cc.assembly.grammar import State, scope
from cr1cc.assembly.names import example_names
from cr1cc.assembly.vocabulary import FORM_OF, Goal, decode

OLD = ("movl $0, %n0d", "addl %n0d, %n1d")
ZERO = Ask(("movl $0, %n0d",), ("n0",), ("xorl %n0d, %n0d",))


@pytest.fixture(scope="module")
def appraiser() -> Appraiser:
    return Appraiser(os.environ)


@pytest.mark.parametrize(("ask", "proved"), [
    (Ask(OLD, ("n0", "n1"), ("xorl %n0d, %n0d", "movl %n1d, %n1d")), True),
    (Ask(OLD, ("n0", "n1", "zf"), ("xorl %n0d, %n0d", "movl %n1d, %n1d")), False),
    (Ask(("movq %n0, %n0",), ("n0",), ()), True),
    (Ask(("movl (%n0), %eax", "jne L0"), ("eax",), ("movl (%n0), %eax", "jne L0")), True),
    (Ask(("movl (%n0), %eax",), ("eax",), ("movl 1(%n0), %eax",)), False),
])  # fmt: skip
def test_only_what_is_the_same_is_proved(appraiser: Appraiser, ask: Ask, proved: bool) -> None:
    (found,) = appraiser.appraise([ask])
    assert found.proved is proved
    assert found.proved is (found.agreeing == 1)
    assert found.assembles


def test_what_is_nearly_right_agrees_for_some_inputs(appraiser: Appraiser) -> None:
    old, live = ("cmpl $128, %n0d", "setl %n1b"), ("n0", "n1")
    near = appraiser.appraise([Ask(old, live, ("cmpl $126, %n0d", "setle %n1b"))])[0]
    far = appraiser.appraise([Ask(old, live, ("cmpl $128, %n0d", "setge %n1b"))])[0]
    assert far.agreeing == 0 < near.agreeing
    assert not near.proved or not far.proved


def test_bytes_and_cost_are_those_of_the_assembler_and_of_the_model(appraiser: Appraiser) -> None:
    ask = Ask(("movl $0, %n0d",), ("n0d",), ("xorl %n0d, %n0d",))
    (found,) = appraiser.appraise([ask])
    assert found.bytes == (5, 2)
    assert found.saved(Goal.SIZE) == pytest.approx(0.6)
    assert found.cost[1] < found.cost[0]


def test_what_cannot_be_assembled_costs_the_others_nothing(appraiser: Appraiser) -> None:
    bad = ZERO._replace(new=("addl $1, $2",))
    worse = ZERO._replace(new=("frobl %n0d",))
    found = appraiser.appraise([bad, ZERO, worse, ZERO._replace(live=("n1",))])
    assert [one.assembles for one in found] == [False, True, False, False]
    assert [one.proved for one in found] == [False, True, False, False]


def test_verdicts_are_kept_and_a_torn_line_is_not_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "verdicts.jsonl"
    first = Appraiser(os.environ, log).appraise([ZERO])
    log.write_text(log.read_text() + '[["movl')
    monkeypatch.setattr(appraisal, "pairs", None)  # nothing is assembled again
    assert Appraiser(os.environ, log).appraise([ZERO, ZERO]) == first * 2
    assert isinstance(first[0], Appraisal)


def test_every_form_that_may_be_said_is_judged(appraiser: Appraiser) -> None:
    """The window is no more than registers to choose from, and accesses memory."""
    old = ("movl $N0, S0(%rip)", "shlq %cl, %n0", "movq %v0, %x0", "cqto", "leave")
    start = State(scope(old, example_names(old)))
    asks = []
    for token in set(FORM_OF) & set(start.allowed()):
        state, tokens = start.step(token), [token]
        while state.waiting:
            tokens.append(state.allowed()[0])
            state = state.step(tokens[-1])
        lines = decode(tokens)
        asks.append(Ask(lines, (), (*lines, *lines)))
    found = appraiser.appraise(asks)
    assert len(found) > 500
    assert all(one.assembles for one in found)
