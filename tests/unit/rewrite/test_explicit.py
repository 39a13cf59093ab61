"""The instructions that use no saved register unseen, as capstone knows them."""

from __future__ import annotations

import os

import pytest

from cr1cc.asm.reader import read_unit
from cr1cc.asm.statement import Kind
from cr1cc.gate.body import assembled
from cr1cc.rewrite.saved import is_explicit
from cr1cc.util.elf import ObjectFile
from tests.unit.rewrite.functions import text_of

# Of each kind that the table has some; "leave" and "push" are followed by what they do.
KNOWN = """
movl %eax, %ecx; movq (%rdi), %rax; movabsq $77777777777, %rax; movzbl %al, %ecx; movswl %ax, %ecx
movslq %eax, %rcx; movd %eax, %xmm0; movdqu (%rdi), %xmm1; movaps %xmm0, %xmm1; movmskps %xmm0, %eax
vmovups (%rdi), %ymm0; leal (%rdi,%rsi), %eax; leaq 8(%rdi), %rax; leaw (%rdi), %ax
addb $1, %al; subl %eax, %ecx; andq %rax, %rcx; orw %ax, %cx; xorl %eax, %eax; adcl $0, %eax
sbbl %eax, %eax; cmpb $1, (%rdi); testl %eax, %eax; incl %eax; decq (%rdi); negl %eax; notl %eax
mull %ecx; imull %ecx; imull %ecx, %eax; imulq $3, %rax, %rcx; divl %ecx; idivq %rcx
shll $3, %eax; shrq %cl, %rax; sall %eax; sarw $2, %ax; roll $3, %eax; rorl %cl, %eax; rcll %eax
rcrl %eax; shldl $3, %eax, %ecx; shrdq %cl, %rax, %rcx; shlxl %eax, %ecx, %edx
sarxq %rax, %rcx, %rdx; shrxl %eax, (%rdi), %edx; rorxl $3, %eax, %ecx; btl $3, %eax; btsl $3, %eax
btrq $3, %rax; btcl %eax, %ecx; bsfl %eax, %ecx; bsrq %rax, %rcx; tzcntl %eax, %ecx
lzcntl %eax, %ecx; popcntl %eax, %ecx; bswapl %eax; xchgl %eax, %ecx; xaddl %eax, (%rdi)
cmpxchgl %ecx, (%rdi); lock cmpxchgq %rcx, (%rdi); lock addl $1, (%rdi); andnl %eax, %ecx, %edx
bextrl %eax, %ecx, %edx; blsil %eax, %ecx; blsrl %eax, %ecx; blsmskl %eax, %ecx
bzhil %eax, %ecx, %edx; pdepl %eax, %ecx, %edx; pextl %eax, %ecx, %edx; mulxl %eax, %ecx, %esi
adcxl %eax, %ecx; adoxl %eax, %ecx; crc32b %al, %ecx; sete %al; setnbe (%rdi); cmovel %eax, %ecx
cmovnsq %rax, %rcx; cltq; cwtl; cltd; cqto; nop; nopw 0(%rax,%rax); endbr64; ud2; pause
lfence; mfence; sfence; prefetcht0 (%rdi); prefetchw (%rdi); rep stosb; rep movsq; repz cmpsb
repnz scasb; stosq; movsb; lodsl; addps %xmm0, %xmm1; subsd %xmm0, %xmm1; mulss (%rdi), %xmm1
divpd %xmm0, %xmm1; minss %xmm0, %xmm1; maxpd %xmm0, %xmm1; sqrtsd %xmm0, %xmm1
rsqrtss %xmm0, %xmm1; rcpps %xmm0, %xmm1; andps %xmm0, %xmm1; andnpd %xmm0, %xmm1
orps %xmm0, %xmm1; xorpd %xmm0, %xmm1; cmpeqsd %xmm0, %xmm1; cmpltps %xmm0, %xmm1
ucomisd %xmm0, %xmm1; comiss %xmm0, %xmm1; roundsd $3, %xmm0, %xmm1; blendvps %xmm0, %xmm1, %xmm2
shufps $3, %xmm0, %xmm1; unpcklps %xmm0, %xmm1; haddps %xmm0, %xmm1; addsubps %xmm0, %xmm1
dpps $3, %xmm0, %xmm1; cvtsi2sdl %eax, %xmm0; cvttsd2siq %xmm0, %rax; cvtps2pd %xmm0, %xmm1
paddd %xmm0, %xmm1; psubq %xmm0, %xmm1; pmuludq %xmm0, %xmm1; pmullw %xmm0, %xmm1
pmulhuw %xmm0, %xmm1; pmaddwd %xmm0, %xmm1; pand %xmm0, %xmm1; pandn %xmm0, %xmm1
por %xmm0, %xmm1; pxor %xmm0, %xmm1; pcmpeqb %xmm0, %xmm1; pcmpgtd %xmm0, %xmm1
punpcklbw %xmm0, %xmm1; pshufd $3, %xmm0, %xmm1; pshufb %xmm0, %xmm1; packuswb %xmm0, %xmm1
pmaxub %xmm0, %xmm1; pminsd %xmm0, %xmm1; pavgb %xmm0, %xmm1; pabsd %xmm0, %xmm1
psignd %xmm0, %xmm1; pslld $3, %xmm0; psrldq $3, %xmm0; psraw $3, %xmm0; pextrw $3, %xmm0, %eax
pinsrq $1, %rax, %xmm0; pmovmskb %xmm0, %eax; pmovsxbw %xmm0, %xmm1; pmovzxbd %xmm0, %xmm1
psadbw %xmm0, %xmm1; palignr $3, %xmm0, %xmm1; pblendw $3, %xmm0, %xmm1; vzeroupper; vzeroall
vpaddd %ymm0, %ymm1, %ymm2; vpermq $3, %ymm0, %ymm1; vpbroadcastb %xmm0, %ymm1
vextracti128 $1, %ymm0, %xmm1; vinserti128 $1, %xmm0, %ymm1, %ymm2; vbroadcastss %xmm0, %ymm1
vtestps %ymm0, %ymm1; vfmadd231sd %xmm0, %xmm1, %xmm2; vfnmsub132ps %ymm0, %ymm1, %ymm2
fldt (%rdi); fstpt (%rdi); fildl (%rdi); fistpll (%rdi); fisttpl (%rdi); fld1; fldz; fldpi
fnstcw (%rdi); fldcw (%rdi); fnstsw %ax; faddp %st, %st(1); fsubrp %st, %st(1); fmuls (%rdi)
fdivl (%rdi); fiaddl (%rdi); fcomip %st(1), %st; fucomip %st(1), %st; fxch %st(1); fchs; fabs
fsqrt; frndint; fscale; fxam; ftst; fprem; fprem1; f2xm1; fyl2x; fpatan; fptan; fsin; fcos; fsincos
fcmovbe %st(1), %st; fxtract; fnclex; ldmxcsr (%rdi); stmxcsr (%rdi); emms; call g; jmp g; ret
"""

