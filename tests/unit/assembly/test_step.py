"""What is run on values is what proofs rest on; what is predicted to cost more does."""

from __future__ import annotations

import os
from random import Random

import pytest

pytest.importorskip("triton")

from cr1cc.assembly.bench import Bench
from cr1cc.assembly.cost import cost
from cr1cc.assembly.step import AT, PLACES, Trace
from cr1cc.gate.body import assembled
from cr1cc.prove.concrete import Input, Valuation
from cr1cc.prove.instructions import FLAGS
from cr1cc.prove.lifter import Lifter
from cr1cc.prove.runs import pairs
from cr1cc.rewrite.instruction import Instruction, parsed
from cr1cc.rewrite.windows import statement_of

TEXTS = (
    "addl\t%ecx, %eax", "subq\t$-128, %rcx", "imull\t$77, %ecx, %eax", "leaq\t8(%rax,%rcx,4), %rdx",
    "shll\t%cl, %eax", "sarq\t$5, %rdx", "shrb\t%cl", "movsbl\t%dl, %ecx", "movslq\t%ecx, %rdx",
    "cltd", "adcl\t%ecx, %eax", "sbbq\t%rcx, %rax", "negl\t%ecx", "notw\t%cx", "bswapl\t%ecx",
    "setle\t%cl", "cmovbe\t%ecx, %eax", "cmpb\t$3, %al", "testl\t%ecx, %eax", "movl\t8(%rcx), %eax",
    "addl\t%eax, 8(%rcx)", "movw\t$7, (%rdx)", "pxor\t%xmm1, %xmm2", "paddd\t(%rcx), %xmm1",
    "movd\t%ecx, %xmm3", "pshufd\t$27, %xmm1, %xmm2", "ja\tL0", "movl\tS0(%rip), %eax",
)  # fmt: skip


@pytest.fixture(scope="module")
def bench() -> Bench:
    made = Bench(os.environ)
    made.learn(TEXTS)
    return made


@pytest.mark.parametrize("text", TEXTS)
def test_values_are_those_of_the_formulas(text: str, bench: Bench) -> None:
    step = bench.step(text, frozenset(FLAGS))
    assert step is not None
    (pair,) = pairs([([text], ())], lambda listing: assembled(listing, os.environ))
    assert pair is not None
    body = pair.original
    code = body.unit.contents(body.section)[body.start : body.end]
    fields = [at - body.start for at in body.unit.relocations(body.section)]
    effect = Lifter().lift(code, fields[0] if fields else None)
    source = Random(text)
    for _ in range(50):
        state = [source.getrandbits(1 if name in FLAGS else 128 if name.startswith("xmm") else 64)
                 for name in PLACES]  # fmt: skip
        loads = [source.getrandbits(128) for _ in range(4)]
        trace: Trace = []
        after = step(state, loads, trace)
        given = dict(zip(PLACES, state, strict=True)) | {"load 0": loads[0]}
        if effect.loads:
            given["load 0"] &= (1 << 8 * effect.loads[0].size) - 1
        valuation = Valuation(Input(given))
        for name, value in effect.registers.items():
            wanted = 0 if name in effect.undefined else valuation.of(value)
            assert after[AT[name]] == wanted, name
        untouched = set(PLACES) - set(effect.registers) - set(effect.undefined)
        assert all(after[AT[name]] == state[AT[name]] for name in untouched)
        expected = [(one.size, -1) for one in effect.loads]
        expected += [(one.size, valuation.of(one.value)) for one in effect.stores if one.value]
        if effect.taken is not None:
            expected.append((0, valuation.of(effect.taken)))
        assert [(size, stored) for _, size, stored in trace] == expected


def window(text: str) -> list[Instruction]:
    return [parsed(statement_of("\t".join(one.strip().split(None, 1)))) for one in text.split(";")]


@pytest.mark.parametrize(("cheap", "dear"), [
    ("addl %ecx, %eax", "imull %ecx, %eax"),
    ("xorl %eax, %eax", "movl $0, %eax"),
    ("leaq (%rax,%rcx), %rdx", "leaq 8(%rax,%rcx), %rdx"),
    ("movl %ecx, %eax", "movl (%rcx), %eax"),
    ("shll $3, %eax", "shll %cl, %eax"),
    ("addl %ecx, %eax; addl %esi, %edx", "addl %ecx, %eax; addl %eax, %edx"),
    ("movzbl (%rcx), %eax", "movb (%rcx), %al"),
    ("sete %al", "seta %al"),
    ("addl %ecx, %eax", "addl %ecx, %eax; addl %ecx, %edx"),
])  # fmt: skip
def test_what_takes_longer_costs_more(cheap: str, dear: str) -> None:
    assert cost(window(cheap)) < cost(window(dear))
