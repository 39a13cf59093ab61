"""The machine code of a function, and what its relocations refer to.

An assembly text is assembled, because only the assembler knows what a text means; the object is
read from there on.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from cr1cc.asm.reader import read_unit
from cr1cc.asm.unit import AtomKind
from cr1cc.errors import AsmError, GateError, ProofError, UserError
from cr1cc.gate.body import assembled
from cr1cc.util import elf

# psABI for x86-64, table 4.9
PC32, PLT32 = 2, 4
_GOT = {9, 41, 42}  # GOTPCREL, GOTPCRELX, REX_GOTPCRELX
_CLANG_ONLY = re.compile(r"^\s*\.addrsig.*$", re.MULTILINE)  # says nothing of code or data
_ADDRESSES = "read-only data with addresses in it, as a table of jumps"
_SHT_RELA, _SHF_STRINGS, _EM_X86_64 = 4, 0x20, 62


class Relocation(NamedTuple):
    """`offset`: of the field in its section; `symbol`: index in the symbol table."""

    offset: int
    type: int
    symbol: int
    addend: int


class Reference(NamedTuple):
    """What an address stands for: an offset in a section of code (`section` is set), or
    `offset` behind the object `name`. `constant`: the bytes from the object's start on, where
    they can never change; its start is a multiple of `alignment`. `slot`: the address is that
    of the symbol's entry in the global offset table."""

    name: str
    offset: int
    section: int | None = None
    constant: bytes | None = None
    alignment: int = 1
    slot: bool = False
    local: bool = False


@dataclass(frozen=True, eq=False)
class Body:
    """A function in an object: where it begins and ends in its section."""

    unit: CodeUnit
    name: str
    section: int
    start: int
    end: int


def assemble(path: str, env: Mapping[str, str]) -> CodeUnit:
    """The object of an assembly file.

    Raises UserError if the file cannot be read, GateError if it is no assembly for x86-64.
    """
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            text = file.read()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None
    try:
        return unit_of(path, text, env)
    except GateError as error:
        raise UserError(f"{path}: {error}") from None


def unit_of(name: str, text: str, env: Mapping[str, str]) -> CodeUnit:
    """The object of an assembly text; messages call it `name`. Raises GateError."""
    seen = "".join(f"\n\t.globl\t{label}" for label in _constants(text))
    return CodeUnit(name, assembled(f"{_CLANG_ONLY.sub('', text)}{seen}\n", env))


def _constants(text: str) -> Iterator[str]:
    """The labels of read-only data but for strings. Where they are seen from outside, references
    keep the label; else the assembler makes them places in a section, which does not say whether
    the end of one object is meant or the beginning of the next one."""
    try:
        unit = read_unit(text)
    except AsmError:
        return
    for atom in unit.atoms:
        flags = atom.section.flags
        if atom.kind is AtomKind.DATA and "a" in flags and not set("wxTS") & set(flags):
            yield from (label for label in atom.labels if unit.symbols[label].is_local)


