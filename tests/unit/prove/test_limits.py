"""Solvers that end, that are wrong or that find nothing, and limits: nothing is decided then."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

pytest.importorskip("triton")
pytest.importorskip("z3")
pytest.importorskip("bitwuzla")

from cr1cc.gate.verdict import Verdict
from cr1cc.prove.engines import Reply
from cr1cc.prove.explore import Limits
from cr1cc.prove.proof import Settings
from cr1cc.prove.solver import Effort
from tests.unit.prove.bodies import judged
from tests.unit.prove.failing import greedy, killed

UNKNOWN = Verdict.UNKNOWN


def wrong(text: str, names: Sequence[str], conflicts: int) -> Reply:
    return "sat", [0] * len(names)


BY_SIGN = "movl %edi, %eax; cltd; xorl %edx, %eax; subl %edx, %eax; ret"
BY_MOVE = "movl %edi, %eax; negl %eax; cmovs %edi, %eax; ret"


@pytest.mark.parametrize("engine", [killed, greedy])
def test_solvers_that_end_leave_it_unknown(engine: object) -> None:
    assert callable(engine)
    settings = Settings(table={"bad": engine})
    judgement = judged("int f(int x)", BY_MOVE, BY_SIGN, settings)
    assert judgement.verdict is UNKNOWN
    assert "bad ended" in judgement.reason


def test_an_input_that_shows_nothing_refutes_nothing() -> None:
    judgement = judged("int f(int x)", BY_MOVE, BY_SIGN, Settings(table={"wrong": wrong}))
    assert judgement.verdict is UNKNOWN
    assert "did not show" in judgement.reason


@pytest.mark.parametrize(
    ("settings", "reason"),
    [(Settings(Limits(steps=3)), "more than 3 steps"),
     (Settings(effort=Effort(conflicts=1)), "the solvers found no answer within their limits")],
)  # fmt: skip
def test_limits_leave_it_unknown(settings: Settings, reason: str) -> None:
    divided = "movl %edi, %eax; cltd; movl $7, %ecx; idivl %ecx; ret"
    multiplied = (
        "movslq %edi, %rax; imulq $-1840700269, %rax, %rax; shrq $32, %rax; addl %edi, %eax; "
        "sarl $2, %eax; sarl $31, %edi; subl %edi, %eax; ret"
    )
    judgement = judged("int f(int a)", divided, multiplied, settings)
    assert (judgement.verdict, reason in judgement.reason) == (UNKNOWN, True)


def test_the_judgement_is_the_same_every_time() -> None:
    both = [judged("int f(int x)", BY_MOVE, BY_SIGN.replace("subl", "addl")) for _ in range(3)]
    assert both[0] == both[1] == both[2]
