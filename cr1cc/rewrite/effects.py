"""What an instruction may read, and what it certainly gives a new value."""

from __future__ import annotations

from typing import NamedTuple

from cr1cc.rewrite import stems
from cr1cc.rewrite.instruction import Immediate, Instruction, Memory, Operand, Vector
from cr1cc.rewrite.places import ALL_FLAGS, ALL_REGISTERS, EVERYTHING, Register
from cr1cc.rewrite.stems import Row

_OUTLINED = "OUTLINED_FUNCTION_"  # a part of its callers, made by clang: it may read flags
_WIDE_COUNT = {1: 31, 2: 31, 4: 31, 8: 63}


class Effects(NamedTuple):
    """Sets of places. What is in neither may change or not, and is not read."""

    reads: int
    kills: int


UNKNOWN = Effects(EVERYTHING, 0)


def effects(one: Instruction) -> Effects:
    """The effects of an instruction, apart from where control goes."""
    if one.stem in ("call", "ret", "ud2", "hlt"):
        if _OUTLINED in one.text:
            return UNKNOWN
        # A callee may take any register, and its caller may know which ones it leaves alone.
        return Effects(ALL_REGISTERS, 0)
    row = _row(one)
    if row is None:
        return UNKNOWN
    form = row.forms.get(len(one.operands), "")
    if row.forms and not form:
        return UNKNOWN
    reads, kills = row.reads, row.kills
    if one.stem in stems.SHIFTS and not _certain(one):
        kills = 0
    if _clears(one):
        form = "-w"
    for operand, use in zip(one.operands, form or "r" * len(one.operands), strict=True):
        more, gone = _operand(operand, use)
        reads |= more
        kills |= gone
    return Effects(reads, kills)


def _row(one: Instruction) -> Row | None:
    for table in (stems.PLAIN, stems.IMPLICIT, stems.CONDITIONAL):
        if one.stem in table:
            return table[one.stem]
    if one.stem in stems.WIDENING:
        return Row({2: "rw"})
    if one.width == 16:
        compares = one.stem.lstrip("u").startswith("comi")
        return Row({len(one.operands): "k" * len(one.operands)}, 0, ALL_FLAGS if compares else 0)
    return None


def _certain(one: Instruction) -> bool:
    """Whether a shift is by a number that is not 0."""
    if len(one.operands) == 1:
        return True
    count = one.operands[0]
    return isinstance(count, Immediate) and bool((count.value or 0) & _WIDE_COUNT[one.width])


def _clears(one: Instruction) -> bool:
    """Whether its result is the same whatever its operand was."""
    if len(one.operands) != 2:
        return False
    source = one.operands[0]
    if isinstance(source, Immediate):
        return (one.stem, source.value) in (("or", -1), ("and", 0))
    return one.stem in ("xor", "sub") and len(set(one.operands)) == 1


def _operand(operand: Operand, use: str) -> tuple[int, int]:
    """What is read and what is killed through an operand that is only read ("r"), only written
    ("w"), changed ("m"), an address that is not accessed ("a"), or used in any way ("k")."""
    if isinstance(operand, Memory):
        return operand.places, 0
    if isinstance(operand, Register):
        if use == "w":
            return 0, operand.written
        if use == "m":
            return operand.read, operand.written
        return (0, 0) if use == "-" else (operand.read, 0)
    if isinstance(operand, Vector):
        return operand.places, 0
    if isinstance(operand, Immediate):
        return 0, 0
    return (ALL_REGISTERS, 0) if operand.star else (0, 0)
