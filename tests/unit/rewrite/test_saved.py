"""Which saved registers may take each other's places, and which have to stay."""

from __future__ import annotations

import pytest

from cr1cc.asm.graph import Graph
from cr1cc.asm.reader import read_unit
from cr1cc.rewrite.code import code_of
from cr1cc.rewrite.places import GENERAL
from cr1cc.rewrite.renaming import addressed, entries
from cr1cc.rewrite.saved import exchangeable
from tests.unit.rewrite.functions import text_of

SAVE = "pushq %r12; pushq %rbx; "
BACK = "popq %rbx; popq %r12; ret"
FRAME = ".cfi_startproc; pushq %rbp; .cfi_offset 6, -16; movq %rsp, %rbp; .cfi_def_cfa_register 6; "
USE = "movq %rdi, %r12; movl %esi, %ebx; call g; addl %ebx, %eax; addl (%r12), %eax; "


def free(text: str) -> set[str]:
    """The registers of `f` that may be exchanged."""
    unit = read_unit(text)
    graph = Graph(unit)
    function = graph.function("f")
    assert function is not None
    code = code_of(unit, function)
    found = exchangeable(code, entries(function), *addressed(graph, function, code))
    return {GENERAL[number] for number in found}


EXCHANGED = {
    "two that are pushed": SAVE + USE + BACK,
    "with room on the stack": f"{SAVE}subq $24, %rsp; {USE} addq $24, %rsp; {BACK}",
    "with room made otherwise": f"{SAVE}leaq -24(%rsp), %rsp; {USE} leaq 24(%rsp), %rsp; {BACK}",
    "with arguments on the stack": f"{SAVE}{USE}pushq $1; pushq %rax; call h; "
        f"addq $16, %rsp; {BACK}",
    "on one way only": f"testl %esi, %esi; je .L1; {SAVE}{USE}popq %rbx; popq %r12; .L1:; ret",
    "in a loop": f"{SAVE}movl $9, %ebx; movq %rdi, %r12; .L1:; movq %r12, %rdi; call g; "
        f"decl %ebx; jne .L1; {BACK}",
    "before a jump to another function": f"{SAVE}{USE}popq %rbx; popq %r12; jmp h",
    "before a conditional one": f"{SAVE}{USE}popq %rbx; popq %r12; testl %eax, %eax; je h; ret",
    "where a call does not come back": f"{SAVE}{USE}testl %eax, %eax; je .L1; {BACK}; "
        ".L1:; call abort",
    "the address of the stack in a register": f"{SAVE}{USE}movq %rsp, %rdi; call h; {BACK}",
    "with a frame that is left": f"{FRAME}{SAVE}{USE}leaq -16(%rbp), %rsp; popq %rbx; popq %r12; "
        "leave; ret",
    "with a frame and room in it": f"{FRAME}{SAVE}subq $16, %rsp; movl %eax, -20(%rbp); {USE}"
        "addq $16, %rsp; popq %rbx; popq %r12; popq %rbp; .cfi_def_cfa 7, 8; ret",
    "with values below": f"{FRAME}{SAVE}{USE}popq %rbx; popq %r12; movq %rbp, %rsp; "
        "popq %rbp; .cfi_def_cfa %rsp, 8; ret",
    "an instruction with a prefix": f"{SAVE}{USE}lock addl %ebx, (%r12); rep stosb; {BACK}",
}  # fmt: skip


@pytest.mark.parametrize("body", EXCHANGED.values(), ids=EXCHANGED)
def test_registers_that_are_saved_and_given_back_may_be_exchanged(body: str) -> None:
    assert free(text_of(body)) == {"rbx", "r12"}


