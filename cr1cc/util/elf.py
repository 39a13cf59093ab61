"""Read what a decision needs from an ELF relocatable: sections, symbols, sizes.

A few struct reads, because every emitted candidate is measured with it; the tests
compare it with pyelftools. Names and values are those of the System V gABI.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass

SHT_SYMTAB = 2
SHT_RELA = 4
SHT_NOTE = 7
SHT_NOBITS = 8
SHT_REL = 9
SHT_SYMTAB_SHNDX = 18
SHF_WRITE = 0x1
SHF_ALLOC = 0x2
SHF_EXECINSTR = 0x4
SHF_TLS = 0x400
SHN_UNDEF = 0
SHN_XINDEX = 0xFFFF
SHN_ABS = 0xFFF1
SHN_COMMON = 0xFFF2
STB_LOCAL = 0
STB_GLOBAL = 1
STB_WEAK = 2
STT_OBJECT = 1
STT_FUNC = 2
STT_SECTION = 3
STT_FILE = 4
STT_GNU_IFUNC = 10
ELFOSABI_GNU = 3


class NotElfError(ValueError):
    """The bytes are not an ELF file that this reader understands."""


@dataclass(frozen=True)
class Section:
    name: str
    type: int
    flags: int
    offset: int
    size: int
    link: int
    entry_size: int
    alignment: int = 1
    info: int = 0  # of relocations: the section that they change

    @property
    def loadable(self) -> bool:
        return bool(self.flags & SHF_ALLOC) and self.type != SHT_NOBITS

    @property
    def kind(self) -> str:
        """What a symbol in this section is, whatever the section is called."""
        if self.flags & SHF_TLS:
            return "tls"
        if self.flags & SHF_EXECINSTR:
            return "code"
        if self.flags & SHF_WRITE:
            # .bss against .data is not a difference in kind: an optimiser may find zeroes.
            return "data"
        return "read-only" if self.flags & SHF_ALLOC else "other"


@dataclass(frozen=True)
class Symbol:
    name: str
    type: int
    binding: int
    visibility: int
    section: int
    size: int
    value: int = 0  # where it is in its section

    @property
    def defined(self) -> bool:
        return self.section != SHN_UNDEF


@dataclass(frozen=True)
class Relocation:
    """`offset` in the section that it changes; `symbol`: its number, where 0 is the null one."""

    offset: int
    type: int
    symbol: int
    addend: int


class ObjectFile:
    """Sections at once, symbols on demand. Raises NotElfError."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        with damage_told():
            self._read_header()

    def _read_header(self) -> None:
        data = self.data
        if data[:4] != b"\x7fELF" or data[4] not in (1, 2) or data[5] not in (1, 2):
            raise NotElfError("not an ELF file")
        self.wide = data[4] == 2
        self.order = order = "<" if data[5] == 1 else ">"
        self._symbol_format = order + ("IBBHQQ" if self.wide else "IIIBBH")
        header = order + ("HHIQQQIHHHHHH" if self.wide else "HHIIIIIHHHHHH")
        fields = struct.unpack_from(header, data, 16)
        offset, entry, count, names = fields[5], fields[10], fields[11], fields[12]
        # Class, byte order, OS ABI, machine and processor flags: what must not change.
        self.identity = (data[4], data[5], data[7], fields[1], fields[6])
        section_format = order + ("IIQQQQIIQQ" if self.wide else "IIIIIIIIII")
        if entry != struct.calcsize(section_format) and offset:
            raise NotElfError(f"a damaged ELF file: section headers of {entry} bytes")
        if count == 0 and offset:  # more than SHN_LORESERVE sections: see the gABI on e_shnum
            count = struct.unpack_from(section_format, data, offset)[5]
        raw = [struct.unpack_from(section_format, data, offset + i * entry) for i in range(count)]
        if names == SHN_XINDEX:
            names = raw[0][6]
        table = data[raw[names][4] : raw[names][4] + raw[names][5]] if raw else b""
        self.sections = tuple(
            Section(_string(table, r[0]), r[1], r[2], r[4], r[5], r[6], r[9], r[8], r[7])
            for r in raw
        )

    def loadable_bytes(self) -> int:
        """Sum of sh_size over allocated sections that are not NOBITS."""
        return sum(section.size for section in self.sections if section.loadable)

    def symbols(self) -> Iterator[Symbol]:
        """All symbols but the null one; sections beyond 65,279 have their real index."""
        with damage_told():
            yield from self._symbols()

    def section_of(self, symbol: Symbol) -> Section:
        """Where a symbol is defined. Raises NotElfError if there is no such section."""
        with damage_told():
            return self.sections[symbol.section]

    def _symbols(self) -> Iterator[Symbol]:
        table = next((s for s in self.sections if s.type == SHT_SYMTAB), None)
        if table is None:
            return
        strings = self.sections[table.link]
        names = self.data[strings.offset : strings.offset + strings.size]
        extended = self._extended_indices()
        size = struct.calcsize(self._symbol_format)
        end = table.offset + table.size
        if end > len(self.data):
            raise NotElfError("a damaged ELF file: the symbol table ends behind the file")
        for number, at in enumerate(range(table.offset, end, size)):
            if number == 0:
                continue
            if self.wide:
                name, info, other, section, value, length = struct.unpack_from(
                    self._symbol_format, self.data, at
                )
            else:
                name, value, length, info, other, section = struct.unpack_from(
                    self._symbol_format, self.data, at
                )
            if section == SHN_XINDEX:
                section = extended[number]
            yield Symbol(
                _string(names, name), info & 15, info >> 4, other & 3, section, length, value
            )

    def relocations(self, target: int) -> Iterator[Relocation]:
        """What changes the section with the index `target`. Raises NotElfError."""
        with damage_told():
            yield from self._relocations(target)

    def _relocations(self, target: int) -> Iterator[Relocation]:
        into, low = self.sections[target], 32 if self.wide else 8
        for section in self.sections:
            if section.info != target or section.type not in (SHT_RELA, SHT_REL):
                continue
            explicit = section.type == SHT_RELA
            words = "QQ" if self.wide else "II"
            form = struct.Struct(
                self.order + words + ("" if not explicit else "q" if self.wide else "i")
            )
            for at in range(section.offset, section.offset + section.size, form.size):
                place, info, *addend = form.unpack_from(self.data, at)
                if not explicit:
                    addend += struct.unpack_from(self.order + "i", self.data, into.offset + place)
                yield Relocation(place, info & (1 << low) - 1, info >> low, addend[0])

    def _extended_indices(self) -> tuple[int, ...]:
        table = next((s for s in self.sections if s.type == SHT_SYMTAB_SHNDX), None)
        if table is None:
            return ()
        order = self._symbol_format[0]
        return struct.unpack_from(f"{order}{table.size // 4}I", self.data, table.offset)

    def exports(self) -> set[str]:
        """The names that are defined here for other objects."""
        return {s.name for s in self.symbols() if s.defined and s.binding != STB_LOCAL}

    def needs(self) -> set[str]:
        """The names that other objects have to define."""
        return {s.name for s in self.symbols() if not s.defined and s.binding != STB_LOCAL}

    def function_sizes(self) -> dict[str, int]:
        """st_size of every defined function by name; of equal local names the sum."""
        sizes: dict[str, int] = {}
        for symbol in self.symbols():
            if symbol.type == STT_FUNC and symbol.defined:
                sizes[symbol.name] = sizes.get(symbol.name, 0) + symbol.size
        return sizes


@contextlib.contextmanager
def damage_told() -> Iterator[None]:
    """What reading beyond tables and strings raises, as NotElfError."""
    try:
        yield
    except NotElfError:
        raise
    except (struct.error, IndexError, OverflowError, ValueError) as error:
        raise NotElfError(f"a damaged ELF file: {error}") from None


def _string(table: bytes, offset: int) -> str:
    return table[offset : table.index(b"\0", offset)].decode("utf-8", "surrogateescape")
