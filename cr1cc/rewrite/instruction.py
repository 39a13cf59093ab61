"""Instructions of x86-64 taken apart: a stem, the width in bytes, and operands.

The syntax is what gcc and clang print (AT&T). Both `cmovnel` and `cmovne` of 32 bits have the
stem "cmovne" and width 4. What is not understood has no operands and the stem "": nothing is
rewritten there, and it reads everything.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from cr1cc.asm.statement import Kind, Statement
from cr1cc.rewrite.places import REGISTERS, Register, vector, whole
from cr1cc.rewrite.stems import CONDITIONAL, FIXED, PLAIN, VECTOR_STEM, WIDENING

_WIDTHS = {"b": 1, "w": 2, "l": 4, "q": 8}
SUFFIXES = {width: suffix for suffix, width in _WIDTHS.items()}
_MEMORY = re.compile(
    r"(?:%(?P<segment>[c-gs]s):)?(?P<offset>[^()%]*)"
    r"(?:\((?P<base>%\w+)?(?:,(?P<index>%\w+)(?:,(?P<scale>[1248]))?)?\))?"
)
_NUMBER = re.compile(r"-?(?:0[xX][0-9a-fA-F]+|[1-9]\d*|0)")


class Immediate(NamedTuple):
    """A number, or with `value` None an expression over symbols."""

    text: str
    value: int | None

    def __str__(self) -> str:
        return "$" + self.text


class Memory(NamedTuple):
    """An operand in memory. `registers`: that its address is made of; `text` as it is written."""

    text: str
    registers: tuple[Register, ...]
    relative: bool  # to the program counter
    symbolic: bool  # its offset is not a number
    offset: int  # of a symbolic one 0
    indexed: Register | None
    scale: int
    segment: str

    def __str__(self) -> str:
        return self.text

    @property
    def places(self) -> int:
        found = 0
        for register in self.registers:
            found |= whole(register.number)
        return found


class Vector(NamedTuple):
    """A register %xmmN."""

    number: int

    def __str__(self) -> str:
        return f"%xmm{self.number}"

    @property
    def places(self) -> int:
        return vector(self.number)


class Label(NamedTuple):
    """Where a jump or a call goes; `star`: to what the operand behind the * holds."""

    text: str
    star: bool

    def __str__(self) -> str:
        return self.text


Operand = Register | Immediate | Memory | Vector | Label


class Instruction(NamedTuple):
    """`width` in bytes, of what is written; 0 where the stem has none."""

    stem: str
    width: int
    operands: tuple[Operand, ...]
    text: str

    def __str__(self) -> str:
        return self.text


def made(stem: str, width: int, operands: tuple[Operand, ...]) -> Instruction:
    """An instruction in the spelling of gcc."""
    name = stem
    if stem in PLAIN or (stem in WIDENING):
        name += SUFFIXES[width]
    listed = ", ".join(map(str, operands))
    return Instruction(stem, width, operands, f"{name}\t{listed}" if listed else name)


def parsed(statement: Statement) -> Instruction:
    """A statement that is an instruction."""
    assert statement.kind is Kind.INSTRUCTION
    text = f"{statement.name}\t{statement.operands}".strip()
    unknown = Instruction("", 0, (), text)
    if statement.inline:
        return unknown
    try:
        operands = tuple(map(_operand, _split(statement.operands)))
    except ValueError:
        return unknown
    stem, width = _named(statement.name, operands)
    if stem in ("jmp", "call") or (stem in CONDITIONAL and stem[0] == "j"):
        operands = (Label(statement.operands, statement.operands.startswith("*")),)
    return Instruction(stem, width, operands, text) if stem else unknown


def _named(name: str, operands: tuple[Operand, ...]) -> tuple[str, int]:
    """Stem and width of a mnemonic, ("", 0) if it is not known."""
    if name in FIXED:
        return FIXED[name]
    if name in CONDITIONAL:
        width = operands[-1].width if operands and isinstance(operands[-1], Register) else 1
        return name, width
    if name[-1:] in "lqw" and name[:-1] in CONDITIONAL and name.startswith("cmov"):
        return name[:-1], _WIDTHS[name[-1]]
    stem, suffix = name[:-1], name[-1:]
    vectors = any(isinstance(one, Vector) for one in operands)
    if suffix in _WIDTHS and (stem in PLAIN or stem in WIDENING) and not vectors:
        return stem, _WIDTHS[suffix]
    if name in PLAIN and operands and isinstance(operands[-1], Register):
        return name, operands[-1].width
    if VECTOR_STEM.fullmatch(name) and any(isinstance(one, Vector) for one in operands):
        return name, 16
    return "", 0


def _split(text: str) -> list[str]:
    """Operands, divided by the commas that stand outside of parentheses."""
    parts, depth, start = [], 0, 0
    for at, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == "," and not depth:
            parts.append(text[start:at].strip())
            start = at + 1
    return [*parts, text[start:].strip()] if text.strip() else []


def _operand(text: str) -> Operand:
    """Raises ValueError for what is not understood."""
    if text.startswith("$"):
        return immediate(text[1:])
    if text.startswith("*"):
        return Label(text, star=True)
    if text.startswith("%") and ":" not in text:
        name = text[1:]
        if name in REGISTERS:
            return REGISTERS[name]
        if name.startswith("xmm") and name[3:].isdigit():
            return Vector(int(name[3:]))
        raise ValueError(text)
    return memory(text)


def immediate(text: str) -> Immediate:
    return Immediate(text, int(text, 0) if _NUMBER.fullmatch(text) else None)


def number(value: int) -> Immediate:
    return Immediate(str(value), value)


def memory(text: str) -> Memory:
    """Raises ValueError for what is not understood."""
    match = _MEMORY.fullmatch(text.replace(" ", ""))
    if match is None:
        raise ValueError(text)
    names = [match[part][1:] for part in ("base", "index") if match[part]]
    relative = "rip" in names
    registers = tuple(REGISTERS[name] for name in names if name not in ("rip", "riz"))
    if any(one.width != 8 for one in registers):
        raise ValueError(text)
    offset = match["offset"]
    plain = not offset or _NUMBER.fullmatch(offset) is not None
    indexed = REGISTERS.get((match["index"] or "%")[1:])
    return Memory(
        text, registers, relative, not plain, int(offset or "0", 0) if plain else 0, indexed,
        int(match["scale"] or 1), match["segment"] or "",
    )  # fmt: skip
