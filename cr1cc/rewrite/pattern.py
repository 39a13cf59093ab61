"""Patterns of instructions with variables, and what is built from what they matched.

    mov.lq  m, r; add.W r, s

An instruction is a stem, behind the dot its width or widths (b, w, l, q; W: as in the first
instruction), and operands. `r s t d` are general registers, of the width of the instruction or,
`r.b`, another one; `m n` operands in memory; `x y` registers, numbers or memory; `$i $j $k`
numbers; `$5` this number; `L` where a jump goes; `i(r)`, `(r,s,1)` and `i(,r,k)` parts of an
address. A variable is the same each time, different ones may be the same but for registers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from cr1cc.rewrite import instruction as i
from cr1cc.rewrite.instruction import Immediate, Instruction, Label, Memory, Operand
from cr1cc.rewrite.places import GENERAL, REGISTERS, Register

_WIDTHS = {"b": 1, "w": 2, "l": 4, "q": 8}
_SOURCE_WIDTH = {"movzb": 1, "movsb": 1, "movzw": 2, "movsw": 2, "movsl": 4}
_REGISTER = re.compile(r"([rstd])(?:\.([bwlq]))?")
_ADDRESS = re.compile(r"([ijk]|-?\d+)?\(([rstd])?(?:,([rstd]),(k|\d))?\)")

# A register's number, a number, or an operand, by the name of the variable; "W" is a width.
Bindings = dict[str, "int | Operand"]


class Part(NamedTuple):
    """One instruction of a pattern. `widths`: in bytes; 0 stands for W."""

    stem: str
    widths: tuple[int, ...]
    operands: tuple[str, ...]


@cache
def pattern(text: str) -> tuple[Part, ...]:
    """The instructions of a pattern; an empty text has none."""
    return tuple(_part(one.strip()) for one in text.split(";") if one.strip())


def _part(text: str) -> Part:
    name, _, rest = text.partition(" ")
    stem, _, letters = name.partition(".")
    widths = (0,) if letters == "W" else tuple(_WIDTHS[letter] for letter in letters)
    operands = re.split(r",\s*(?![^(]*\))", rest.strip()) if rest.strip() else []
    return Part(stem, widths, tuple(operands))


def could_match(part: Part, one: Instruction) -> bool:
    """Whether the kinds of operands are those of the pattern: what `matched` finds, too, sooner."""
    return len(part.operands) == len(one.operands) and all(
        isinstance(operand, _kinds(text))
        for text, operand in zip(part.operands, one.operands, strict=True)
    )


@cache
def _kinds(text: str) -> tuple[type, ...]:
    if text in "xy":
        return Register, Immediate, Memory
    if text == "L":
        return (Label,)
    if text[0] == "$":
        return (Immediate,)
    return (Register,) if text[0] == "%" or _REGISTER.fullmatch(text) else (Memory,)


def matched(parts: Sequence[Part], window: Sequence[Instruction]) -> Bindings | None:
    """The meaning of the variables, None if the window is something else."""
    found: Bindings = {}
    for part, one in zip(parts, window, strict=True):
        if part.stem != one.stem or len(part.operands) != len(one.operands):
            return None
        if part.widths and one.width not in _meant(part, found):
            return None
        found.setdefault("W", one.width)
        for number, (text, operand) in enumerate(zip(part.operands, one.operands, strict=True)):
            if not _bind(text, operand, _width(part, one.width, number), found):
                return None
    numbers = [value for name, value in found.items() if name in "rstd"]
    return found if len(set(numbers)) == len(numbers) else None


def _meant(part: Part, found: Bindings) -> tuple[int, ...]:
    if part.widths == (0,):
        width = found["W"]
        assert isinstance(width, int)
        return (width,)
    return part.widths


def _width(part: Part, width: int, number: int) -> int:
    """Of an operand without a width of its own."""
    if part.stem in _SOURCE_WIDTH and number == 0:
        return _SOURCE_WIDTH[part.stem]
    return width


def _bind(text: str, operand: Operand, width: int, found: Bindings) -> bool:
    if text[0] == "$":
        if not isinstance(operand, Immediate) or operand.value is None:
            return False
        return _same(text[1:], operand.value, found)
    if text[0] == "%":
        return str(operand) == text
    if match := _REGISTER.fullmatch(text):
        wanted = _WIDTHS[match[2]] if match[2] else width
        if not isinstance(operand, Register) or operand.high or operand.width != wanted:
            return False
        return operand.number != 4 and _same(match[1], operand.number, found)
    if text in "mn":
        return isinstance(operand, Memory) and _same(text, operand, found)
    if text in "xy":
        plain = not isinstance(operand, Register) or (
            operand.width == width and not operand.high and operand.number != 4
        )
        return plain and not isinstance(operand, Label) and _same(text, operand, found)
    if text == "L":
        return isinstance(operand, Label) and not operand.star and _same(text, operand, found)
    return _bind_address(text, operand, found)


def _bind_address(text: str, operand: Operand, found: Bindings) -> bool:
    match = _ADDRESS.fullmatch(text)
    assert match, text
    if not isinstance(operand, Memory) or operand.relative or operand.symbolic or operand.segment:
        return False
    registers = list(operand.registers)
    index = registers.pop() if operand.indexed else None
    base = registers.pop() if registers else None
    for name, register in ((match[2], base), (match[3], index)):
        if (name is None) != (register is None):
            return False
        if name and register and not _same(name, register.number, found):
            return False
    if index and not _same(match[4], operand.scale, found):
        return False
    return _same(match[1] or "0", operand.offset, found)


def _same(name: str, value: int | Operand, found: Bindings) -> bool:
    if name.lstrip("-").isdigit():
        return int(name) == value
    return found.setdefault(name, value) == value


def built(parts: Sequence[Part], meaning: Mapping[str, int | Operand]) -> list[Instruction]:
    """The instructions that a pattern stands for."""
    return [_built(part, meaning) for part in parts]


def _built(part: Part, meaning: Mapping[str, int | Operand]) -> Instruction:
    width = _number("W", meaning) if part.widths == (0,) else (*part.widths, 1)[0]  # set: a byte
    operands = tuple(
        _operand(text, _width(part, width, number), meaning)
        for number, text in enumerate(part.operands)
    )
    if not part.widths and operands and isinstance(operands[-1], Register):
        width = operands[-1].width
    return i.made(part.stem, width, operands)


def _operand(text: str, width: int, meaning: Mapping[str, int | Operand]) -> Operand:
    if text[0] == "$":
        return i.number(_number(text[1:], meaning))
    if text[0] == "%":
        return REGISTERS[text[1:]]
    if match := _REGISTER.fullmatch(text):
        return Register(_number(match[1], meaning), _WIDTHS[match[2]] if match[2] else width)
    if text in "mnxyL":
        found = meaning[text]
        assert not isinstance(found, int)
        return found
    match = _ADDRESS.fullmatch(text)
    assert match, text
    offset = _number(match[1], meaning) if match[1] else 0
    names = [f"%{GENERAL[_number(name, meaning)]}" if name else "" for name in match.group(2, 3)]
    inner = names[0]
    if match[3]:
        inner += f",{names[1]},{_number(match[4], meaning)}"
    return i.memory(f"{offset or ''}({inner})")


def _number(name: str, meaning: Mapping[str, int | Operand]) -> int:
    if name.lstrip("-").isdigit():
        return int(name)
    value = meaning[name]
    assert isinstance(value, int)
    return value
