"""Read a unit: its sections followed, its statements given to atoms.

Where atoms begin is what gcc 11-14 and clang 14-23 write, with every gap between functions or
objects given to what follows it. A cut too many does no harm as long as nothing is left out or
moved, and the splicer leaves out or moves only what references hold together.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice

from cr1cc.asm.directives import DIRECTIVES, Treatment
from cr1cc.asm.section import TEXT, Section, Sections
from cr1cc.asm.statement import Kind, Machine, Statement, statements
from cr1cc.asm.stream import CodeStream, DataStream, Stream, WholeStream
from cr1cc.asm.symbol_table import SymbolTable
from cr1cc.asm.unit import Atom, AtomKind, Piece, Unit
from cr1cc.errors import AsmError

_HERE = re.compile(r"(?<![\w.$])\.(?![\w.$])")  # the location counter
_PLACE = re.compile(_HERE.pattern + r"|\.L")  # that or a label, so not a number
_DEBUG_SECTIONS = (".debug_", ".stab")


def read_unit(text: str, machine: Machine = Machine.X86_64) -> Unit:
    """The unit of an assembly text. Raises AsmError where it is malformed or not understood."""
    return _Reader(list(statements(text, machine)), machine).read()


class _Reader:
    def __init__(self, statements: Sequence[Statement], machine: Machine) -> None:
        self._statements = statements
        self._machine = machine
        self._sections = Sections()
        self._table = SymbolTable(statements)
        self._streams: dict[tuple[str, str, str, str], Stream] = {}
        self._pieces: list[tuple[Section, int, list[Statement]]] = []
        self._atoms: list[tuple[AtomKind, Section, list[str], list[int]]] = []
        self._declarations: dict[str, int] = {}
        self._file = self._new(AtomKind.FILE, TEXT)
        self._has_debug = False

    def read(self) -> Unit:
        for index, statement in enumerate(self._statements):
            treatment = self._treatment(statement)
            if treatment is Treatment.SECTION:
                self._switch(statement)
                continue
            self._place(self._owner(index, statement, treatment), statement)
        return Unit(
            self._machine,
            tuple(Piece(section, atom, tuple(rows)) for section, atom, rows in self._pieces),
            tuple(Atom(k, s, tuple(labels), tuple(at)) for k, s, labels, at in self._atoms),
            self._table.symbols(),
            self._has_debug,
        )

    def _treatment(self, statement: Statement) -> Treatment | None:
        """How to treat a directive, None for labels and instructions."""
        if statement.kind is not Kind.DIRECTIVE:
            return None
        treatment = DIRECTIVES.get(statement.name)
        if treatment is None:
            raise AsmError(f"directive {statement.name} is not understood")
        if statement.name == ".file" and statement.operands[:1].isdigit():
            treatment = Treatment.DEBUG
        elif _depends_on_place(statement, treatment):
            treatment = Treatment.IN_PLACE
        self._has_debug |= treatment is Treatment.DEBUG
        return treatment

    def _switch(self, statement: Statement) -> None:
        new = self._sections.follow(statement)
        section = self._sections.current
        self._has_debug |= section.name.startswith(_DEBUG_SECTIONS)
        self._stream().enter()
        if new:  # it exists from here on, even if nothing is put into it
            self._pieces.append((section, self._file, []))
            self._atoms[self._file][3].append(len(self._pieces) - 1)

    def _stream(self) -> Stream:
        section = self._sections.current
        stream = self._streams.get(section.key)
        if stream is None:
            stream = self._streams[section.key] = self._new_stream(section)
        return stream

    def _new_stream(self, section: Section) -> Stream:
        if section.is_whole:
            return WholeStream()
        return CodeStream(self._table) if section.is_code else DataStream(self._table, section)

    def _owner(self, index: int, statement: Statement, treatment: Treatment | None) -> int:
        """The atom that a statement belongs to."""
        section = self._sections.current
        if treatment is Treatment.FILE:
            return self._file
        if treatment is Treatment.DECLARATION:
            return self._declared(statement)
        if treatment in (Treatment.ALIAS, Treatment.COMMON):
            kind = AtomKind.ALIAS if treatment is Treatment.ALIAS else AtomKind.COMMON
            atom = self._new(kind, section)
            self._define(statement.operands.partition(",")[0].strip(), atom, statement)
            return atom
        stream = self._stream()
        ahead = islice(self._statements, index, index + 8)
        if stream.begins_atom(statement, treatment, ahead):
            stream.atom = self._new(stream.kind, section)
        if statement.kind is Kind.LABEL and not statement.name.isdigit():
            self._define(statement.name, stream.atom, statement)
        elif treatment is Treatment.IN_PLACE and DIRECTIVES[statement.name] is Treatment.ALIAS:
            self._define(statement.operands.partition(",")[0].strip(), stream.atom, statement)
        return stream.atom

    def _define(self, name: str, atom: int, statement: Statement) -> None:
        self._atoms[atom][2].append(name)
        self._table.define(name, atom, statement)

    def _declared(self, statement: Statement) -> int:
        """The atom of the declarations of a symbol."""
        names = self._table.declare(statement)
        name = names[0]
        if len(names) > 1:
            raise AsmError(f"{statement.name} of several symbols is not understood")
        if name not in self._declarations:
            atom = self._new(AtomKind.DECLARATION, self._sections.current)
            self._atoms[atom][2].append(name)
            self._declarations[name] = atom
        return self._declarations[name]

    def _new(self, kind: AtomKind, section: Section) -> int:
        self._atoms.append((kind, section, [], []))
        return len(self._atoms) - 1

    def _place(self, atom: int, statement: Statement) -> None:
        section = self._sections.current
        last = self._pieces[-1] if self._pieces else None
        if last is None or last[1] != atom or last[0].key != section.key:
            self._pieces.append((section, atom, [statement]))
            self._atoms[atom][3].append(len(self._pieces) - 1)
        else:
            last[2].append(statement)


def _depends_on_place(statement: Statement, treatment: Treatment) -> bool:
    """Whether a size or an alias says something of the place where it stands."""
    if statement.name == ".size":
        return _PLACE.search(statement.operands.partition(",")[2]) is not None
    return treatment is Treatment.ALIAS and _HERE.search(statement.operands) is not None
