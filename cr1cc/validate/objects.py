"""Whether a new object can stand in for the baseline object, as a linker sees it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cr1cc.util.elf import (
    SHN_ABS,
    SHN_COMMON,
    STB_LOCAL,
    STB_WEAK,
    STT_OBJECT,
    NotElfError,
    ObjectFile,
    Section,
    Symbol,
)

# Sections that a compiler makes by itself and whose size is its own business.
_COMPILER_SECTIONS = (
    ".bss",
    ".comment",
    ".data",
    ".debug",
    ".eh_frame",
    ".gcc_except_table",
    ".group",
    ".llvm_addrsig",
    ".lrodata",
    ".ldata",
    ".lbss",
    ".ltext",
    ".rel",
    ".rodata",
    ".shstrtab",
    ".strtab",
    ".symtab",
    ".tbss",
    ".tdata",
    ".text",
    ".ARM.exidx",
    ".ARM.extab",
    ".sbss",
    ".sdata",
    ".srodata",
)

# What must still be there if the baseline has it: debug data and unwind data.
_KEPT_SECTIONS = (
    ".ARM.exidx",
    ".debug_frame",
    ".debug_info",
    ".debug_line",
    ".eh_frame",
    ".gcc_except_table",
)


def complaint(
    baseline: bytes,
    candidate: bytes,
    granted: frozenset[str] = frozenset(),
    *,
    vague: bool = False,
) -> str:
    """Why `candidate` may not replace `baseline`, "" if it may.

    It must define the same symbols (name, type, binding, visibility, kind of section,
    and size for data), need no symbol that the baseline does not need, but for those that
    are `granted`, keep debug and unwind data, and leave sections that the source itself
    names as they are.

    `vague`: the object is by the same compiler as the baseline, so weak symbols may come and
    go, and with them what they need. Those are inline functions and instances of templates,
    which every object that calls them has itself (Itanium C++ ABI, 5.2, "vague linkage").
    """
    try:
        old, new = ObjectFile(baseline), ObjectFile(candidate)
        return next(_complaints(old, new, granted, vague=vague), "")
    except NotElfError as error:
        return str(error)


def _complaints(
    old: ObjectFile, new: ObjectFile, granted: frozenset[str], *, vague: bool
) -> Iterator[str]:
    if old.identity != new.identity:
        yield "the object is for another machine or ABI"
    yield from _symbol_complaints(old, new, granted, vague=vague)
    new_names = {section.name for section in new.sections if section.size}
    for section in old.sections:
        if section.name in _KEPT_SECTIONS and section.size and section.name not in new_names:
            yield f"section {section.name} is gone"
    if _named_sections(old) != _named_sections(new):
        yield "a section that the source names has changed"


def _symbol_complaints(
    old: ObjectFile, new: ObjectFile, granted: frozenset[str], *, vague: bool
) -> Iterator[str]:
    before, after = _defined(old), _defined(new)
    if vague:
        shared = before.keys() & after.keys()
        before = {name: told for name, told in before.items() if _stays(name, told, shared)}
        after = {name: told for name, told in after.items() if _stays(name, told, shared)}
    for name in sorted(before.keys() - after.keys()):
        yield f"symbol {name} is not defined any more"
    for name in sorted(after.keys() - before.keys()):
        yield f"symbol {name} is defined anew"
    for name in sorted(before):
        if before[name] != after[name]:
            yield f"symbol {name} is another: {before[name]} became {after[name]}"
    for name in sorted(() if vague else new.needs() - old.needs() - granted):
        yield f"symbol {name} is needed anew"


def _stays(name: str, told: tuple[object, ...], shared: Iterable[str]) -> bool:
    return name in shared or told[1] != STB_WEAK


def _defined(object_file: ObjectFile) -> dict[str, tuple[object, ...]]:
    """What other objects can see of every symbol that is defined for them."""
    return {
        symbol.name: (
            symbol.type,
            symbol.binding,
            symbol.visibility,
            _section_kind(object_file, symbol),
            symbol.size if symbol.type == STT_OBJECT else None,
        )
        for symbol in object_file.symbols()
        if symbol.defined and symbol.binding != STB_LOCAL
    }


def _section_kind(object_file: ObjectFile, symbol: Symbol) -> str:
    special = {SHN_ABS: "absolute", SHN_COMMON: "common"}.get(symbol.section)
    if special:
        return special
    section = object_file.section_of(symbol)
    return section.name if _named_by_source(section) else section.kind


def _named_sections(object_file: ObjectFile) -> dict[str, tuple[int, int, int]]:
    """Size, type and flags of the sections that a source file asked for by name."""
    return {
        section.name: (section.size, section.type, section.flags)
        for section in object_file.sections
        if _named_by_source(section) and section.kind != "code"
    }


def _named_by_source(section: Section) -> bool:
    return bool(section.name) and not section.name.startswith(_COMPILER_SECTIONS)
