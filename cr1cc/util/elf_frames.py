"""How many bytes of .eh_frame describe each function of an x86-64 object.

Names and layout are those of the Linux Standard Base, "Exception Frames", and of the psABI.
"""

from __future__ import annotations

import struct

from cr1cc.util.elf import STT_FUNC, STT_SECTION, NotElfError, ObjectFile

_FRAMES = ".eh_frame"
_RELOCATION = struct.Struct("<QQq")  # Elf64_Rela: r_offset, r_info, r_addend
_LENGTH_AND_ID = struct.Struct("<II")


def frame_sizes(object_file: ObjectFile) -> dict[str, int]:
    """Bytes of the frame descriptions of every function, by its symbol. Raises NotElfError."""
    sizes: dict[str, int] = {}
    try:
        described = _described(object_file)
        for offset, length in _descriptions(object_file):
            if (name := described.get(offset)) is not None:
                sizes[name] = sizes.get(name, 0) + length
    except (struct.error, IndexError) as error:
        raise NotElfError(f"a damaged ELF file: {error}") from None
    return sizes


def _descriptions(object_file: ObjectFile) -> list[tuple[int, int]]:
    """Where each FDE says which function it is for, and its length."""
    found = []
    for section in object_file.sections:
        at, end = section.offset, section.offset + section.size
        while section.name == _FRAMES and at < end:
            length, identity = _LENGTH_AND_ID.unpack_from(object_file.data, at)
            if length == 0:  # the terminator
                break
            if identity:  # that of a CIE is 0
                found.append((at + 8 - section.offset, length + 4))
            at += length + 4
    return found


def _described(object_file: ObjectFile) -> dict[int, str]:
    """The functions that relocations of .eh_frame refer to, by the place of the relocation."""
    symbols = list(object_file.symbols())
    functions = {
        (symbol.section, symbol.value): symbol.name
        for symbol in symbols
        if symbol.defined and symbol.type == STT_FUNC
    }
    found = {}
    for section in object_file.sections:
        if section.name != ".rela" + _FRAMES:
            continue
        data = object_file.data[section.offset : section.offset + section.size]
        for offset, info, addend in _RELOCATION.iter_unpack(data):
            symbol = symbols[(info >> 32) - 1]  # the null symbol, 0, is not in the list
            value = addend if symbol.type == STT_SECTION else symbol.value + addend
            if (symbol.section, value) in functions:
                found[offset] = functions[symbol.section, value]
    return found
