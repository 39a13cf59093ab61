"""The instructions that a proof may rest on.

Each row was compared with a processor (tests/unit/prove/test_instructions.py does it again): for
random operands the lifter's formula gives what the processor gives, but for what the row says is
undefined. Undefined by the manuals or wrong in the lifter is the same here: any value, another
one each time. What has no row makes the verdict *unknown*.
"""

from __future__ import annotations

from typing import NamedTuple

FLAGS = ("cf", "pf", "af", "zf", "sf", "of")


class Row(NamedTuple):
    """`undefined`: flags. `isa`: the extension that processors of the base level need not have.
    `memory`: whether it may have an operand in memory. `aligned`: whether 16 bytes in memory
    must be aligned. `least`: bits of its first operand. `immediate`: its last operand
    is one."""

    undefined: tuple[str, ...] = ()
    isa: str = ""
    memory: bool = True
    aligned: bool = True
    least: int = 8
    immediate: bool = False


_AF = ("af",)
_SHIFT = ("af", "of")
_ALL = FLAGS
_PRODUCT = ("pf", "af", "zf", "sf")

_ROWS: tuple[tuple[str, Row], ...] = (
    # moves
    ("mov movabs movzx movsx movsxd lea nop endbr64 cdq cdqe cqo cwde cbw cwd bswap",
     Row()),
    ("cmova cmovae cmovb cmovbe cmove cmovg cmovge cmovl cmovle cmovne cmovno cmovnp cmovns "
     "cmovo cmovp cmovs seta setae setb setbe sete setg setge setl setle setne setno setnp "
     "setns seto setp sets", Row()),
    ("xchg", Row(memory=False)),  # in memory it is atomic
    # arithmetic
    ("add sub cmp neg not inc dec adc sbb clc stc cmc", Row()),
    ("and or xor test", Row(_AF)),
    ("imul mul", Row(_PRODUCT)),
    ("shl shr sar", Row(_SHIFT)),
    ("rol ror", Row(("cf", "af", "of"))),
    ("shld shrd", Row(_SHIFT, least=32)),
    # In memory they reach as far as a register says.
    ("bt bts btr btc", Row(("pf", "af", "sf", "of"), memory=False)),
    ("popcnt", Row(_ALL, isa="popcnt")),
    ("andn blsi blsr blsmsk", Row(_ALL, isa="bmi")),
    ("sarx shlx shrx rorx", Row(isa="bmi2")),
    # jumps
    ("ja jae jb jbe je jg jge jl jle jne jno jnp jns jo jp js", Row()),
    # vectors of the base level
    ("movd movq movss movsd movhps movlps movhpd movlpd movhlps movlhps", Row()),
    ("movups movupd movdqu lddqu", Row(aligned=False)),
    ("movaps movapd movdqa", Row()),
    ("paddb paddw paddd paddq psubb psubw psubd psubq pand pandn por pxor andps andpd andnps "
     "andnpd orps orpd xorps xorpd pcmpeqb pcmpeqw pcmpeqd pcmpgtb pcmpgtw pcmpgtd pminub pmaxub "
     "pminsw pmaxsw pmovmskb pshufd pshufhw pshuflw punpcklbw punpcklwd punpckldq punpcklqdq "
     "punpckhbw punpckhwd punpckhdq punpckhqdq unpcklps unpcklpd unpckhps unpckhpd "
     "pmullw pmulhw pmuludq pmaddwd psrldq pslldq "
     "packssdw packsswb pavgb pavgw movmskps movmskpd pextrw pinsrw",
     Row()),
    ("psllw pslld psllq psrlw psrld psrlq psraw psrad", Row(immediate=True)),
    ("pshufb palignr", Row(isa="ssse3")),
    ("pmulld pminsd pmaxsd pminud pmaxud pminsb pmaxsb pminuw pmaxuw pextrb pextrd "
     "pextrq pinsrb pinsrd pinsrq pmovzxbw pmovzxbd pmovzxbq pmovzxwd pmovzxwq pmovzxdq pmovsxbw "
     "pmovsxbd pmovsxbq pmovsxwd pmovsxwq pmovsxdq", Row(isa="sse4.1")),
)  # fmt: skip

INSTRUCTIONS: dict[str, Row] = {name: row for names, row in _ROWS for name in names.split()}

# What `lifter.py` does itself, because the lifter's own formula is for other ends (a stack at a
# known address), wrong, or blind to a fault.
OWN = frozenset(("push", "pop", "leave", "div", "idiv", "bsf", "bsr", "tzcnt"))
