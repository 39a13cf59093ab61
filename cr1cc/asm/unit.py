"""A unit of assembly: its text cut into atoms, and what it says of symbols.

An atom, as linkers use the word, is the smallest part that is kept, left out or replaced as a
whole: the code of a function in one section, a data object, a constant, a jump table, a symbol's
declarations. The text of an atom may come in several pieces. Printing the pieces in their order,
with a section directive wherever the section changes, gives the unit back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from cr1cc.asm.section import Section
from cr1cc.asm.statement import Machine, Statement


class AtomKind(Enum):
    """What an atom is."""

    ALIAS = "a symbol defined by an expression"
    CODE = "instructions, from the alignment before a label to the end of its function"
    COMMON = "storage that .comm or .lcomm gives"
    DATA = "an object, constant or table, or data without a label"
    DECLARATION = "binding, visibility, type and size of a symbol"
    FILE = "what concerns the whole file; the first mention of a section, too"
    WHOLE = "the content of a section that has one for the file, as a note"


class Binding(Enum):
    """The binding of a symbol, as in its ELF entry."""

    LOCAL = "local"
    GLOBAL = "global"
    WEAK = "weak"


class Piece(NamedTuple):
    """A run of statements of one atom in one section. Of no statements: the section's mention."""

    section: Section
    atom: int
    statements: tuple[Statement, ...]


class Atom(NamedTuple):
    """`labels`: what it defines in the order of the text; `pieces`: indices into the unit's."""

    kind: AtomKind
    section: Section
    labels: tuple[str, ...]
    pieces: tuple[int, ...]


class Symbol(NamedTuple):
    """What declarations and definitions say of a symbol. `atom` is None if it is not defined.

    `type` is that of `.type` without its mark ("function"); `size` the operand of a `.size` that
    is a number of bytes, or of `.comm`, "" without one.
    """

    name: str
    binding: Binding
    visibility: str
    type: str
    size: str
    atom: int | None

    @property
    def is_function(self) -> bool:
        return self.type == "function"

    @property
    def is_local(self) -> bool:
        return self.binding is Binding.LOCAL


@dataclass(frozen=True, eq=False)
class Unit:
    """One assembly file. `has_debug`: it describes the source for a debugger (-g)."""

    machine: Machine
    pieces: tuple[Piece, ...]
    atoms: tuple[Atom, ...]
    symbols: dict[str, Symbol]
    has_debug: bool

    def with_pieces(self, pieces: Iterable[Piece]) -> Unit:
        """The same file with other statements in its pieces, as many of them and in their order."""
        return Unit(self.machine, tuple(pieces), self.atoms, self.symbols, self.has_debug)

    def statements_of(self, atom: int) -> Iterator[Statement]:
        """The statements of an atom in the order of the text."""
        for piece in self.atoms[atom].pieces:
            yield from self.pieces[piece].statements