KEPT = {
    "one alone": "pushq %rbx; movl %edi, %ebx; call g; addl %ebx, %eax; popq %rbx; ret",
    "one that is not given back": f"{SAVE}{USE}popq %rax; popq %r12; ret",
    "one that is not given back on one way":
        f"{SAVE}{USE}testl %eax, %eax; je .L1; {BACK}; .L1:; addq $8, %rsp; popq %r12; ret",
    "one that is not saved": f"pushq %r12; {USE}popq %r12; ret",
    "both given back for the other": f"{SAVE}{USE}popq %r12; popq %rbx; ret",
    "one that is read before it has a value": f"{SAVE}addl %ebx, %edi; {USE}{BACK}",
    "one that an address is made of before": f"{SAVE}movl (%rbx), %edi; {USE}{BACK}",
    "one of which a part is written": f"{SAVE}movb $1, %bl; movq %rdi, %r12; call g; {BACK}",
    "one that is pushed as an address":
        f"pushq (%rbx); {SAVE}{USE}popq %rbx; popq %r12; addq $8, %rsp; ret",
    "one that is saved by a move":
        "pushq %r12; movq %rbx, -16(%rsp); subq $16, %rsp; " + USE
        + "addq $16, %rsp; movq -16(%rsp), %rbx; popq %r12; ret",
    "a stack of unknown depth": f"{SAVE}subq %rdi, %rsp; {USE}{BACK}",
    "an aligned stack": f"{SAVE}andq $-32, %rsp; {USE}{BACK}",
    "a stack of two depths": f"{SAVE}{USE}testl %eax, %eax; je .L1; pushq %rax; .L1:; {BACK}",
    "a stack that is not given back": f"{SAVE}{USE}popq %rbx; ret",
    "an exchanged stack": f"{SAVE}{USE}xchgq %rsp, %rax; {BACK}",
    "registers that an instruction uses unseen": f"{SAVE}{USE}cpuid; {BACK}",
    "registers that another one uses unseen": f"{SAVE}{USE}cmpxchg16b (%rdi); {BACK}",
    "the end of a frame": f"{SAVE}{USE}leave; {BACK}",
    "a frame whose base is lost": f"{FRAME}{SAVE}{USE}movl %eax, %ebp; leaq -16(%rbp), %rsp; "
        "popq %rbx; popq %r12; leave; ret",
    "a frame whose base is exchanged": f"{FRAME}{SAVE}{USE}xchgq %rbp, %rax; "
        "leaq -16(%rbp), %rsp; popq %rbx; popq %r12; leave; ret",
    "a frame that was not saved": f"movq %rsp, %rbp; {SAVE}{USE}leave; ret",
    "a frame that ends elsewhere": f"{FRAME}{SAVE}{USE}leaq -8(%rbp), %rsp; popq %rbx; "
        "popq %r12; leave; ret",
    "registers that are never saved": f"{USE}call abort",
    "a place that a call may come back to":
        f"leaq .L1(%rip), %rax; movq %rax, (%rdi); {SAVE}{USE}{BACK}; .L1:; addl %ebx, %eax; ret",
    "a high byte": f"{SAVE}{USE}movb %bh, %al; {BACK}",
    "an unknown instruction": f"{SAVE}{USE}frobnicate %rdi; {BACK}",
    "a jump with a prefix": f"{SAVE}{USE}notrack jmp *%rax; {BACK}",
    "a return with a prefix": f"{SAVE}{USE}popq %rbx; popq %r12; rep ret; {SAVE}{BACK}",
    "a return that takes arguments along": f"{SAVE}{USE}popq %rbx; popq %r12; ret $8",
    "a jump by a count": f"{SAVE}{USE}jrcxz .L1; .L1:; {BACK}",
    "bytes among instructions": f"{SAVE}{USE}.byte 0x90; {BACK}",
    "a jump to who knows where": f"{SAVE}{USE}jmp *%rax; .L1:; addl %ebx, %eax; {BACK}",
    "unwinding by rules of its own": f".cfi_startproc; {SAVE}.cfi_escape 0x16; {USE}{BACK}",
    "another register as the frame's base":
        f".cfi_startproc; {SAVE}.cfi_def_cfa_register 3; {USE}{BACK}",
    "a part that clang made":
        f"{SAVE}{USE}.L1:; OUTLINED_FUNCTION_1:; call OUTLINED_FUNCTION_1; {BACK}",
}  # fmt: skip


@pytest.mark.parametrize("body", KEPT.values(), ids=KEPT)
def test_what_is_not_known_to_be_saved_stays(body: str) -> None:
    assert free(text_of(body)) == set()


def test_a_register_that_has_to_stay_is_no_matter_for_others() -> None:
    body = f"pushq %r13; {SAVE}{USE}movl (%r14), %r13d; popq %rbx; popq %r12; popq %r13; ret"
    assert free(text_of(body)) == {"rbx", "r12", "r13"}


def test_the_base_of_a_frame_stays() -> None:
    body = f"pushq %rbp; movq %rsp, %rbp; {SAVE}{USE}popq %rbx; popq %r12; popq %rbp; ret"
    assert free(text_of(body)) == {"rbx", "r12"}


def test_inline_assembler_may_use_anything() -> None:
    text = text_of(f"{SAVE}{USE}nop; {BACK}").replace("\tnop\n", "#APP\n\tnop\n#NO_APP\n")
    assert "#APP" in text
    assert free(text) == set()


TABLE = """
    .section .rodata
    .align 4
.L4:
    .long .L2-.L4
    .long .L3-.L4
"""


def test_jumps_by_a_table_are_followed() -> None:
    jump = "leaq .L4(%rip), %rdx; movslq (%rdx,%rax,4), %rax; addq %rdx, %rax; jmp *%rax; "
    body = f"{SAVE}{USE}{jump}.L2:; incl %eax; {BACK}; .L3:; decl %ebx; movl %ebx, %eax; {BACK}"
    assert free(text_of(body) + TABLE) == {"rbx", "r12"}
    wrong = f"{SAVE}{USE}{jump}.L2:; incl %eax; {BACK}; .L3:; popq %rbx; popq %rbx; ret"
    assert free(text_of(wrong) + TABLE) == set()


HANDLER = """
    .section .gcc_except_table
    .align 4
.LLSDA0:
    .uleb128 .L2-.LFB0
"""


def test_exceptions_are_followed() -> None:
    begin = f".LFB0:; .cfi_startproc; .cfi_personality 0x3,p; .cfi_lsda 0x3,.LLSDA0; {SAVE}{USE}"
    good = f"{begin}{BACK}; .L2:; addl %ebx, %eax; {BACK}; .cfi_endproc"
    assert free(text_of(good) + HANDLER) == {"rbx", "r12"}
    wrong = f"{begin}{BACK}; .L2:; popq %rax; popq %r12; ret; .cfi_endproc"
    assert "rbx" not in free(text_of(wrong) + HANDLER)
    # Thrown where more lies on the stack than elsewhere.
    deeper = good.replace("call g;", "call g; pushq %rax; call h; popq %rax;")
    assert free(text_of(deeper) + HANDLER) == set()
