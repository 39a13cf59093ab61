"""Windows of which it is known whether they do the same for what is live behind them."""

from __future__ import annotations

import os

import pytest

pytest.importorskip("triton")
pytest.importorskip("z3")
pytest.importorskip("bitwuzla")

from cr1cc.gate.verdict import Judgement, Verdict
from cr1cc.prove.code import Body, unit_of
from cr1cc.prove.effect import GENERAL
from cr1cc.prove.instructions import FLAGS
from cr1cc.prove.window import Live, WindowProver
from tests.unit.gate.cases import unit

WORD, HALF, BYTE = ((0, 63),), ((0, 31),), ((0, 7),)
REGISTERS: Live = dict.fromkeys(GENERAL, WORD)
ALL: Live = {**REGISTERS, **dict.fromkeys(FLAGS, ((0, 0),))}


def bodies(original: str, new: str) -> tuple[Body, Body | None]:
    found = [
        unit_of("w", unit("w", "".join(f"\t{one}\n" for one in text.split(";"))), os.environ).body(
            "w"
        )
        for text in (original, new)
        if text
    ]
    return found[0], found[1] if new else None


def judged(original: str, new: str, live: Live) -> Judgement:
    return WindowProver().judge(*bodies(original, new), live)


RIGHT = {
    "zero": ("movl $0, %eax", "xorl %eax, %eax", REGISTERS),
    "flags too": ("movl $0, %eax; testl %eax, %eax", "xorl %eax, %eax",
                  {**ALL, "af": ()}),
    "a half": ("addq %rcx, %rax", "addl %ecx, %eax", {"rax": HALF}),
    "a byte": ("movzbl %cl, %eax", "movl %ecx, %eax", {"rax": BYTE}),
    "in memory": ("movl (%rdi), %eax; addl %esi, %eax; movl %eax, (%rdi)", "addl %esi, (%rdi)",
                  {name: WORD for name in GENERAL if name != "rax"}),
    "another address of the same place": ("movl 8(%rdi), %eax; movl %ecx, (%rdi)",
                                          "leaq 8(%rdi), %rdx; movl (%rdx), %eax; "
                                          "movl %ecx, -8(%rdx)",
                                          {name: WORD for name in GENERAL if name != "rdx"}),
    "a symbol": ("movl v(%rip), %eax; cmpl $3, %eax", "cmpl $3, v(%rip)", {"zf": ((0, 0),)}),
    "a jump": ("cmpl $128, %eax; jge far", "cmpl $127, %eax; jg far", REGISTERS),
    "nothing": ("movq %rax, %rax", "", ALL),
    "by a solver": ("imull %ecx, %eax; andl $1, %eax", "andl %ecx, %eax; andl $1, %eax",
                    {"rax": WORD}),
}  # fmt: skip

