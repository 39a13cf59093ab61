"""Static checks: what real compilers write passes against itself, and each rule has its reason."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cr1cc.asm.graph import Graph
from cr1cc.asm.reader import read_unit
from cr1cc.errors import GateError
from cr1cc.gate.body import body_of, read_body
from cr1cc.gate.dwarf import signature_of
from cr1cc.gate.instructions import ALLOWED, is_allowed, why_refused
from cr1cc.gate.prototype import parse_prototype
from cr1cc.gate.statics import check
from cr1cc.gate.verdict import Judgement, Verdict
from tests.unit.gate.cases import unit

pytest.importorskip("capstone")

PROGRAMS = Path(__file__).parents[3] / "cr1cc/train/programs"
COMPILERS = [
    (name, *options)
    for name, *options in (
        ("gcc", "-O2", "-fno-ipa-ra", "-fno-ipa-stack-alignment"),
        ("gcc", "-O3", "-fPIC", "-fno-ipa-ra", "-fno-ipa-stack-alignment", "-mavx2"),
        ("gcc", "-O0", "-fno-ipa-stack-alignment"),
        ("clang-19", "-O2"),
        ("clang-19", "-Oz"),
    )
    if shutil.which(name)
]

# What a body of a compiler may be refused for even against itself: what the checks do not follow.
UNFOLLOWED = (
    "what may be volatile", "which is not known to the gate", "which is atomic",
    "which changes the state of the x87 unit", "the original stores to an address that comes from",
    "it has a cold part", "stores to the thread's own memory", "which reads or changes",
)  # fmt: skip


@pytest.mark.parametrize("compiler", COMPILERS, ids=" ".join)
@pytest.mark.parametrize(
    "program", ["arrays", "bitfields", "floats", "integers", "pointers", "recursion", "sorting",
                "strings", "structs", "switches"]
)  # fmt: skip
def test_what_a_compiler_wrote_passes_against_itself(
    compiler: tuple[str, ...], program: str, tmp_path: Path
) -> None:
    source, out = PROGRAMS / f"{program}.c", tmp_path / "a.o"
    subprocess.run(["gcc", "-g", "-O0", "-w", "-c", source, "-o", out], check=True)
    text = subprocess.run(
        [*compiler, "-w", "-S", source, "-o", "-"], capture_output=True, text=True, check=True
    ).stdout
    graph, seen = Graph(read_unit(text)), 0
    for name in (function.entries[0] for function in graph.functions):
        try:
            signature = signature_of(out.read_bytes(), name)
        except GateError:
            continue  # a function that the compiler made, or a type that is not supported
        body = body_of(graph, name)
        found = check(body, body, signature, os.environ)
        seen += 1
        if found is not None:
            assert found.verdict is Verdict.UNKNOWN, (name, str(found))
            assert any(known in found.reason for known in UNFOLLOWED), (name, str(found))
    assert seen


def checked(
    new: str, original: str = "movl %edi, %eax; ret", prototype: str = "int f(int x)"
) -> Judgement | None:
    bodies = [
        read_body(unit("f", "".join(f"\t{row.strip()}\n" for row in text.split(";"))), "f")
        for text in (original, new)
    ]
    return check(*bodies, parse_prototype(prototype), os.environ)


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        ("pushq %rbx; movl %edi, %ebx; movl %ebx, %eax; popq %rcx; ret", "%rbx is not what it was"),
        ("movl %edi, %r13d; movl %r13d, %eax; ret", "%r13 is not what it was"),
        ("pushq %rax; movl %edi, %eax; ret", "the stack pointer is not what it was"),
        ("movq %rdi, -136(%rsp); movl %edi, %eax; ret", "below the red zone"),
        ("movl -8(%rsp), %eax; ret", "has put nothing"),
        ("movl %edi, (%rsp); movl %edi, %eax; ret", "over the return address"),
        ("movl %edi, 16(%rsp); movl %edi, %eax; ret", "its arguments on the stack"),
        ("movl %edi, (%rdi); movl %edi, %eax; ret", "comes from no pointer"),
        ("movl %edi, g(%rip); movl %edi, %eax; ret", "refers to g"),
        ("call g; movl %edi, %eax; ret", "refers to g"),
        ("jmp g", "refers to g"),
        ("pushq %rdi; call *%rdi; popq %rcx; ret", "calls an address"),
        ("jmp *%rdi", "calls an address"),
        ("movl %edi, %eax; syscall; ret", "calls the system"),
        ("movl %edi, %eax; int $3; ret", "calls the system|not known"),
        ("movl %edi, %eax; int3; ret", "calls the system|not known"),
        ("movl %edi, %eax; cli; ret", "is privileged"),
        ("movl %edi, %eax; in $3, %al; ret", "is privileged"),
        ("movl %edi, %eax; rdtsc; ret", "asks the machine"),
        ("movl %edi, %eax; std; ret", "direction flag"),
        ("movl %edi, %eax; pushfq; popfq; ret", "all flags"),
        ("movl %edi, %eax; fldz; ret", "x87"),
        ("movl %edi, %eax; emms; ret", "x87"),
        ("movl %edi, %eax; mfence; ret", "orders memory"),
        ("movl %edi, %eax; cmpl $0, 64(%rdi); ret", "reads an address that comes from no pointer"),
        ("movl %edi, %eax; btsl %edi, -4(%rsp); ret", "goes beyond its operand"),
        ("movl %edi, %eax; leaq -8(%rsp), %rdi; movl $8, %ecx; rep stosb; ret", "its frame"),
        ("movl %edi, %eax; movq %fs:0, %rcx; ret", "reads %fs:0x0"),
        ("movl %edi, %eax; ud2", "traps"),
        ("movl %edi, %eax", "control leaves the function"),
        ("movl %edi, %eax; ret $16", "ret with a number"),
        ("popcntl %edi, %eax; ret", "needs popcnt"),
        ("andnl %edi, %edi, %eax; ret", "needs bmi"),
        ("vmovd %edi, %xmm0; vmovd %xmm0, %eax; ret", "needs avx"),
        ("movl %edi, %eax; ret; .long 5", "directive .long"),
        ("movq %rsp, %rax; addq %rdi, %rax; movb $0, (%rax); movl %edi, %eax; ret", "its frame"),
    ],
)  # fmt: skip
def test_each_rule_refuses_with_its_reason(new: str, reason: str) -> None:
    judgement = checked(new)
    assert judgement is not None
    assert judgement.by == "static checks"
    assert re.search(reason, judgement.reason), judgement.reason


@pytest.mark.parametrize(
    "new",
    [
        "pushq %rbx; movl %edi, %ebx; movl %ebx, %eax; popq %rbx; ret",
        "movq %rbx, -8(%rsp); movl %edi, %ebx; movl %ebx, %eax; movq -8(%rsp), %rbx; ret",
        "subq $24, %rsp; movq %r12, 8(%rsp); movl %edi, %r12d; movl %r12d, %eax;"
        "movq 8(%rsp), %r12; addq $24, %rsp; ret",
        "pushq %rbp; movq %rsp, %rbp; subq $32, %rsp; movl %edi, -4(%rbp); movl -4(%rbp), %eax;"
        "leave; ret",
        "leaq 8(%rsp), %r10; andq $-32, %rsp; pushq -8(%r10); pushq %rbp; movq %rsp, %rbp;"
        "pushq %r10; movl %edi, %eax; popq %r10; popq %rbp; leaq -8(%r10), %rsp; ret",
        "movl %edi, -128(%rsp); movl -128(%rsp), %eax; ret",
    ],
)
def test_what_keeps_the_convention_passes(new: str) -> None:
    assert checked(new) is None


def test_both_ways_of_a_branch_are_followed() -> None:
    judgement = checked(
        "pushq %rbx; testl %edi, %edi; je .L1; popq %rbx; ret; .L1:; xorl %eax, %eax; ret"
    )
    assert judgement is not None
    assert judgement.verdict is Verdict.REFUTED


def test_what_is_called_inside_of_the_unit_is_the_originals() -> None:
    def calling(number: int) -> str:
        callee = unit("g", f"\tleal\t{number}(%rdi), %eax\n\tret\n").replace("\t.globl\tg\n", "")
        return unit("f", "\tsubq\t$8, %rsp\n\tcall\tg\n\taddq\t$8, %rsp\n\tret\n") + callee

    signature = parse_prototype("int f(int x)")
    first, second = (read_body(calling(number), "f") for number in (1, 2))
    assert check(first, first, signature, os.environ) is None
    found = check(first, second, signature, os.environ)
    assert found is not None
    assert found.reason == "its g is not the original's"


def test_endbr64_stays_where_it_was() -> None:
    judgement = checked("movl %edi, %eax; ret", "endbr64; movl %edi, %eax; ret")
    assert judgement is not None
    assert "endbr64" in judgement.reason
    assert checked("endbr64; movl %edi, %eax; ret", "endbr64; movl %edi, %eax; ret") is None


def test_a_volatile_object_is_accessed_as_before() -> None:
    prototype = "void f(volatile int *p)"
    both = "movl $1, (%rdi); movl $2, (%rdi); ret"
    assert checked(both, both, prototype) is None
    fewer = checked("movl $2, (%rdi); ret", both, prototype)
    assert fewer is not None
    assert "volatile" in fewer.reason


def test_extensions_that_are_allowed_are_no_reason() -> None:
    bodies = [
        read_body(unit("f", text), "f") for text in ("\tret\n", "\tpopcntl %edi, %eax\n\tret\n")
    ]
    signature = parse_prototype("int f(int x)")
    assert check(*bodies, signature, os.environ, frozenset(("popcnt",))) is None
    assert check(*bodies, signature, os.environ) is not None


def test_what_is_allowed_is_not_what_is_refused() -> None:
    for name in ("syscall", "hlt", "std", "cpuid", "fld", "lock xadd", "pushfq", "in", "ldmxcsr"):
        assert not is_allowed(name, frozenset(("sse1",)))
        assert why_refused(name) != "is not known to the gate"
    assert all(name == name.lower() for name in ALLOWED)
    assert why_refused("no such thing") == "is not known to the gate"
