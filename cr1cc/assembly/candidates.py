"""The instructions that a search may put into a window: a table of forms over what it names.

A form is a mnemonic and its operands. `*` is the letter of a width that the window has; `r` a
general register, `b w l q` one of that width, `i` a number, `c` a count below the width, `%cl`;
`m` memory that the window accesses at that width, `a` an address, `v` a vector register.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from cr1cc.assembly.material import Material
from cr1cc.rewrite.instruction import SUFFIXES

_FORMS = (
    "mov* r,r", "mov* i,r", "mov* m,r", "mov* r,m", "mov* i,m", "lea* a,r",
    "movzbl b,l", "movzwl w,l", "movsbl b,l", "movswl w,l", "movsbq b,q", "movswq w,q",
    "movslq l,q", "neg* r", "not* r", "inc* r", "dec* r", "cltq", "cltd", "cqto",
    "imul* r,r", "imul* i,r,r", "imul* m,r", "test* r,r", "test* i,r", "test* i,m",
    "shl* c,r", "shr* c,r", "sar* c,r", "shl* r", "shr* r", "sar* r",
    "shl* %cl,r", "shr* %cl,r", "sar* %cl,r",
)  # fmt: skip
_FROM_MEMORY = {1: ("movzbl m,l", "movsbl m,l", "movsbq m,q"), 2: ("movzwl m,l", "movswl m,l",
                "movswq m,q"), 4: ("movslq m,q",)}  # fmt: skip
_ARITHMETIC = ("add", "sub", "and", "or", "xor", "cmp")
_CARRYING = ("adc", "sbb")
_OPERANDS = ("r,r", "i,r", "m,r", "r,m", "i,m")
_LETTERS = {"b": 1, "w": 2, "l": 4, "q": 8}
USUAL_CONDITIONS = (
    "o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g",
)  # fmt: skip
_IMPLICIT = {"cltq": {"%rax"}, "cltd": {"%rax", "%rdx"}, "cqto": {"%rax", "%rdx"}}
_NO_SUCH = ("leab", "leaw", "imulb")


def candidates(given: Material) -> list[str]:
    """The instructions, as lines of the normal form, each once, in the order of the table."""
    found: dict[str, None] = {}
    for form in _forms(given):
        mnemonic, _, operands = form.partition(" ")
        widths = list(given.widths) if "*" in mnemonic else [0]
        for width in widths:
            name = mnemonic.replace("*", SUFFIXES.get(width, ""))
            kinds = operands.split(",") if operands else []
            choices = [list(_choices(kind, width, given)) for kind in kinds]
            found |= dict.fromkeys(
                f"{name} {', '.join(some)}".strip() for some in product(*choices)
            )
    found |= dict.fromkeys(given.moved)
    return [line for line in found if _is_sensible(line, given)]


def _forms(given: Material) -> Iterator[str]:
    yield from _FORMS
    for stem in (*_ARITHMETIC, *(_CARRYING if given.flags else ())):
        yield from (f"{stem}* {operands}" for operands in _OPERANDS)
    for width in given.memory:
        yield from _FROM_MEMORY.get(width, ())
    if given.flags:
        for condition in USUAL_CONDITIONS:
            yield f"set{condition} b"
            yield from (f"cmov{condition} {one},{one}" for one in "lq")
    if given.vectors:
        yield from ("movaps v,v", "pxor v,v")
    for stem in given.vector_stems:
        yield from (f"{stem} v,v", f"{stem} x,v", f"{stem} v,x")
        if stem in ("movd", "movq"):
            yield from (f"{stem} {one},v" for one in "lq")
            yield from (f"{stem} v,{one}" for one in "lq")


def _choices(kind: str, width: int, given: Material) -> Iterator[str]:
    if kind in _LETTERS:
        yield from (one[_LETTERS[kind]] for one in given.registers)
    elif kind == "r":
        yield from (one[width] for one in given.registers)
    elif kind == "i":
        yield from (f"${text}" for text in given.numbers if _fits(text, width))
    elif kind == "c":
        yield from (f"${count}" for count in given.counts if count < 8 * max(width, 4))
    elif kind == "m":
        yield from given.memory.get(width or 1, ())
    elif kind == "x":
        yield from given.memory.get(16, ())
    elif kind == "a":
        yield from given.addresses
    elif kind == "v":
        yield from given.vectors
    elif kind in given.kept:
        yield kind


def _fits(text: str, width: int) -> bool:
    """Whether a number may stand in an instruction of that width."""
    if "Q" in text:
        return False
    if "N" in text:
        return width > 1
    bits = 8 * min(width, 4)
    return -(1 << bits - 1) <= int(text) < 1 << (bits - (width == 8))


def _is_sensible(line: str, given: Material) -> bool:
    """Whether there is such an instruction, of registers that the window has."""
    needs = _IMPLICIT.get(line)
    if needs is not None:
        return needs <= given.kept
    return line.split()[0] not in _NO_SUCH
