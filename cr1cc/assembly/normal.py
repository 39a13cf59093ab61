"""The normal form of a window: equal for windows that differ only in names.

A window is a run of at most SIZE instructions of one basic block, without calls; a conditional
jump may stand at its end. Its lines are AT&T syntax, `movl %n0d, %eax`, with these names:

    %n0 %n0d %n0w %n0b   a general register that needs no REX prefix, in 64, 32, 16, 8 bits
    %x0 %x0d %x0w %x0b   one of r8 to r15
    %v0 %w0              one of xmm0 to xmm7, and of xmm8 to xmm15
    N0 -N0               a number of at most 32 bits, and a negative one
    Q0 -Q0               one that needs 64 bits
    S0 L0                a symbol, and where a jump goes

Each counts from 0 in the order of first appearance. Other registers keep their names: rax, which
has short encodings, and rsp always; rcx, rdx and rbp where an instruction names them implicitly,
and a register of which bits 8 to 15 are named. Numbers of at most a byte, powers of two, these
less one, and negative ones are written out, because rewrites depend on their values.

`live` names what must be the same behind the window: registers, without the percent sign, by their
low part that matters, and flags. All that the window does not name must be the same, too.

The way back (`names.py`) is a mapping of names to what they stand for. Encodings may differ by a
byte between windows of one normal form (byte registers of rsi, bases of r12), so bytes are
measured again where a window is replaced.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cr1cc.assembly.names import REAL_TOKEN, UNNAMED, Names, implicit, is_plain, spelled, spellings
from cr1cc.errors import AsmError
from cr1cc.rewrite.effects import UNKNOWN, effects
from cr1cc.rewrite.instruction import Instruction, Label, Memory, Operand
from cr1cc.rewrite.places import FLAGS, PARTS, REGISTERS, Register, flags, vector
from cr1cc.rewrite.stems import CONDITIONAL, SHIFTS

SIZE = 6
_ALWAYS = frozenset((0, 4))  # rax, rsp
_FIRST_EXTENDED = _FIRST_WIDE_VECTOR = 8
_SHARES = ((1, 0b0001), (2, 0b0011), (4, 0b0111), (8, 0b1111))  # parts of a register by width
_CL = Register(1, 1)
_ALONE = frozenset(("call", "ret", "jmp", "ud2", "hlt", "nop", "endbr64"))
_LABEL = re.compile(r"[A-Za-z_.][\w.$]*(?:@PLT)?")


class Normal(NamedTuple):
    """A window in the normal form, and what its names stand for."""

    lines: tuple[str, ...]
    live: tuple[str, ...]
    names: Names


def normalised(window: Sequence[Instruction], places: int) -> Normal | None:
    """The normal form of a window behind which `places` must be equal; None for what has none."""
    if not 0 < len(window) <= SIZE or not all(map(_is_plain, window)):
        return None
    if any(map(is_jump, window[:-1])):
        return None
    try:
        return _Namer(window).normal(places)
    except _NamelessError:
        return None


def _is_plain(one: Instruction) -> bool:
    return one.stem not in _ALONE and effects(one) != UNKNOWN


def is_jump(one: Instruction) -> bool:
    """Whether it is a conditional jump."""
    return one.stem in CONDITIONAL and one.stem.startswith("j")


class _NamelessError(Exception):
    """Something that the normal form has no name for."""


class _Namer:
    """Gives names to what a window names."""

    def __init__(self, window: Sequence[Instruction]) -> None:
        self._window = window
        self._slots: dict[str, str] = {}  # names by what they stand for
        self._registers: dict[int, str] = {}  # slots of general registers, "" for kept names
        self._counts: dict[str, int] = {}
        for number in sorted({number for one in window for number in _kept(one)}):
            self._call(number, "")

    def normal(self, places: int) -> Normal:
        lines = tuple(map(self._line, self._window))
        names = {name: real for real, name in self._slots.items()}
        return Normal(lines, tuple(self._live(places)), names)

    def _line(self, one: Instruction) -> str:
        mnemonic = spelled(one).partition("\t")[0]
        operands = ", ".join(map(self._operand, one.operands))
        return f"{mnemonic} {operands}".strip()

    def _operand(self, operand: Operand) -> str:
        if isinstance(operand, Label):
            if operand.star or not _LABEL.fullmatch(operand.text):
                raise _NamelessError
            return self._slot("L", operand.text)
        text = str(operand).replace(" ", "")
        if '"' in text:
            raise _NamelessError
        return REAL_TOKEN.sub(self._token, text)

    def _token(self, match: re.Match[str]) -> str:
        text = match.group()
        if text[0] == "@" or text in UNNAMED:
            return text
        if text[0] == "%":
            return self._register(text)
        if text[0] == "-" or text[0].isdigit():
            return self._number(text)
        return self._slot("S", text)

    def _register(self, text: str) -> str:
        if text.startswith("%xmm"):
            return self._slot("%v" if int(text[4:]) < _FIRST_WIDE_VECTOR else "%w", text)
        register = REGISTERS.get(text[1:])
        if register is None:
            raise _NamelessError
        if register.number not in self._registers:
            kind = "x" if register.number >= _FIRST_EXTENDED else "n"
            self._call(register.number, f"{kind}{self._next(kind)}")
        return self._slots[text]

    def _number(self, text: str) -> str:
        try:
            if is_plain(text):
                return str(int(text, 0))
        except AsmError:
            raise _NamelessError from None
        value = int(text, 0)
        size = abs(value)
        return "-" * (value < 0) + self._slot("Q" if size >> 31 else "N", str(size))

    def _call(self, number: int, slot: str) -> None:
        self._registers[number] = slot
        self._slots |= {real: name for name, real in spellings(slot, number).items()}

    def _slot(self, kind: str, text: str) -> str:
        if text not in self._slots:
            self._slots[text] = f"{kind}{self._next(kind)}"
        return self._slots[text]

    def _next(self, kind: str) -> int:
        self._counts[kind] = self._counts.get(kind, -1) + 1
        return self._counts[kind]

    def _live(self, places: int) -> Iterator[str]:
        for number in self._registers:
            share = places >> PARTS * number & 0b1111
            width = next(width for width, some in _SHARES if not share & ~some)
            if share:
                yield self._slots[str(Register(number, width))].removeprefix("%")
        for real, name in self._slots.items():
            if real.startswith("%xmm") and places & vector(int(real[4:])):
                yield name.removeprefix("%")
        yield from (name for name in FLAGS if places & flags(name))


def _kept(one: Instruction) -> set[int]:
    """The general registers that keep their names because of an instruction."""
    found = set(implicit(one.stem))
    if one.stem in SHIFTS and len(one.operands) == 2 and one.operands[0] == _CL:
        found.add(_CL.number)
    for operand in one.operands:
        if isinstance(operand, Register):
            found |= {operand.number} & ({operand.number} if operand.high else _ALWAYS)
        elif isinstance(operand, Memory):
            found |= {register.number for register in operand.registers} & _ALWAYS
    return found
