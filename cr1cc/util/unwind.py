"""How much of an object's unwind data belongs to each function.

`.eh_frame` is a list of records: a length of 4 bytes (8 more if it is 0xffffffff), an
identifier that is 0 for a CIE, and for an FDE the place of its function, which a relocation
fills in (System V ABI, AMD64 supplement, and Linux Standard Base Core, chapter 10.6).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from cr1cc.util.elf import STT_FUNC, ObjectFile, Section, damage_told

_LONG = 0xFFFFFFFF


def unwind_bytes(object_file: ObjectFile) -> dict[str, int]:
    """Bytes of FDEs by name of the function that they describe; of equal local names the sum.

    Raises NotElfError for a damaged file.
    """
    with damage_told():
        return dict(_unwind_bytes(object_file))


def _unwind_bytes(object_file: ObjectFile) -> dict[str, int]:
    symbols = [None, *object_file.symbols()]
    names = {
        (symbol.section, symbol.value): symbol.name
        for symbol in symbols
        if symbol and symbol.type == STT_FUNC and symbol.defined
    }
    sizes: dict[str, int] = {}
    for index, section in enumerate(object_file.sections):
        if section.name != ".eh_frame":
            continue
        places = {one.offset: (one.symbol, one.addend) for one in object_file.relocations(index)}
        for at, size in _descriptions(object_file, section):
            number, addend = places.get(at, (0, 0))
            symbol = symbols[number]
            name = symbol and names.get((symbol.section, symbol.value + addend))
            if name:
                sizes[name] = sizes.get(name, 0) + size
    return sizes


def _descriptions(object_file: ObjectFile, section: Section) -> Iterator[tuple[int, int]]:
    """For each FDE the offset of its function's place in the section, and its size."""
    order, at = object_file.order, 0
    data = object_file.data[section.offset : section.offset + section.size]
    while at + 4 <= len(data):
        (length,) = struct.unpack_from(order + "I", data, at)
        head = 4
        if length == _LONG:
            (length,) = struct.unpack_from(order + "Q", data, at + 4)
            head = 12
        if not length:
            return
        (identifier,) = struct.unpack_from(order + "I", data, at + head)
        if identifier:
            yield at + head + 4, _unpadded(data, at + head, at + head + length) - at
        at += head + length


def _unpadded(data: bytes, start: int, end: int) -> int:
    """Where an FDE ends whose identifier is at `start`: the last one of a section is padded to
    the size of a pointer, the others to four bytes, and a size must not depend on which is last."""
    arguments = start + 12  # behind identifier, place and length, as compilers encode them
    least = arguments + 1 + data[arguments]
    while end - 4 >= least and not any(data[end - 4 : end]):
        end -= 4
    return end
