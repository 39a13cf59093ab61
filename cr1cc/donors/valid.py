"""Whether a donor's object may stand in for the baseline object."""

from __future__ import annotations

from collections.abc import Iterator

from cr1cc.util.elf import (
    SHN_ABS,
    SHN_COMMON,
    SHT_NOBITS,
    SHT_NOTE,
    STB_LOCAL,
    STT_OBJECT,
    NotElfError,
    ObjectFile,
    Symbol,
)
from cr1cc.validate import objects

# The largest alignment, in bytes, that the psABI of x86-64 gives to anything without being
# asked, and from which size on it may.
_ABI_ALIGNMENT = 16

# What the linker defines wherever it is needed (psABI of x86-64, "Global Offset Table").
OF_LINKERS = frozenset({"_GLOBAL_OFFSET_TABLE_"})


def complaint(baseline: bytes, candidate: bytes) -> str:
    """Why the object of another build may not replace the user's own, "" if it may.

    Besides what `validate.objects` asks for, notes must be equal: the linker joins the
    properties of all objects (control-flow protection among them) into those of the program.
    """
    return _first(objects.complaint(baseline, candidate), baseline, candidate, foreign=False)


def foreign_complaint(baseline: bytes, candidate: bytes, granted: frozenset[str]) -> str:
    """The same of an object by another compiler.

    It may need what is `granted`. Data that other objects see must hold the same bytes, which
    shows that both compilers lay it out alike, and be aligned as well.
    """
    found = objects.complaint(baseline, candidate, granted | OF_LINKERS)
    return _first(found, baseline, candidate, foreign=True)


def notes_complaint(baseline: bytes, candidate: bytes) -> str:
    """ "" if the notes of both objects are equal."""
    return _first("", baseline, candidate, foreign=False)


def _first(found: str, baseline: bytes, candidate: bytes, *, foreign: bool) -> str:
    if found:
        return found
    try:
        old, new = ObjectFile(baseline), ObjectFile(candidate)
        if _notes(old) != _notes(new):
            return "a note has changed"
        return next(_data_complaints(old, new), "") if foreign else ""
    except NotElfError as error:
        return str(error)


def _notes(object_file: ObjectFile) -> dict[str, bytes]:
    return {
        section.name: object_file.data[section.offset : section.offset + section.size]
        for section in object_file.sections
        if section.type == SHT_NOTE
    }


def _data_complaints(old: ObjectFile, new: ObjectFile) -> Iterator[str]:
    before, after = _exported_data(old), _exported_data(new)
    for name, symbol in before.items():
        if name not in after:
            continue
        if _alignment(new, after[name]) < min(_alignment(old, symbol), _assumed(symbol.size)):
            yield f"symbol {name} is less aligned"
        if _bytes(old, symbol) != _bytes(new, after[name]):
            yield f"symbol {name} holds something else"


def _exported_data(object_file: ObjectFile) -> dict[str, Symbol]:
    return {
        symbol.name: symbol
        for symbol in object_file.symbols()
        if symbol.defined
        and symbol.binding != STB_LOCAL
        and symbol.type == STT_OBJECT
        and symbol.section not in (SHN_ABS, SHN_COMMON)
    }


def _alignment(object_file: ObjectFile, symbol: Symbol) -> int:
    """What the symbol's place is a multiple of, wherever the linker puts its section."""
    alignment = max(1, object_file.section_of(symbol).alignment)
    return min(alignment, symbol.value & -symbol.value) if symbol.value else alignment


def _assumed(size: int) -> int:
    """The alignment that other objects may assume of data of that size: it divides the size
    of every type, but a large array has more than its elements."""
    return _ABI_ALIGNMENT if size >= _ABI_ALIGNMENT else size & -size


def _bytes(object_file: ObjectFile, symbol: Symbol) -> bytes:
    """What the symbol holds before relocation."""
    section = object_file.section_of(symbol)
    if section.type == SHT_NOBITS:
        return bytes(symbol.size)
    start = section.offset + symbol.value
    return object_file.data[start : start + symbol.size]
