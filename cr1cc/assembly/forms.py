"""The instructions that the model of assembly reads and writes: a row for each form.

A form is a mnemonic with the kinds of its operands, in the order of the text:

    rb rw rl rq   a general register of 8, 16, 32, 64 bits
    v             a vector register
    m             memory
    ib iw il iq   a number that fits the width (iq: 32 bits with sign); Q one of 64 bits
    c5 c6 k       a count below 32 or 64; an unsigned byte
    cl            %cl
    L             where a jump goes

Forms are what proofs know (`cr1cc/prove/instructions.py`) and liveness (`cr1cc/rewrite/stems.py`),
in the spelling of the normal form. Whatever operands are put in, the assembler takes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

WIDTHS = {"b": 1, "w": 2, "l": 4, "q": 8}
_COUNTS = {"b": "c5", "w": "c5", "l": "c5", "q": "c6"}
_CONDITIONS = (
    "o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g",
)  # fmt: skip


class Form(NamedTuple):
    """`needs`: the registers that it names implicitly."""

    mnemonic: str
    kinds: tuple[str, ...]
    needs: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join((self.mnemonic, ",".join(self.kinds))).strip()

    @property
    def jumps(self) -> bool:
        return "L" in self.kinds

    @property
    def accesses(self) -> bool:
        """Whether it accesses what its operand in memory stands for, or the stack."""
        return ("m" in self.kinds and not self.mnemonic.startswith("lea")) or "rsp" in self.needs


# Mnemonics, widths, operands. `*` is the letter of the width, `#` the count that goes with it;
# `r`, `i` have the width of the row.
_ROWS: tuple[tuple[str, str, str], ...] = (
    ("mov", "bwlq", "i,r i,m r,r r,m m,r"),
    ("add or adc sbb and sub xor cmp", "bwlq", "i,r i,m r,r r,m m,r"),
    ("test", "bwlq", "i,r i,m r,r r,m"),
    ("lea", "wlq", "m,r"),
    ("inc dec neg not", "bwlq", "r m"),
    ("shl shr sar", "bwlq", "r m #,r #,m cl,r cl,m"),
    ("imul", "wlq", "r,r m,r i,r,r i,m,r"),
    ("bt", "wlq", "#,r r,r"),
    ("bswap", "lq", "r"),
    ("xchg", "bwlq", "r,r"),
    ("push", "q", "r i m"),
    ("pop", "q", "r m"),
    ("movabs", "q", "Q,r"),
    ("movzb movsb", "wlq", "rb,r m,r"),
    ("movzw movsw", "lq", "rw,r m,r"),
    ("movsl", "q", "rl,r m,r"),
)
_FIXED: tuple[tuple[str, str], ...] = (
    (" ".join(f"cmov{one}" for one in _CONDITIONS), "rw,rw m,rw rl,rl m,rl rq,rq m,rq"),
    (" ".join(f"set{one}" for one in _CONDITIONS), "rb m"),
    (" ".join(f"j{one}" for one in _CONDITIONS), "L"),
    ("cltq cwtl cltd cqto leave", ""),
    # vectors
    ("movaps movapd movups movupd movdqa movdqu movss movsd", "v,v v,m m,v"),
    ("movd", "rl,v v,rl m,v v,m"),
    ("movq", "rq,v v,rq v,v m,v v,m"),
    ("movhps movlps movhpd movlpd", "m,v v,m"),
    ("movhlps movlhps", "v,v"),
    ("movmskps movmskpd", "v,rl"),
    ("andps andpd andnps andnpd orps orpd xorps xorpd pand pandn por pxor", "v,v m,v"),
    ("paddb paddw paddd paddq psubb psubw psubd psubq", "v,v m,v"),
    ("pcmpeqb pcmpeqw pcmpeqd pcmpgtb pcmpgtw pcmpgtd", "v,v m,v"),
    ("punpcklbw punpcklwd punpckldq punpcklqdq punpckhbw punpckhwd punpckhdq punpckhqdq",
     "v,v m,v"),
    ("unpcklps unpckhps unpcklpd unpckhpd pmuludq pmullw pmulhw", "v,v m,v"),
    ("pshufd pshuflw pshufhw", "k,v,v k,m,v"),
    ("psllw pslld psllq psrlw psrld psrlq psraw psrad pslldq psrldq", "k,v"),
)  # fmt: skip
_NEEDS = {
    "cltq": ("rax",), "cwtl": ("rax",), "cltd": ("rax", "rdx"), "cqto": ("rax", "rdx"),
    "leave": ("rsp", "rbp"), "pushq": ("rsp",), "popq": ("rsp",),
}  # fmt: skip


def _forms() -> Iterator[Form]:
    for stems, letters, shapes in _ROWS:
        for stem in stems.split():
            for letter in letters:
                for shape in shapes.split():
                    kinds = tuple(_kind(kind, letter) for kind in shape.split(","))
                    yield _form(stem + letter, kinds)
    for stems, shapes in _FIXED:
        for stem in stems.split():
            for shape in shapes.split() or [""]:
                yield _form(stem, tuple(shape.split(",")) if shape else ())


def _kind(kind: str, letter: str) -> str:
    return _COUNTS[letter] if kind == "#" else kind + letter if kind in ("r", "i") else kind


def _form(mnemonic: str, kinds: tuple[str, ...]) -> Form:
    return Form(mnemonic, kinds, (*_NEEDS.get(mnemonic, ()), *(("rcx",) if "cl" in kinds else ())))


FORMS: tuple[Form, ...] = tuple(_forms())
