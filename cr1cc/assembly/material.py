"""What a window names: the material of which a search makes instructions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from cr1cc.assembly.names import Names
from cr1cc.rewrite.instruction import Immediate, Instruction, Memory
from cr1cc.rewrite.places import REGISTERS, Register
from cr1cc.rewrite.stems import VECTOR_STEM

_SCALES = (2, 4, 8)
_NEAR_REGISTERS, _NEAR_NUMBERS = 3, 2  # of which other operands in memory are made
_SLOT_NUMBER = re.compile(r"-?[NQ]\d+|-?\d+")


@dataclass(frozen=True)
class Material:
    """What a window names. `registers`: names by width of each general register but the stack
    pointer; `memory`: operands by access width; `addresses`: for lea; `moved`: lines of the
    window that reach memory by other registers."""

    registers: tuple[dict[int, str], ...]
    vectors: tuple[str, ...]
    numbers: tuple[str, ...]
    counts: tuple[int, ...]
    memory: dict[int, tuple[str, ...]]
    addresses: tuple[str, ...]
    moved: tuple[str, ...]
    widths: tuple[int, ...]
    vector_stems: tuple[str, ...]
    flags: bool
    kept: frozenset[str]


def material(lines: Sequence[str], window: Sequence[Instruction], names: Names) -> Material:
    """Of a window, as lines and as what they stand for."""
    registers = _registers(names)
    numbers, counts = _numbers(lines, window)
    memory, addresses, moved = _memory(lines, window, registers, numbers)
    widths = {one.width for one in window if 0 < one.width <= 8}
    widths |= {operand.width for one in window for operand in one.operands
               if isinstance(operand, Register)}  # fmt: skip
    if 8 in widths:
        widths.add(4)
    stems = [one.stem for one in window if VECTOR_STEM.fullmatch(one.stem) and one.width == 16]
    return Material(
        registers,
        tuple(name for name, real in names.items() if real.startswith("%xmm")),
        numbers, counts, memory, addresses, moved,
        tuple(sorted(widths)), tuple(dict.fromkeys(stems)),
        any(one.stem.startswith(("set", "cmov", "adc", "sbb")) for one in window),
        frozenset(name for name in names if name[1:] in REGISTERS),
    )  # fmt: skip


def _registers(names: Names) -> tuple[dict[int, str], ...]:
    found: dict[int, dict[int, str]] = {}
    for name, real in names.items():
        register = REGISTERS.get(real[1:]) if real.startswith("%") else None
        if register and not register.high and register.number != 4:
            found.setdefault(register.number, {})[register.width] = name
    return tuple(found.values())


def _numbers(
    lines: Sequence[str], window: Sequence[Instruction]
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Numbers as they are written, and counts of shifts, with what follows from them."""
    text = " ".join(lines)
    found = dict.fromkeys(filter(_SLOT_NUMBER.fullmatch, re.findall(r"\$(-?\w+)", text)))
    plain = [int(text) for text in found if text.lstrip("-").isdigit()]
    compares = any(one.stem == "cmp" for one in window)
    for value in plain:
        derived = (-value, value - 1, value + 1) if compares else (-value,)
        found |= dict.fromkeys(str(one) for one in derived if -(1 << 31) <= one < 1 << 31)
    found |= dict.fromkeys("-" + text for text in found if text.startswith("N"))
    found |= dict.fromkeys(filter(_SLOT_NUMBER.fullmatch, re.findall(r"(-?\w+)\(%", text)))
    found |= dict.fromkeys(("0", "1", "-1"))
    shifts = [
        one.operands[0].value or 0 for one in window
        if one.stem in ("shl", "shr", "sar", "imul") and isinstance(one.operands[0], Immediate)
    ]  # fmt: skip
    counts = {1, *shifts, *plain, *(a + b for a, b in product(shifts, repeat=2))}
    counts |= {abs(a - b) for a, b in product(shifts, repeat=2)}
    counts |= {value.bit_length() - 1 for value in plain if value > 0}
    return tuple(found), tuple(sorted(one for one in counts if 0 < one < 64))


def _memory(
    lines: Sequence[str], window: Sequence[Instruction],
    registers: Sequence[dict[int, str]], numbers: Sequence[str],
) -> tuple[dict[int, tuple[str, ...]], tuple[str, ...], tuple[str, ...]]:  # fmt: skip
    """Operands in memory by the width of the access, addresses for lea, and the window's own
    accesses by other registers."""
    memory: dict[int, dict[str, None]] = {}
    addresses: dict[str, None] = {}
    moved: dict[str, None] = {}
    used = _in_addresses(window)
    own = tuple(re.findall(r"(?<=\$)-?\d+|-?\d+(?=\()", " ".join(lines)))[:_NEAR_NUMBERS]
    for line, one in zip(lines, window, strict=True):
        for operand, text in zip(one.operands, _texts(line), strict=False):
            if not isinstance(operand, Memory):
                continue
            if one.stem == "lea":
                addresses[text] = None
                continue
            memory.setdefault(_access_width(one), {})[text] = None
            if any(register.number in used for register in operand.registers):
                moved |= dict.fromkeys(line.replace(text, n) for n in _near(text, registers, own))
    names = [one[8] for one in registers]
    addresses |= dict.fromkeys(f"({a},{b})" for a in names for b in names)
    addresses |= dict.fromkeys(f"{n}({a})" for a in names for n in numbers if n != "0")
    addresses |= dict.fromkeys(f"({a},{b},{s})" for a in names for b in names for s in _SCALES)
    addresses |= dict.fromkeys(f"0(,{a},{s})" for a in names for s in _SCALES)
    addresses |= dict.fromkeys(f"{n}({a},{b})" for a in names for b in names for n in own)
    return {width: tuple(some) for width, some in memory.items()}, tuple(addresses), tuple(moved)


def _in_addresses(window: Sequence[Instruction]) -> set[int]:
    """The registers that the window computes, as addresses may be made of."""
    stems = ("lea", "add", "sub", "shl", "inc", "dec", "mov", "movsl")
    targets = [one.operands[-1] for one in window if one.stem in stems]
    return {one.number for one in targets if isinstance(one, Register)}


def _texts(line: str) -> list[str]:
    return re.split(r", (?![^(]*\))", line.partition(" ")[2])


def _access_width(one: Instruction) -> int:
    """Bytes of an access; of vectors 16, which may be less."""
    source = {"movzb": 1, "movsb": 1, "movzw": 2, "movsw": 2, "movsl": 4}.get(one.stem)
    return source or one.width or 1


def _near(text: str, registers: Sequence[dict[int, str]], numbers: Sequence[str]) -> Iterator[str]:
    """Operands whose address may be the same by other registers."""
    offset = text.partition("(")[0]
    names = [one[8] for one in registers][:_NEAR_REGISTERS]
    offsets = {offset}
    if not offset or offset.lstrip("-").isdigit():
        plain = [int(one) for one in numbers if one.lstrip("-").isdigit()]
        sums = {int(offset or "0") + one for one in plain if abs(one) < 1 << 12}
        offsets |= {str(one) if one else "" for one in sums}
    for base in names:
        yield from (f"{one}({base})" for one in sorted(offsets))
        for index in names:
            yield f"{offset}({base},{index})"
            yield from (f"{offset}({base},{index},{scale})" for scale in _SCALES)
