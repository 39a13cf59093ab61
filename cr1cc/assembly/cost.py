"""A predicted cost of a run of instructions.

    cost = longest path in cycles + micro-operations / 4

The path goes from registers and flags before the run to whatever is written, through what each
instruction reads and gives. Latencies and micro-operations are rounded figures of common x86-64
processors of the last ten years, by kind of instruction; four micro-operations a cycle is what
the narrowest of them sustain. It ranks instructions of one window, and says nothing of time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from cr1cc.rewrite.effects import effects
from cr1cc.rewrite.instruction import Instruction, Memory, Vector
from cr1cc.rewrite.places import Register, flags, whole

_LOAD = 4  # cycles from an address to the value
_PER_CYCLE = 4
_VECTOR_WIDTH = 16


class Kind(NamedTuple):
    """`latency` in cycles, `micro`-operations, without those of accesses to memory."""

    latency: float = 1
    micro: float = 1


_KINDS: dict[str, Kind] = {
    "imul": Kind(3), "xchg": Kind(2, 3), "cltd": Kind(), "cqto": Kind(), "adc": Kind(),
    "sbb": Kind(), "bswap": Kind(1, 1), "nop": Kind(0),
}  # fmt: skip
_BY_COUNT = Kind(2, 3)  # a shift by %cl
_SLOW_ADDRESS = Kind(2)  # lea with base, index and offset
_FLAG_READERS = Kind(1, 2)  # of two flags that are not renamed together: be, a
_IDIOM = Kind(0)  # a register that is cleared, or moved
_JUMP = Kind(1, 1)
_BETWEEN = 2  # cycles from a general register to a vector or back
_VECTOR: dict[str, Kind] = {"pmuludq": Kind(5), "pmullw": Kind(5), "pmulhw": Kind(5)}
_CARRY_AND_ZERO = flags("cf", "zf")


def cost(run: Sequence[Instruction]) -> float:
    """Of a run; a multiple of a quarter."""
    ready: dict[int, float] = {}  # cycles by the bit of a place
    longest, micro = 0.0, 0.0
    for one in run:
        kind = _kind(one)
        found = effects(one)
        reads, writes = found.reads, found.kills | _written(one)
        if (last := _narrow(one)) is not None:  # what is above stays, so the register is read
            reads |= whole(last.number)
        start = max((ready.get(bit, 0.0) for bit in _bits(reads)), default=0.0)
        end = start + kind.latency + (_LOAD if _loads(one) else 0)
        for bit in _bits(writes):
            ready[bit] = end
        longest = max(longest, end)
        micro += kind.micro + _accesses(one)
    return round((longest + micro / _PER_CYCLE) * _PER_CYCLE) / _PER_CYCLE


def _kind(one: Instruction) -> Kind:
    stem, operands = one.stem, one.operands
    if one.width == _VECTOR_WIDTH:
        return _vector_kind(one)
    if stem in ("shl", "sal", "shr", "sar") and len(operands) == 2 and _is_register(operands[0]):
        return _BY_COUNT
    if stem == "lea" and isinstance(operands[0], Memory):
        address = operands[0]
        slow = len(address.registers) == 2 and (address.offset or address.symbolic)
        return _SLOW_ADDRESS if slow else Kind()
    if stem in ("mov", "movabs"):
        if _narrow(one) is not None:
            return Kind()
        plain = _is_register(operands[0]) and _is_register(operands[1]) and one.width >= 4
        stores = isinstance(operands[-1], Memory) or isinstance(operands[0], Memory)
        return _IDIOM if plain else Kind(0, 0) if stores else Kind()
    if stem.startswith(("movz", "movs")) and isinstance(operands[0], Memory):
        return Kind(0, 0)
    if stem in ("xor", "sub") and operands[0] == operands[1] and one.width >= 4:
        return _IDIOM
    if stem.startswith(("set", "cmov")) and effects(one).reads & _CARRY_AND_ZERO == _CARRY_AND_ZERO:
        return _FLAG_READERS
    return _KINDS.get(stem, _JUMP if stem.startswith("j") else Kind())


def _vector_kind(one: Instruction) -> Kind:
    if any(isinstance(operand, Memory) for operand in one.operands) and one.stem.startswith("mov"):
        return Kind(0, 0)
    if any(_is_register(operand) for operand in one.operands):
        return Kind(_BETWEEN)
    if len(one.operands) == 2 and one.operands[0] == one.operands[1]:
        return _IDIOM if one.stem in ("pxor", "xorps", "xorpd") else Kind()
    return _VECTOR.get(one.stem, Kind())


def _narrow(one: Instruction) -> Register | None:
    """The register of which an instruction writes less than 32 bits."""
    last = one.operands[-1] if one.operands else None
    if isinstance(last, Register) and last.width < 4 and one.stem not in ("cmp", "test", "bt"):
        return last
    return None


def _is_register(operand: object) -> bool:
    return isinstance(operand, Register)


def _accesses(one: Instruction) -> int:
    """Micro-operations for memory."""
    if one.stem in ("lea", "nop") or not any(isinstance(x, Memory) for x in one.operands):
        return 0
    stores = isinstance(one.operands[-1], Memory) and one.stem not in ("cmp", "test", "bt")
    return int(stores) + int(_loads(one))


def _loads(one: Instruction) -> bool:
    if one.stem in ("lea", "nop"):
        return False
    *sources, target = one.operands or (None,)
    if any(isinstance(operand, Memory) for operand in sources):
        return True
    only_written = one.stem.startswith(("mov", "set"))
    return isinstance(target, Memory) and not only_written


def _written(one: Instruction) -> int:
    last = one.operands[-1] if one.operands else None
    if one.stem in ("cmp", "test", "bt", "push"):
        return 0
    if isinstance(last, Register):
        return last.written
    return last.places if isinstance(last, Vector) else 0


def _bits(places: int) -> Iterable[int]:
    while places:
        low = places & -places
        yield low
        places ^= low