UNSEEN = """
cpuid; cmpxchg8b (%rdi); cmpxchg16b (%rdi); xlatb; enter $8, $0; syscall; sysenter; int $0x80
mwaitx; monitorx; getsec; rsm; pconfig; encls; enclu
"""


def words(text: str) -> list[str]:
    return [one.strip() for line in text.strip().splitlines() for one in line.split(";")]


@pytest.mark.parametrize("text", words(KNOWN))
def test_what_is_known_uses_no_saved_register_unseen(text: str) -> None:
    capstone = pytest.importorskip("capstone")
    unit = read_unit(text_of(text))
    (statement,) = (
        one for piece in unit.pieces for one in piece.statements if one.kind is Kind.INSTRUCTION
    )
    assert is_explicit(statement)
    decoder = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    decoder.detail = True
    found = ObjectFile(assembled(text_of(text), os.environ))
    (code,) = (one for one in found.sections if one.name == ".text")
    data = assembled(text_of(text), os.environ)[code.offset : code.offset + code.size]
    one = next(iter(decoder.disasm(data, 0)))
    used = {one.reg_name(number) for number in (*one.regs_read, *one.regs_write)}
    saved = {"rbx", "ebx", "bx", "bl", "bh", "rbp", "ebp", "bp", "bpl"}
    saved |= {f"r{number}{size}" for number in range(12, 16) for size in ("", "d", "w", "b")}
    assert not used & saved


@pytest.mark.parametrize("text", words(UNSEEN))
def test_what_uses_them_unseen_is_not_known(text: str) -> None:
    name, _, operands = text.partition(" ")
    unit = read_unit(f"\t.text\nf:\n\t{name}\t{operands}\n")
    (statement,) = (
        one for piece in unit.pieces for one in piece.statements if one.kind is Kind.INSTRUCTION
    )
    assert not is_explicit(statement)
