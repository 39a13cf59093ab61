"""Signatures from DWARF: of an object with debug data, or of a source by way of its compiler.

The only module that imports pyelftools, which is a part of the extra `prove`. Tags and attributes
are those of DWARF 5, chapter 5.
"""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

from cr1cc.errors import GateError, ToolchainError
from cr1cc.gate.signature import BOOL, VOID, Kind, Parameter, Signature, Type, integer, pointer
from cr1cc.util.process import capture

_QUALIFIERS = {
    "DW_TAG_const_type": "const",
    "DW_TAG_restrict_type": "restrict",
    "DW_TAG_volatile_type": "volatile",
}
_TRANSPARENT = frozenset(("DW_TAG_typedef", "DW_TAG_atomic_type"))
_WRAPPED = _TRANSPARENT | {"DW_TAG_array_type", "DW_TAG_const_type"}
_RECORDS = frozenset(("DW_TAG_structure_type", "DW_TAG_union_type", "DW_TAG_class_type"))
# DW_ATE_*, DWARF 5, table 7.11
_BOOLEAN, _FLOAT, _SIGNED, _SIGNED_CHAR, _UNSIGNED, _UNSIGNED_CHAR, _UTF = 2, 4, 5, 6, 7, 8, 0x10
_CPU_SECONDS = 60


def signature_of(data: bytes, name: str) -> Signature:
    """The signature of the function `name` that an ELF object with debug data defines.

    Raises GateError if there is no such function, or no debug data, or a type is not supported;
    ToolchainError without pyelftools.
    """
    try:
        from elftools.elf.elffile import ELFFile
    except ImportError:
        raise ToolchainError("debug data is read with pyelftools: install cr1cc[prove]") from None
    try:
        file = ELFFile(io.BytesIO(data))
        if not file.has_dwarf_info():
            raise GateError(f"there is no debug data that gives the signature of {name}")
        for unit in file.get_dwarf_info(relocate_dwarf_sections=True).iter_CUs():
            for entry in unit.get_top_DIE().iter_children():
                if entry.tag == "DW_TAG_subprogram" and _is_definition(entry, name):
                    return _signature(entry, name)
    except GateError:
        raise
    except Exception as error:  # pyelftools raises anything on damaged files
        raise GateError(f"debug data is damaged: {error or type(error).__name__}") from None
    raise GateError(f"debug data says nothing of a function {name}")


def signature_in_source(
    compiler: Sequence[str], source: str, name: str, env: Mapping[str, str]
) -> Signature:
    """The signature that `compiler` (a path and options) sees in the C file `source`.

    Raises GateError if the file does not compile, and as `signature_of` does.
    """
    with tempfile.TemporaryDirectory(prefix="cr1-") as folder:
        out = os.path.join(folder, "a.o")
        # Without optimisation nothing that is defined goes away or changes its parameters.
        command = [*compiler, "-w", "-g", "-O0", "-gno-split-dwarf", "-c", source, "-o", out]
        try:
            status, _, messages = capture(command, env, seconds=_CPU_SECONDS)
        except OSError as error:
            raise ToolchainError(f"{compiler[0]}: {error.strerror}") from None
        if status or not os.path.exists(out):
            first = messages.decode(errors="replace").strip().split("\n")[0]
            raise GateError(f"{source} does not compile: {first}")
        with open(out, "rb") as file:
            return signature_of(file.read(), name)


def _is_definition(entry: Any, name: str) -> bool:
    """Whether an entry is the function's own, and no mere declaration of it."""
    if "DW_AT_declaration" in entry.attributes:
        return False
    return name in (
        _text(_said_of(entry, "DW_AT_linkage_name")),
        _text(_said_of(entry, "DW_AT_name")),
    )


def _said_of(entry: Any, key: str) -> Any:
    """An attribute of an entry, or of the declaration that it completes."""
    while key not in entry.attributes:
        origins = ("DW_AT_specification", "DW_AT_abstract_origin")
        origin = next((one for one in origins if one in entry.attributes), None)
        if origin is None:
            return None
        entry = entry.get_DIE_from_attribute(origin)
    return entry.attributes[key].value


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else ""


def _signature(entry: Any, name: str) -> Signature:
    if _said_of(entry, "DW_AT_prototyped") is None and not _is_cxx(entry):
        raise GateError(f"{name} has no prototype")
    parameters: list[Parameter] = []
    for child in entry.iter_children():
        if child.tag == "DW_TAG_unspecified_parameters":
            raise GateError(f"{name}: a variable list of arguments is not supported")
        if child.tag == "DW_TAG_formal_parameter":
            called = _text(_said_of(child, "DW_AT_name")) or f"a{len(parameters)}"
            type_ = _by_value(_type_of(child), f"{name}: parameter {called}")
            parameters.append(Parameter(called, type_))
    result = _type_of(entry)
    if result.kind is not Kind.VOID:
        result = _by_value(result, f"{name}: its result")
    return Signature(name, result._replace(const=False, volatile=False), tuple(parameters))


