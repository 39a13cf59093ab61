"""What must not be rewritten, because something still looks at what the rule would change."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("triton")
pytest.importorskip("z3")
pytest.importorskip("bitwuzla")

from cr1cc.asm.printer import print_unit
from cr1cc.asm.reader import read_unit
from cr1cc.asm.statement import Machine
from cr1cc.rewrite.change import Objective
from cr1cc.storage.local import LocalStore
from tests.unit.rewrite.functions import rewriter, rewritten, text_of

KEPT = {
    "flags that a jump reads": "movl $0, %ecx; je .L1; movl %ecx, (%rdi); .L1:; ret",
    "flags that are read where a jump goes":
        "movl $0, %ecx; jmp .L1; .L2:; movl %ecx, (%rdi); ret; "
        ".L1:; je .L2; movl %ecx, 4(%rdi); ret",
    "flags that are read around a loop":
        ".L1:; jb .L2; movl %ecx, (%rdi); cmpq %rsi, %rdi; movl $0, %ecx; "
        "jmp .L1; .L2:; ret",
    "a jump whose target is not known": "movl $0, %ecx; jmp *%rdx",
    "an instruction that is not known": "movl $0, %ecx; frobnicate %rdx; ret",
    "a label inside of the window":
        "movl 16(%rdx), %ecx; .L1:; addl %ecx, %esi; movl %esi, (%rdi); movl $700, %ecx; "
        "cmpl %esi, %edi; jb .L1; ret",
    "a register that the ABI keeps": "movl 16(%rdx), %ebx; cmpl %ebx, %esi; jb .L1; movl %esi, "
        "(%rdi); .L1:; ret",
    "a register that a callee may take": "movl 16(%rdx), %r9d; cmpl %r9d, %esi; jb .L1; call g; "
        ".L1:; ret",
    "the high byte of a word": "movzbl %cl, %ecx; movb %ch, (%rdi); movl $700, %ecx; ret",
    "16 bits of a word": "movzbl %cl, %ecx; movw %cx, (%rdi); movl $700, %ecx; ret",
    "the upper half of a sum": "addq %rsi, %rcx; shrq $32, %rcx; movl %ecx, (%rdi); ret",
    "the upper half in an address": "addq %rsi, %rcx; movb $1, (%rcx); ret",
    "the upper half that 16 bits leave alone":
        "addq %rsi, %rcx; movw $1, %cx; movq %rcx, (%rdi); ret",
    "a byte that bits above are left of": "movq %rsi, %rax; movb $1, %al; ret",
    "flags behind a shift that may be by 0": "movl %esi, %ecx; cmpl %edx, %edi; movl $0, %eax; "
        "shll %cl, %esi; setb %al; movl %esi, (%rdi); ret",
    "the carry that an increment leaves alone": "addl $1, %esi; movl %esi, (%rdi); setb %al; ret",
    "the overflow of a sum":
        "addl %edx, %esi; testl %esi, %esi; jl .L1; movl %esi, (%rdi); .L1:; ret",
    "a load that is alone": "movl (%rdi), %ecx; movl (%rdi), %ecx; movl %ecx, 4(%rdi); ret",
    "a value that was just stored": "movl %esi, (%rdi); movl (%rdi), %esi; movl %esi, 4(%rdi); ret",
    "an address that is made of the loaded register":
        "movq (%rcx), %rcx; addq $5, %rcx; movq %rcx, (%rcx); ret",
    "the stack pointer": "leaq -1(%rsp), %rsp; addq $1, %rsp; ret",
    "a register that callers may rely on": "movl %edi, %eax; ret",
    "a function that keeps all registers":
        "pushq %rsi; movl (%rsi), %edi; movl %edi, %eax; popq %rsi; ret",
    "a function that keeps all registers, by moves":
        ".cfi_startproc; movq %rsi, -8(%rsp); .cfi_offset 4, -16; movl (%rsi), %edi; "
        "movl %edi, %eax; movq -8(%rsp), %rsi; ret",
    "what follows a prefix": "lock; movl $0, %ecx; movl %ecx, (%rdi); ret",
    "bytes that may be an instruction": "movl $0, %ecx; .byte 0x90; movl %ecx, (%rdi); ret",
    "what follows bytes": ".byte 0x66; movl $0, %ecx; movl %ecx, (%rdi); ret",
    "a function of the same name elsewhere": "movl 16(%rdx), %r9d; cmpl %r9d, %esi; jmp f@PLT",
    "flags that a part of the function may take":
        "movl $0, %ecx; call OUTLINED_FUNCTION_0; movl %ecx, (%rdi); ret",
    "a jump by a number of bytes": "movl $0, %ecx; movl %ecx, (%rdi); jmp .+2; ret",
    "thread-local storage by address": "movq x@gottpoff(%rip), %rcx; addq %rcx, %rsi; "
        "movq %rsi, (%rdi); ret",
}  # fmt: skip


def single(body: str) -> list[str]:
    lines = (" ".join(one.split()) for one in body.split(";"))
    return [one for one in lines if one.endswith(":") or one[0] != "."]


@pytest.mark.parametrize("body", KEPT.values(), ids=KEPT)
def test_what_is_looked_at_is_kept(body: str) -> None:
    assert rewritten(body, Objective.SMALLEST) == single(body)


REWRITTEN = {
    "flags that are written first": (
        "movl $0, %ecx; cmpl %esi, %edi; je .L1; movl %ecx, (%rdi); .L1:; ret",
        "xorl %ecx, %ecx; cmpl %esi, %edi; je .L1; movl %ecx, (%rdi); .L1:; ret"),
    "flags at a return": ("movl $0, %eax; ret", "xorl %eax, %eax; ret"),
    "flags at a call": ("movl $0, %eax; call g; ret", "xorl %eax, %eax; call g; ret"),
    "the upper half behind 32 bits": (
        "addq %rdx, %rsi; movl %esi, (%rdi); ret", "addl %edx, %esi; movl %esi, (%rdi); ret"),
    "a volatile variable, accessed as often": (
        "movl v(%rip), %esi; addl $5, %esi; movl %esi, v(%rip); ret", "addl $5, v(%rip); ret"),
    "a register that a call gave away": (
        "movq %rdi, %rbx; call g@PLT; movl %edi, %eax; ret",
        "movq %rdi, %rbx; call g@PLT; xchgl %eax, %edi; ret"),
    "one window behind another": (
        "movl $0, %ecx; movl (%rdi), %esi; testl %esi, %esi; je .L1; movl %ecx, (%rdi); .L1:; ret",
        "xorl %ecx, %ecx; cmpl $0, (%rdi); je .L1; movl %ecx, (%rdi); .L1:; ret"),
    "a number beside one that fits": (
        "cmpl $128, %esi; jge .L1; movl %ecx, (%rdi); .L1:; ret",
        "cmpl $127, %esi; jg .L1; movl %ecx, (%rdi); .L1:; ret"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), REWRITTEN.values(), ids=REWRITTEN)
def test_what_is_dead_is_used(body: str, expected: str) -> None:
    assert rewritten(body, Objective.SMALLEST) == single(expected)


def made_of(text: str) -> str:
    return print_unit(rewriter(Objective.SMALLEST).rewrite(read_unit(text))[0])


def test_what_the_source_wrote_in_assembler_is_left_alone() -> None:
    text = text_of("movl %eax, (%rdi); ret").replace(
        "\tmovl", "#APP\n\tmovl\t$0, %eax\n#NO_APP\n\tmovl"
    )
    assert "movl\t$0, %eax" in made_of(text)


def test_a_function_that_exceptions_come_back_to_is_left_alone() -> None:
    text = text_of(".cfi_startproc; .cfi_lsda 0x1b,.LX; movl $0, %eax; ret; .cfi_endproc")
    text += '\t.section\t.gcc_except_table,"a",@progbits\n.LX:\n\t.byte\t0\n'
    assert "movl\t$0, %eax" in made_of(text)


def test_directives_stay_where_they_are() -> None:
    text = text_of(
        ".cfi_startproc; movl $0, %ecx; .cfi_undefined 3; movl %ecx, %eax; ret; .cfi_endproc"
    )
    lines = [one.strip() for one in made_of(text).splitlines()]
    assert lines.index("xorl\t%ecx, %ecx") + 1 == lines.index(".cfi_undefined\t3")


def test_an_alias_is_a_function_of_the_unit() -> None:
    call = "movq %rdi, %rbx; call g; movl %edi, %eax; ret"
    assert "xchgl" in made_of(text_of(call))
    assert "xchgl" not in made_of(text_of(call) + "\t.set\tg, f\n")


def test_a_unit_with_debug_data_is_left_alone() -> None:
    text = text_of("movl $0, %eax; ret")
    assert "xorl" in made_of(text)
    assert "xorl" not in made_of(text.replace("\tmovl", '\t.file 1 "f.c"\n\t.loc 1 1\n\tmovl'))


def test_a_function_by_another_convention_is_left_alone() -> None:
    text = text_of("movl $0, %eax; ret")
    assert "xorl" not in made_of(
        text.replace("f:", "__regcall3__f:").replace("f,", "__regcall3__f,")
    )


def test_a_unit_for_another_machine_is_left_alone() -> None:
    unit = read_unit("\tmov\tw0, #0\n\tret\n", Machine.AARCH64)
    assert rewriter(Objective.SMALLEST).rewrite(unit)[0] is unit


def test_windows_with_other_names_are_one(tmp_path: Path) -> None:
    store = LocalStore(str(tmp_path), 1 << 20)
    add = "movl {0}(%rip), %esi; addl $5, %esi; movl %esi, {0}(%rip);"
    body = add.format("v") + add.format("w") + add.format("v+4") + "ret"
    expected = ["addl $5, v(%rip)", "addl $5, w(%rip)", "addl $5, v+4(%rip)", "ret"]
    assert rewritten(body, store=store) == expected
    assert len(list(store.rows())) == 2
