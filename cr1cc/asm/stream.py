"""Where atoms begin in the stream of statements that one section receives."""

from __future__ import annotations

import re
from collections.abc import Iterable

from cr1cc.asm.directives import Treatment
from cr1cc.asm.section import Section
from cr1cc.asm.statement import Kind, Statement
from cr1cc.asm.symbol_table import SymbolTable
from cr1cc.asm.unit import AtomKind

# Labels that gcc and clang put behind a function's `.size`.
_TRAILING = re.compile(r"\.L(COLDE|HOTE|FE|func_end|cold_end)\d+")


class Stream:
    """The statements of one section so far. `atom` is the one that the last of them belongs to."""

    kind = AtomKind.DATA

    def __init__(self) -> None:
        self.atom = -1

    def enter(self) -> None:
        """The section became current again."""

    def begins_atom(
        self, statement: Statement, treatment: Treatment | None, ahead: Iterable[Statement]
    ) -> bool:
        """Whether a new atom begins with a statement; `ahead` are it and the next ones. Here:
        only with the first one of the section."""
        return self.atom < 0


class WholeStream(Stream):
    """A section that is one atom."""

    kind = AtomKind.WHOLE


class CodeStream(Stream):
    """Functions. One ends behind its `.size` and outside of .cfi_startproc and .cfi_endproc:
    gcc writes the one last, clang the other. Code without a function, as the source's own
    assembly, ends where an alignment or a function follows."""

    kind = AtomKind.CODE

    def __init__(self, table: SymbolTable) -> None:
        super().__init__()
        self._table = table
        self._forget()

    def _forget(self) -> None:
        self._in_frame = self._has_size = self._has_function = self._has_content = False

    def begins_atom(
        self, statement: Statement, treatment: Treatment | None, ahead: Iterable[Statement]
    ) -> bool:
        begins = self.atom < 0 or self._is_boundary(statement, treatment)
        if begins:
            self._forget()
        if statement.name == ".cfi_startproc":
            self._in_frame = True
        elif statement.name == ".cfi_endproc":
            self._in_frame = False
        elif statement.name == ".size":
            self._has_size = True
        if statement.kind is Kind.LABEL:
            self._has_function |= self._table.is_function(statement.name)
        elif treatment is not Treatment.ALIGN:
            self._has_content = True
        return begins

    def _is_boundary(self, statement: Statement, treatment: Treatment | None) -> bool:
        if self._has_size and not self._in_frame:
            return not (statement.kind is Kind.LABEL and _TRAILING.fullmatch(statement.name))
        if self._has_function or not self._has_content or self._in_frame:
            return False
        return treatment is Treatment.ALIGN or (
            statement.kind is Kind.LABEL and self._table.is_function(statement.name)
        )


class DataStream(Stream):
    """Objects. One begins with the alignment or the label that follows content, or where the
    section is entered again. Tables of exceptions are one atom for each `.cfi_lsda`, because
    they have alignments and labels inside."""

    def __init__(self, table: SymbolTable, section: Section) -> None:
        super().__init__()
        self._table = table
        self._is_exception_table = section.name.startswith(".gcc_except_table")
        self._is_filled = self._has_label = False

    def enter(self) -> None:
        if not self._is_exception_table and self._is_filled:
            self.atom = -1

    def begins_atom(
        self, statement: Statement, treatment: Treatment | None, ahead: Iterable[Statement]
    ) -> bool:
        is_label = statement.kind is Kind.LABEL and not statement.name.isdigit()
        is_align = treatment is Treatment.ALIGN
        if self.atom < 0:
            begins = True
        elif self._is_exception_table:
            begins = (is_label or is_align) and self._is_filled and self._announces_table(ahead)
        elif is_align:
            begins = self._is_filled or self._has_label
        else:
            begins = is_label and self._is_filled
        if begins:
            self._is_filled = self._has_label = False
        self._has_label |= is_label
        self._is_filled |= not (is_label or is_align)
        return begins

    def _announces_table(self, ahead: Iterable[Statement]) -> bool:
        """Whether nothing but alignment and labels stands before the label of a table."""
        for statement in ahead:
            if statement.kind is Kind.LABEL:
                if statement.name in self._table.exception_tables:
                    return True
            elif not statement.name.endswith("align"):
                return False
        return False