def _is_cxx(entry: Any) -> bool:
    language = entry.cu.get_top_DIE().attributes.get("DW_AT_language")
    return language is not None and language.value in (4, 0x1A, 0x21, 0x2B)  # DW_LANG_C_plus_plus*


def _by_value(type_: Type, what: str) -> Type:
    if type_.kind in (Kind.BYTES, Kind.VOID):
        raise GateError(f"{what} is a struct, union, array or function by value: not supported")
    return type_


def _type_of(entry: Any) -> Type:
    """The type that an entry refers to; void where it refers to none."""
    origin = entry
    while "DW_AT_type" not in origin.attributes:
        if "DW_AT_abstract_origin" in origin.attributes:
            origin = origin.get_DIE_from_attribute("DW_AT_abstract_origin")
        elif "DW_AT_specification" in origin.attributes:
            origin = origin.get_DIE_from_attribute("DW_AT_specification")
        else:
            return VOID
    return _type(origin.get_DIE_from_attribute("DW_AT_type"))


def _type(entry: Any) -> Type:
    if entry.tag in _QUALIFIERS:
        return _type_of(entry).qualified(_QUALIFIERS[entry.tag])
    if entry.tag in _TRANSPARENT:
        return _type_of(entry)
    size = entry.attributes["DW_AT_byte_size"].value if "DW_AT_byte_size" in entry.attributes else 0
    if entry.tag == "DW_TAG_base_type":
        return _base(entry, size)
    if entry.tag == "DW_TAG_enumeration_type":
        # gcc says the underlying type; without one an enumeration of C has no negative value.
        under = _type_of(entry)
        return under if under.kind is Kind.INTEGER else integer(size, False)
    if entry.tag in (
        "DW_TAG_pointer_type",
        "DW_TAG_reference_type",
        "DW_TAG_rvalue_reference_type",
    ):
        return _pointer(entry)
    if entry.tag in _RECORDS and size:
        return Type(Kind.BYTES, size, volatile=_has_volatile(entry))
    if entry.tag == "DW_TAG_unspecified_type" or entry.tag in _RECORDS:
        return VOID  # nothing is known of it, as of what a `void *` points to
    raise GateError(f"a type that is not supported: {entry.tag.removeprefix('DW_TAG_')}")


def _has_volatile(entry: Any) -> bool:
    """Whether a struct or union has a volatile part."""
    for child in entry.iter_children():
        if child.tag != "DW_TAG_member" or "DW_AT_type" not in child.attributes:
            continue
        inner = child.get_DIE_from_attribute("DW_AT_type")
        while inner.tag in _WRAPPED and "DW_AT_type" in inner.attributes:
            inner = inner.get_DIE_from_attribute("DW_AT_type")
        if inner.tag == "DW_TAG_volatile_type" or (inner.tag in _RECORDS and _has_volatile(inner)):
            return True
    return False


def _pointer(entry: Any) -> Type:
    """Of a pointer to an array: to its elements, and how many."""
    if "DW_AT_type" not in entry.attributes:
        return pointer(VOID)
    target = entry.get_DIE_from_attribute("DW_AT_type")
    if target.tag == "DW_TAG_subroutine_type":
        raise GateError("a pointer to a function is not supported")
    if target.tag == "DW_TAG_array_type":
        ranges = [one for one in target.iter_children() if one.tag == "DW_TAG_subrange_type"]
        counts = [_count(one) for one in ranges]
        if len(counts) != 1 or not counts[0]:
            raise GateError("a pointer to an array of arrays is not supported")
        return pointer(_type_of(target), counts[0])
    element = _type(target)
    # How often a list links to the next one is not to be followed: a pointer's pointer is enough.
    return pointer(element._replace(length=0))


def _count(entry: Any) -> int:
    for key, more in (("DW_AT_count", 0), ("DW_AT_upper_bound", 1)):
        if key in entry.attributes and isinstance(entry.attributes[key].value, int):
            return int(entry.attributes[key].value) + more
    return 0


def _base(entry: Any, size: int) -> Type:
    encoding = entry.attributes["DW_AT_encoding"].value
    if encoding == _BOOLEAN and size == 1:
        return BOOL
    if encoding == _FLOAT and size in (4, 8):
        return Type(Kind.FLOAT, size)
    if encoding in (_SIGNED, _SIGNED_CHAR, _UNSIGNED, _UNSIGNED_CHAR, _UTF) and size in (
        1,
        2,
        4,
        8,
    ):
        return integer(size, encoding in (_SIGNED, _SIGNED_CHAR))
    raise GateError(f"type {_text(_said_of(entry, 'DW_AT_name'))} is not supported")
