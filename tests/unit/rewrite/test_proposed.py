"""Windows of a model that are written down: where they are proposed again, and where not."""

from __future__ import annotations

import pytest

from cr1cc.asm.graph import Graph
from cr1cc.asm.reader import read_unit
from cr1cc.gate.verdict import Judgement, Verdict
from cr1cc.records import MODEL
from cr1cc.rewrite.change import Change
from cr1cc.rewrite.code import code_of
from cr1cc.rewrite.flow import Code
from cr1cc.rewrite.proposed import Proposed, proposed

TEXT = """
\t.text
\t.globl\tf
\t.type\tf, @function
f:
\taddl\t$1, %eax
\tmovl\t%eax, x+4(%rip)
\tlock
\taddl\t$1, %eax
\tmovl\t%eax, x+4(%rip)
\taddl\t$1, %eax
.L2:
\tmovl\t%eax, x+4(%rip)
\tret
\t.size\tf, .-f
"""
WINDOW = "addl $1, %eax; movl %eax, x+4(%rip)"


@pytest.fixture
def code() -> Code:
    unit = read_unit(TEXT)
    (function,) = Graph(unit).functions
    return code_of(unit, function)


def change(old: tuple[str, ...], new: tuple[str, ...], by: str = MODEL) -> Change:
    return Change("f", by, old, new, 1, Judgement(Verdict.PROVED, "a test"))


def test_they_are_proposed_where_exactly_their_instructions_are(code: Code) -> None:
    (one,) = Proposed([f"{WINDOW} -> incl %eax; movl %eax, x+4(%rip)"]).proposals(code)
    assert [str(line.statement) for line in one.old] == [
        "\taddl\t$1, %eax", "\tmovl\t%eax, x+4(%rip)"
    ]  # fmt: skip
    assert [new.text for new in one.new] == ["incl\t%eax", "movl\t%eax, x+4(%rip)"]
    assert one.by == MODEL
    first, _ = Proposed(["addl $1, %eax -> "]).proposals(code)
    assert first.new == ()


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", WINDOW, f"{WINDOW} -> .globl y", f"{WINDOW} -> y: nop", f"{WINDOW} -> frobl %eax",
        f"{WINDOW} -> nop\n.data", f'{WINDOW} -> "', f" -> {WINDOW}", "lock -> nop",
        "lock; addl $1, %eax -> lock; incl %eax",
    ],
)  # fmt: skip
def test_what_is_no_window_proposes_nothing(code: Code, text: str) -> None:
    assert list(Proposed([text]).proposals(code)) == []


def test_what_a_model_proposed_is_written_down_once_and_in_order() -> None:
    jump = change(("testl\t%eax, %eax", "je\t.L3"), ("jmp\t.L3",))
    empty = change(("movl\t%eax, %eax",), ())
    odd = change(('movl\t"a -> b"(%rip), %eax',), ("nop",))  # cannot be read again
    rule = change(("nop",), (), by="a rule")
    texts = ("movl %eax, %eax -> ", "testl %eax, %eax; je .L3 -> jmp .L3")
    assert proposed([jump, rule, empty, odd, jump]) == texts
