"""A function's bytes as instructions: what each reads, writes, and where it goes.

The only module that imports capstone, which is a part of the extra `prove`.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from cr1cc.errors import GateError, ToolchainError
from cr1cc.gate.instructions import READERS
from cr1cc.util.elf import SHN_ABS, STT_SECTION, NotElfError, ObjectFile, Symbol

OUTSIDE = -1  # a jump that leaves the function
_LOW_BYTES = {"al": "rax", "bl": "rbx", "cl": "rcx", "dl": "rdx"}
_HIGH_BYTES = {"ah": "rax", "bh": "rbx", "ch": "rcx", "dh": "rdx"}


class Memory(NamedTuple):
    """A memory operand. `symbol`: that which the linker puts in, "" without one; `writable`: it
    names something that the program may write to, or that is defined elsewhere. `stored`: an
    instruction may write to it (capstone's own word on that is wrong for some vector moves)."""

    base: str
    indexed_by: str
    scale: int
    offset: int
    segment: str
    symbol: str
    writable: bool
    size: int
    stored: bool


class Instruction(NamedTuple):
    """Registers are the 64-bit ones and xmm0 to xmm31. `target`: the address in the function that
    a direct jump goes to, OUTSIDE if it leaves; `callee`: what a call or such a jump names, "*"
    where a register or memory says it. `operands`: registers' names, numbers or None (memory);
    of two memory operands `memory` is the one that is written."""

    address: int
    size: int
    mnemonic: str
    text: str
    reads: frozenset[str]
    writes: frozenset[str]
    operands: tuple[str | int | None, ...]
    widths: tuple[int, ...]
    memory: Memory | None
    target: int | None
    callee: str
    groups: frozenset[str]


class Code(NamedTuple):
    """The instructions of one function in the order of their addresses; `tables`: the addresses
    in it where an indirect jump may go."""

    instructions: tuple[Instruction, ...]
    tables: frozenset[int]


def decode(data: bytes, name: str, labels: frozenset[str] = frozenset()) -> Code:
    """The code of the function `name` of an ELF object for x86-64. `labels`: those of its code
    that tables refer to; they must be among the symbols (`as --keep-locals`).

    Raises GateError where there is none, or bytes are no instruction; ToolchainError without
    capstone.
    """
    try:
        return _Decoder(ObjectFile(data), name).code(labels)
    except NotElfError as error:
        raise GateError(f"the object cannot be read: {error}") from None


@cache
def _capstone() -> Any:
    try:
        import capstone
    except ImportError:
        raise ToolchainError(
            "instructions are decoded with capstone: install cr1cc[prove]"
        ) from None
    engine = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    engine.detail = True
    return engine


class _Decoder:
    def __init__(self, object_file: ObjectFile, name: str) -> None:
        self._object = object_file
        self._symbols = [None, *object_file.symbols()]
        found = next((s for s in self._symbols if s and s.name == name and s.defined), None)
        if found is None or not found.size:
            raise GateError(f"there is no function {name} with a size")
        self._start, self._end, self._section = found.value, found.value + found.size, found.section
        self._relocations = {one.offset: one for one in object_file.relocations(found.section)}

    def code(self, labels: frozenset[str]) -> Code:
        section = self._object.sections[self._section]
        start, end = section.offset + self._start, section.offset + self._end
        data = self._object.data[start:end]
        found = [self._instruction(one) for one in _capstone().disasm(data, self._start)]
        if sum(one.size for one in found) != len(data):
            at = self._start + sum(one.size for one in found)
            raise GateError(f"the bytes at {at - self._start:#x} are no instruction that is known")
        return Code(tuple(found), self._places(labels))

    def _places(self, labels: frozenset[str]) -> frozenset[int]:
        here = (one for one in self._symbols if one and one.section == self._section)
        return frozenset(one.value for one in here if one.name in labels)

    def _instruction(self, one: Any) -> Instruction:
        reads, writes = one.regs_access()
        groups = frozenset(one.group_name(group) for group in one.groups)
        operands: list[str | int | None] = []
        memory = None
        for index, operand in enumerate(one.operands):
            if operand.type == 1:  # X86_OP_REG
                operands.append(one.reg_name(operand.reg))
            elif operand.type == 2:  # X86_OP_IMM
                operands.append(operand.imm)
            else:
                operands.append(None)
                found = self._memory(one, operand, index)
                memory = memory if memory and memory.stored else found
        written = {_whole(one.reg_name(register)) for register in writes}
        if operands and isinstance(operands[0], str) and one.mnemonic not in READERS:
            written.add(_whole(operands[0]))
        target, callee = self._goes_to(one, operands, groups)
        return Instruction(
            one.address,
            one.size,
            one.mnemonic,
            f"{one.mnemonic} {one.op_str}".strip(),
            frozenset(_whole(one.reg_name(register)) for register in reads),
            frozenset(written),
            tuple(operands),
            tuple(operand.size for operand in one.operands),
            memory,
            target,
            callee,
            groups,
        )

    def _memory(self, one: Any, operand: Any, index: int) -> Memory:
        place = operand.mem
        symbol, writable = self._named(one, one.disp_offset) if one.disp_offset else ("", False)
        # Every instruction that is allowed writes to its first operand, or to none.
        stored = index == 0 and one.mnemonic not in READERS
        stored |= one.mnemonic in ("xchg",)
        return Memory(
            _whole(one.reg_name(place.base) or ""),
            _whole(one.reg_name(place.index) or ""),
            place.scale,
            place.disp,
            one.reg_name(place.segment) or "",
            symbol,
            writable,
            operand.size,
            stored,
        )

    def _named(self, one: Any, field: int) -> tuple[str, bool]:
        """The symbol whose address a field of an instruction gets, and whether it is writable."""
        relocation = self._relocations.get(one.address + field)
        symbol = self._symbols[relocation.symbol] if relocation else None
        if relocation is None or symbol is None:
            return "", False
        if not symbol.defined or symbol.section >= SHN_ABS:
            return symbol.name, True
        place = symbol.value + relocation.addend
        if relocation.type in (2, 4, 9, 41, 42):  # R_X86_64_PC32, PLT32, GOTPCREL and its forms
            place += one.size - field
        found = symbol
        if symbol.type == STT_SECTION:
            found = self._covering(symbol.section, place) or symbol
        section = self._object.sections[symbol.section]
        return found.name or section.name, section.kind == "data"

    def _covering(self, section: int, place: int) -> Symbol | None:
        return next(
            (
                one
                for one in self._symbols
                if one
                and one.section == section
                and one.type != STT_SECTION
                and not one.name.startswith(".L")
                and one.value <= place < one.value + max(one.size, 1)
            ),
            None,
        )

    def _goes_to(
        self, one: Any, operands: list[str | int | None], groups: frozenset[str]
    ) -> tuple[int | None, str]:
        if not groups & {"jump", "call", "branch_relative"}:
            return None, ""
        if not operands or not isinstance(operands[0], int):
            return None, "*"
        for field in range(1, one.size):
            if one.address + field in self._relocations:
                return OUTSIDE, self._named(one, field)[0]
        target = operands[0]
        if self._start <= target < self._end and "call" not in groups:
            return target, ""
        named = self._covering(self._section, target)
        if named is None or named.value != target:
            return OUTSIDE, "?"
        return OUTSIDE, named.name


@cache
def _whole(register: str) -> str:
    """The 64-bit register that a register is a part of; of a vector register, its xmm name."""
    if register in _LOW_BYTES or register in _HIGH_BYTES:
        return (_LOW_BYTES | _HIGH_BYTES)[register]
    if register[:3] in ("ymm", "zmm"):
        return "x" + register[1:]
    if register[:1] == "r" and register[1:2].isdigit():
        return register.rstrip("dwb")
    if register[:1] == "e" and len(register) == 3:
        return "r" + register[1:]
    if register in ("sil", "dil", "bpl", "spl"):
        return "r" + register[:2]
    if register in ("ax", "bx", "cx", "dx", "si", "di", "bp", "sp", "ip"):
        return "r" + register
    return register
