"""Sections: what `.section` and its short forms say, and which section is current.

Flags and types are those of the manual's page ".section name" for ELF; the defaults of
well-known names are those of BFD (bfd/elf.c, special_sections).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from cr1cc.asm.statement import Statement
from cr1cc.errors import AsmError

_PART = re.compile(r'[ \t]*((?:[^,"]++|"(?:[^"\\]++|\\.)*+")*+)(,|$)')
_FLAGS = re.compile(r"[A-Za-z]*")
_NAME = re.compile(r"[^\s,\"]+")

# name: flags and type where none are said; also of names with a further part, as .rodata.x
_DEFAULTS: dict[str, tuple[str, str]] = {
    ".bss": ("aw", "nobits"),
    ".comment": ("", "progbits"),
    ".data": ("aw", "progbits"),
    ".fini": ("ax", "progbits"),
    ".fini_array": ("aw", "fini_array"),
    ".init": ("ax", "progbits"),
    ".init_array": ("aw", "init_array"),
    ".note": ("", "note"),
    ".preinit_array": ("aw", "preinit_array"),
    ".rodata": ("a", "progbits"),
    ".tbss": ("awT", "nobits"),
    ".tdata": ("awT", "progbits"),
    ".text": ("ax", "progbits"),
}
_SHORT = (".text", ".data", ".bss")
# What a compiler takes for code without the source naming a section.
_COMPILER_TEXT = re.compile(r"\.text(\.(unlikely|hot|startup|exit|unknown)\.?)?")
# Sections whose entries the linker or the loader reads together: no entry has a name.
_WHOLE = (".comment", ".debug", ".eh_frame", ".note", ".llvm_", ".stab", ".gnu.attributes")


class Section(NamedTuple):
    """A section. Two with equal `key` are the same; `spelled` is the directive that chooses it."""

    name: str
    flags: str  # sorted letters, without G, o and ?
    type: str
    entry_size: str
    group: str
    linked_to: str
    unique: str
    spelled: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.name, self.group, self.linked_to, self.unique

    @property
    def attributes(self) -> tuple[str, str, str]:
        return self.flags, self.type, self.entry_size

    @property
    def is_code(self) -> bool:
        return "x" in self.flags

    @property
    def is_writable(self) -> bool:
        """Whether the program itself may write to it; `.data.rel.ro` only the loader does."""
        return "w" in self.flags and not self.name.startswith(".data.rel.ro")

    @property
    def is_whole(self) -> bool:
        """Whether it has one content of the file, and none of single functions and objects."""
        return self.name.startswith(_WHOLE) and not self.linked_to

    def kind_of_code(self, symbol: str) -> str:
        """The name that the source gave, ".text" where it gave none."""
        if _COMPILER_TEXT.fullmatch(self.name) or (
            self.name.startswith(".text.") and symbol.split(".")[0] in self.name.split(".")
        ):
            return ".text"
        return self.name


def split_operands(text: str) -> list[str]:
    """The operands of a directive between its commas; strings keep their quotes."""
    parts, at = [], 0
    while True:
        match = _PART.match(text, at)
        if match is None:
            raise AsmError(f"operands are malformed: {text[:40]!r}")
        parts.append(match.group(1).strip())
        if not match.group(2):
            return parts
        at = match.end()


TEXT = Section(".text", "ax", "progbits", "", "", "", "", "\t.text")


class Sections:
    """The sections of one unit, and the current one as the assembler keeps it."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str, str], Section] = {TEXT.key: TEXT}
        self._stack: list[tuple[Section, Section | None]] = []
        self._previous: Section | None = None
        self.current = TEXT

    def follow(self, statement: Statement) -> bool:
        """Make the section current that the directive chooses. Whether it is a new one."""
        if statement.name == ".previous":
            if self._previous is None:
                raise AsmError(".previous without a section before")
            self.current, self._previous = self._previous, self.current
            return False
        if statement.name == ".popsection":
            if not self._stack:
                raise AsmError(".popsection without .pushsection")
            self.current, self._previous = self._stack.pop()
            return False
        before = len(self._known)
        section = self._named(statement)
        if statement.name == ".pushsection":
            self._stack.append((self.current, self._previous))
        self.current, self._previous = section, self.current
        return len(self._known) > before

    def _named(self, statement: Statement) -> Section:
        if statement.name in _SHORT:
            if statement.operands:
                raise AsmError(f"a subsection: {statement.name} {statement.operands}")
            flags, kind = _DEFAULTS[statement.name]
            named = Section(statement.name, flags, kind, "", "", "", "", "\t" + statement.name)
            return self._known.setdefault(named.key, named)
        section, short = _parse(split_operands(statement.operands))
        known = self._known.setdefault(section.key, section)
        if not short and known.attributes != section.attributes:
            raise AsmError(f"section {section.name} changes its attributes")
        return known


def _parse(operands: list[str]) -> tuple[Section, bool]:
    """The section of the operands of `.section`, and whether they give its name alone."""
    name = operands[0].strip('"')
    if not _NAME.fullmatch(name):
        raise AsmError(f"not the name of a section: {operands[0][:40]!r}")
    spelled = f"\t.section\t{','.join(operands)}"
    default_flags, kind = _default(name)
    if len(operands) == 1:
        return Section(name, default_flags, kind, "", "", "", "", spelled), True
    flags, rest = operands[1].strip('"'), operands[2:]
    if not operands[1].startswith('"') or not _FLAGS.fullmatch(flags):
        raise AsmError(f"not the flags of a section: {operands[1][:40]!r}")
    if rest and rest[0][:1] in ("@", "%"):
        kind = rest.pop(0)[1:]
    # gas and clang: entry size, then group and its linkage, then linked-to, then `unique,N`.
    entry_size = rest.pop(0) if "M" in flags and rest else ""
    group = linked_to = unique = ""
    if "G" in flags and rest:
        group = rest.pop(0)
        if rest and rest[0] == "comdat":
            rest.pop(0)
            group += ",comdat"
    if "o" in flags and rest:
        linked_to = rest.pop(0)
    if len(rest) == 2 and rest[0] == "unique":
        unique, rest = rest[1], []
    if rest:
        raise AsmError(f"section {name} has operands that are not understood")
    letters = "".join(sorted(set(flags) - {"G", "o"}))
    return Section(name, letters, kind, entry_size, group, linked_to, unique, spelled), False


def _default(name: str) -> tuple[str, str]:
    while name and name not in _DEFAULTS:
        name = name.rpartition(".")[0]
    return _DEFAULTS.get(name, ("", "progbits"))