class CodeUnit:
    """An object for x86-64. `path` is what messages call it."""

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        self.data = data
        try:
            self._object = elf.ObjectFile(data)
            self._symbols = [None, *self._object.symbols()]
        except elf.NotElfError as error:
            raise UserError(f"{path}: {error}") from None
        if self._object.identity[3] != _EM_X86_64 or not self._object.wide:
            raise UserError(f"{path} is not for x86-64")
        self._relocations = self._read_relocations()

    def _read_relocations(self) -> dict[int, dict[int, Relocation]]:
        found: dict[int, dict[int, Relocation]] = {}
        for table in self._object.sections:
            if table.type == _SHT_RELA:
                rows = found.setdefault(table.info, {})
                for at in range(table.offset, table.offset + table.size, 24):
                    offset, info, addend = struct.unpack_from("<QQq", self.data, at)
                    if offset in rows:
                        raise UserError(f"{self.path}: two relocations of one place")
                    rows[offset] = Relocation(offset, info & 0xFFFFFFFF, info >> 32, addend)
        return found

    def functions(self) -> list[str]:
        """The names of the functions that are defined here."""
        return sorted({s.name for s in self._symbols if s and s.type == elf.STT_FUNC and s.defined})

    def body(self, name: str) -> Body:
        """Raises UserError if there is no such function, or more than one."""
        found = [s for s in self._symbols if s and s.name == name and s.defined]
        found = [s for s in found if s.type == elf.STT_FUNC]
        if len(found) != 1:
            many = "more than one function" if found else "no function"
            raise UserError(f"{self.path} has {many} {name}")
        symbol = found[0]
        if not symbol.size:
            raise UserError(f"{self.path}: {name} has no size (.size is missing)")
        return Body(self, name, symbol.section, symbol.value, symbol.value + symbol.size)

    def function_at(self, section: int, offset: int) -> tuple[str, bool]:
        """The function that begins there, and whether its name is local. Raises ProofError."""
        found = [
            s for s in self._symbols
            if s and s.section == section and s.value == offset and s.type == elf.STT_FUNC
        ]  # fmt: skip
        if len(found) != 1:
            raise ProofError("a call of what is not known as one function")
        return found[0].name, found[0].binding == elf.STB_LOCAL

    def contents(self, section: int) -> bytes:
        one = self._object.sections[section]
        return self.data[one.offset : one.offset + one.size]

    def relocations(self, section: int) -> dict[int, Relocation]:
        """Those of a section, by the offset of their field."""
        return self._relocations.get(section, {})

    def reference(self, relocation: Relocation, end: int) -> Reference:
        """What a relocation relative to the program counter refers to, if the instruction that
        has it ends at `end` of its section. Raises ProofError for other relocations."""
        symbol = self._symbols[relocation.symbol]
        assert symbol is not None
        addend = relocation.addend + end - relocation.offset
        if relocation.type in _GOT:
            if addend:
                raise ProofError("an address beside an entry of the global offset table")
            return Reference(symbol.name, 0, slot=True)
        if relocation.type not in (PC32, PLT32):
            raise ProofError(f"a relocation of type {relocation.type} is not modelled")
        if symbol.section in (elf.SHN_UNDEF, elf.SHN_COMMON):
            return Reference(symbol.name, addend)
        if symbol.section >= len(self._object.sections):
            raise ProofError("a symbol that is no address in a section")
        return self._defined(symbol, addend)

    def _defined(self, symbol: elf.Symbol, addend: int) -> Reference:
        section = self._object.sections[symbol.section]
        local = symbol.binding == elf.STB_LOCAL
        at = symbol.value + addend
        if section.kind == "code":
            return Reference(symbol.name, at, section=symbol.section, local=local)
        if section.kind == "tls":
            raise ProofError("thread-local storage by address")
        if section.kind == "read-only" and symbol.binding != elf.STB_WEAK:
            return self._constant(symbol, at)
        if not local:
            return Reference(symbol.name, addend)
        for one in self._symbols:
            if one is None or one.section != symbol.section or one.type != elf.STT_OBJECT:
                continue
            if one.value <= at < one.value + one.size:
                return Reference(one.name, at - one.value, local=True)
        raise ProofError("a place in the data of the unit that belongs to no object")

    def _constant(self, symbol: elf.Symbol, at: int) -> Reference:
        """Read-only data: the same in two units if the bytes are."""
        section = self._object.sections[symbol.section]
        data = self.contents(symbol.section)
        if symbol.binding != elf.STB_LOCAL:
            return self._object_named(symbol, at, section, data)
        if self.relocations(symbol.section):
            raise ProofError(_ADDRESSES)
        if section.flags & _SHF_STRINGS and section.entry_size == 1 and 0 <= at < len(data):
            data, at = data[at : data.index(0, at) + 1], 0
            name = f"string {data.hex()}"
            return Reference(name, 0, constant=data, local=True)
        return Reference(
            f"constants {_digest(data)}", at, None, data, section.alignment, local=True
        )

    def _object_named(
        self, symbol: elf.Symbol, at: int, section: elf.Section, data: bytes
    ) -> Reference:
        """A constant, up to the next label: by its content alone if the compiler made it."""
        start = symbol.value
        others = (s.value for s in self._symbols if s and s.section == symbol.section)
        end = min((value for value in others if value > start), default=len(data))
        if any(start <= place < end for place in self.relocations(symbol.section)):
            raise ProofError(_ADDRESSES)
        data = data[start:end]
        alignment = min(section.alignment, start & -start) if start else section.alignment
        name = "constant" if symbol.name.startswith(".L") else symbol.name
        return Reference(f"{name} {_digest(data)}", at - start, None, data, alignment)


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()
