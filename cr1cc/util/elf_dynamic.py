"""The dynamic section of an ELF file: what it needs and where it looks for it.

Just enough of the System V gABI (chapters 4 and 5) to follow a program to its
libraries without starting a process or loading a full ELF reader.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass

_MAGIC = b"\x7fELF"
_PT_LOAD, _PT_DYNAMIC = 1, 2
_DT_NULL, _DT_NEEDED, _DT_STRTAB, _DT_STRSZ, _DT_RPATH, _DT_RUNPATH = 0, 1, 5, 10, 15, 29
_MOST_BYTES = 1 << 24  # a larger dynamic section or string table than this is not a real one


@dataclass(frozen=True)
class Dynamic:
    """`machine` is e_machine with the class (32 or 64); directories are not expanded."""

    machine: tuple[int, int]
    needed: tuple[str, ...] = ()
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Layout:
    """The field layouts of one class and byte order."""

    header: str  # e_machine … e_phnum after e_ident
    segment: str
    entry: str

    @classmethod
    def of(cls, ident: bytes) -> _Layout:
        order = {1: "<", 2: ">"}[ident[5]]
        if ident[4] == 2:
            return cls(order + "HHIQQQIHHH", order + "IIQQQQQQ", order + "qQ")
        return cls(order + "HHIIIIIHHH", order + "IIIIIIII", order + "iI")


def read_dynamic(path: str) -> Dynamic | None:
    """The dynamic section of `path`; None if it cannot be read or is not sound ELF.

    A statically linked program gives a Dynamic that needs nothing.
    """
    try:
        with open(path, "rb") as file:
            return _read(file.fileno())
    except (OSError, struct.error, KeyError, ValueError, OverflowError):
        return None


def _read(fd: int) -> Dynamic | None:
    ident = os.pread(fd, 16, 0)
    if len(ident) < 16 or ident[:4] != _MAGIC or ident[4] not in (1, 2):
        return None
    layout = _Layout.of(ident)
    header = struct.unpack(layout.header, os.pread(fd, struct.calcsize(layout.header), 16))
    machine = (header[1], 64 if ident[4] == 2 else 32)
    loads: list[tuple[int, int, int]] = []  # (address, file offset, size in the file)
    section: tuple[int, int] | None = None
    for kind, offset, address, size in _segments(fd, layout, header[4], header[8], header[9]):
        if kind == _PT_LOAD:
            loads.append((address, offset, size))
        elif kind == _PT_DYNAMIC:
            section = (offset, size)
    if section is None:
        return Dynamic(machine)
    entries = list(_entries(_bytes(fd, *section), layout.entry))
    values = dict(entries)
    strings = _bytes(fd, _offset(loads, values[_DT_STRTAB]), values[_DT_STRSZ])

    def texts(tag: int) -> list[str]:
        return [_text(strings, value) for key, value in entries if key == tag]

    def directories(tag: int) -> tuple[str, ...]:
        return tuple(part for text in texts(tag) for part in text.split(":") if part)

    return Dynamic(
        machine, tuple(texts(_DT_NEEDED)), directories(_DT_RPATH), directories(_DT_RUNPATH)
    )


def _segments(
    fd: int, layout: _Layout, table: int, size: int, count: int
) -> Iterator[tuple[int, int, int, int]]:
    """(type, file offset, address, size in the file) of every program header."""
    wide = layout.segment.endswith("Q")
    for index in range(count):
        raw = os.pread(fd, struct.calcsize(layout.segment), table + index * size)
        fields = struct.unpack(layout.segment, raw)
        # Elf64_Phdr has p_flags in second place, Elf32_Phdr near the end.
        yield (
            fields[0],
            *((fields[2], fields[3], fields[5]) if wide else (fields[1], fields[2], fields[4])),
        )


def _entries(section: bytes, form: str) -> Iterator[tuple[int, int]]:
    for tag, value in struct.iter_unpack(form, section):
        if tag == _DT_NULL:
            return
        yield tag, value


def _offset(loads: list[tuple[int, int, int]], address: int) -> int:
    for start, offset, size in loads:
        if start <= address < start + size:
            return address - start + offset
    raise ValueError("an address outside of every segment")


def _bytes(fd: int, offset: int, size: int) -> bytes:
    if size > _MOST_BYTES:
        raise ValueError("an implausible size")
    return os.pread(fd, size, offset)


def _text(strings: bytes, start: int) -> str:
    return os.fsdecode(strings[start : strings.index(b"\0", start)])