WRONG = {
    "flags": ("movl $0, %eax", "xorl %eax, %eax", ALL),
    "the carry": ("addl $1, %eax", "incl %eax", {"cf": ((0, 0),)}),
    "the upper half": ("addq %rcx, %rax", "addl %ecx, %eax", {"rax": WORD}),
    "bits of a byte": ("movzbl %cl, %eax", "movl %ecx, %eax", {"rax": HALF}),
    "a load less": ("movl (%rdi), %eax; movl (%rdi), %eax", "movl (%rdi), %eax", {"rax": WORD}),
    "a load more": ("movl (%rdi), %eax", "movl (%rdi), %ecx; movl (%rdi), %eax", {"rax": WORD}),
    "a narrower load": ("testl $1, (%rdi)", "testb $1, (%rdi)", {"zf": ((0, 0),)}),
    "a load beside": ("movl (%rdi), %eax", "movl 4(%rdi), %eax", {"rcx": WORD}),
    "loads in another order": ("movl (%rdi), %eax; movl (%rsi), %ecx",
                               "movl (%rsi), %ecx; movl (%rdi), %eax", {"rax": WORD}),
    "two loads of one place, exchanged": ("movl (%rdi), %eax; movl (%rdi), %ecx",
                                          "movl (%rdi), %ecx; movl (%rdi), %eax", {"rax": WORD}),
    "a value that was stored": ("movl %eax, (%rdi); movl (%rdi), %ecx",
                                "movl %eax, (%rdi); movl %eax, %ecx", {"rcx": WORD}),
    "another value stored": ("movl %eax, (%rdi)", "movl %ecx, (%rdi)", {}),
    "another symbol": ("movl v(%rip), %eax", "movl w(%rip), %eax", {"rcx": WORD}),
    "another place of a symbol": ("movl v(%rip), %eax", "movl v+4(%rip), %eax", {"rcx": WORD}),
    "a jump elsewhere": ("cmpl $1, %eax; je far", "cmpl $1, %eax; je near", {}),
    "a jump for one number more": ("cmpl $128, %eax; jge far", "cmpl $127, %eax; jge far", {}),
    "a jump less": ("cmpl $1, %eax; je far", "cmpl $1, %eax", {}),
    "the stack pointer between": ("subq $8, %rsp; addq $8, %rsp", "", {}),
    "what is pushed": ("movl $1, %eax", "pushq $1; popq %rax", {"rax": WORD}),
    "a division more": ("movl $1, %ecx", "divl %esi; movl $1, %ecx", {"rcx": WORD}),
    "a newer processor": ("movl $1, %ecx", "popcntl %esi, %eax; movl $1, %ecx", {"rcx": WORD}),
    "a call": ("call f", "call f", {}),
    "an address of 32 bits": ("movl (%edi), %eax", "movl (%edi), %eax", {}),
    "a pop to memory": ("popq (%rdi)", "popq (%rdi)", {}),
    "an alignment": ("movups (%rdi), %xmm0", "movaps (%rdi), %xmm0", {}),
    "floating-point arithmetic": ("addsd %xmm0, %xmm1", "addsd %xmm0, %xmm1", {}),
}  # fmt: skip


@pytest.mark.parametrize(("original", "new", "live"), RIGHT.values(), ids=RIGHT)
def test_windows_that_do_the_same_are_proved(original: str, new: str, live: Live) -> None:
    assert judged(original, new, live).verdict is Verdict.PROVED


@pytest.mark.parametrize(("original", "new", "live"), WRONG.values(), ids=WRONG)
def test_windows_that_do_not_are_not(original: str, new: str, live: Live) -> None:
    judgement = judged(original, new, live)
    assert judgement.verdict is Verdict.UNKNOWN
    assert judgement.reason


def test_a_prover_forgets_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cr1cc.prove.window._TOGETHER", 2)
    prover = WindowProver()
    texts = ("movl $0, %eax", "xorl %eax, %eax")
    bodies = [unit_of("w", unit("w", f"\t{text}\n"), os.environ).body("w") for text in texts]
    verdicts = [prover.judge(*bodies, live).verdict for live in (REGISTERS, ALL) * 3]
    assert verdicts == [Verdict.PROVED, Verdict.UNKNOWN] * 3


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_the_same_agrees_for_all_inputs(name: str) -> None:
    original, new, live = RIGHT[name]
    assert WindowProver().agreement(*bodies(original, new), live, 16) == 1


def test_what_differs_for_some_inputs_agrees_for_the_others() -> None:
    old, near, far = "cmpl $128, %eax; setl %cl", "cmpl $5, %eax; setl %cl", "movb $2, %cl"
    live = {"rcx": BYTE}
    shares = [WindowProver().agreement(*bodies(old, new), live, 64) for new in (near, far)]
    assert 0 == shares[1] < shares[0] < 1
    assert WindowProver().agreement(*bodies(old, near), live, 64) == shares[0]
    assert WindowProver().agreement(*bodies("movl %ecx, %eax", "movl (%rcx), %eax"), live, 9) == 0
