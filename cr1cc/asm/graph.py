"""Who refers to whom in a unit: functions with all their parts, objects, aliases.

Parts belong to one function if one of them refers to an inner label of another: a cold part, a
jump table, the table of exceptions, the entry of a list of places in code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from typing import NamedTuple

from cr1cc.asm.reference import Access, Reference, references
from cr1cc.asm.statement import Kind
from cr1cc.asm.unit import Atom, AtomKind, Binding, Symbol, Unit

_IDENT = re.compile(r"(GCC: )|.*clang version ", re.DOTALL)
_GENERATED = re.compile(
    r"\.L.*|GCC_except_table\d+|(CSWTCH|C|__func__|__FUNCTION__|__PRETTY_FUNCTION__)(\.\d+)+"
    r"|switch\.table\..*",
    re.DOTALL,
)


class Function(NamedTuple):
    """All parts of a function: its code, hot and cold, and the tables that refer into it.

    `entries` are the symbols of functions that begin in the code, `name.cold` among them.
    """

    entries: tuple[str, ...]
    atoms: tuple[int, ...]


class Graph:
    """The structure of one unit. Nothing in it changes once it is computed."""

    def __init__(self, unit: Unit) -> None:
        self.unit = unit

    def symbol(self, name: str) -> Symbol:
        """What is said of a symbol; one that nothing is said of is undefined and global."""
        found = self.unit.symbols.get(name)
        return found or Symbol(name, Binding.GLOBAL, "default", "", "", None)

    def atom_of(self, name: str) -> Atom | None:
        """The atom that defines a symbol."""
        index = self.symbol(name).atom
        return None if index is None else self.unit.atoms[index]

    @cached_property
    def references(self) -> tuple[tuple[Reference, ...], ...]:
        """Of every atom, its distinct references; what only names symbols has none."""
        naming = (AtomKind.DECLARATION, AtomKind.FILE)
        return tuple(
            () if atom.kind in naming else tuple(self._references(index))
            for index, atom in enumerate(self.unit.atoms)
        )

    def _references(self, atom: int) -> dict[Reference, None]:
        found: dict[Reference, None] = {}
        for statement in self.unit.statements_of(atom):
            if statement.kind is not Kind.LABEL and statement.name != ".size":
                found.update(dict.fromkeys(references(statement, self.unit.machine)))
        return found

    @cached_property
    def functions(self) -> tuple[Function, ...]:
        """The functions in the order of the text."""
        leader = list(range(len(self.unit.atoms)))

        def find(atom: int) -> int:
            while leader[atom] != atom:
                leader[atom] = atom = leader[leader[atom]]
            return atom

        for one, other in self._bonds():
            one, other = sorted((find(one), find(other)))
            leader[other] = one
        parts: dict[int, list[int]] = {}
        for atom in range(len(leader)):
            parts.setdefault(find(atom), []).append(atom)
        made = (Function(tuple(self._entries(atoms)), tuple(atoms)) for atoms in parts.values())
        return tuple(function for function in made if function.entries)

    def _bonds(self) -> Iterator[tuple[int, int]]:
        """Pairs of atoms that are parts of one function."""
        atoms = self.unit.atoms
        for index, found in enumerate(self.references):
            if atoms[index].kind is AtomKind.WHOLE:
                continue
            for reference in found:
                symbol = self.symbol(reference.symbol)
                if symbol.atom is None or symbol.atom == index:
                    continue
                inner = symbol.is_local and not symbol.is_function
                if inner and atoms[symbol.atom].kind is AtomKind.CODE:
                    yield index, symbol.atom

    def _entries(self, atoms: list[int]) -> Iterator[str]:
        for atom in atoms:
            if self.unit.atoms[atom].kind is AtomKind.CODE:
                labels = self.unit.atoms[atom].labels
                yield from (name for name in labels if self.symbol(name).is_function)

    @cached_property
    def _function_of_atom(self) -> dict[int, Function]:
        return {atom: function for function in self.functions for atom in function.atoms}

    def function_of(self, atom: int) -> Function | None:
        """The function that an atom is a part of."""
        return self._function_of_atom.get(atom)

    def reach(self, start: Iterable[int], stop: Iterable[int] = ()) -> set[int]:
        """The atoms that some atoms refer to, directly or not; of a function, all parts. Those
        of `stop` are none of them, nor is what only they refer to."""
        found, waiting = set(stop), list(start)
        reached = set[int]()
        while waiting:
            for reference in self.references[waiting.pop()]:
                atom = self.symbol(reference.symbol).atom
                if atom is None or atom in found:
                    continue
                function = self.function_of(atom)
                parts = set(function.atoms if function else (atom,)) - found
                found |= parts
                reached |= parts
                waiting += parts
        return reached

    def function(self, name: str) -> Function | None:
        """The function that a symbol is an entry of; None for data, aliases and the undefined."""
        atom = self.symbol(name).atom
        found = None if atom is None else self.function_of(atom)
        return found if found and name in found.entries else None

    @cached_property
    def addressed(self) -> frozenset[str]:
        """The symbols whose address the unit takes, in code or in data."""
        return frozenset(
            reference.symbol
            for index, found in enumerate(self.references)
            if self.unit.atoms[index].kind in (AtomKind.CODE, AtomKind.DATA)
            for reference in found
            if reference.is_address
        )

    @cached_property
    def mentioned(self) -> frozenset[str]:
        """The symbols that the unit refers to, outside of declarations."""
        return frozenset(one.symbol for found in self.references for one in found)

    @cached_property
    def aliases(self) -> dict[str, frozenset[str]]:
        """The symbols that are other names for a symbol, by that symbol. Those that a compiler
        makes for itself, as for a thunk, are none."""
        found: dict[str, set[str]] = {}
        for index, atom in enumerate(self.unit.atoms):
            if atom.kind is AtomKind.ALIAS and not atom.labels[0].startswith(".L"):
                statement = next(self.unit.statements_of(index))
                target = statement.operands.partition(",")[2].strip()
                found.setdefault(target, set()).add(atom.labels[0])
        return {target: frozenset(names) for target, names in found.items()}

    @cached_property
    def declarations(self) -> dict[str, int]:
        """The atom of a symbol's declarations."""
        return {
            atom.labels[0]: index
            for index, atom in enumerate(self.unit.atoms)
            if atom.kind is AtomKind.DECLARATION
        }

    @cached_property
    def constants(self) -> dict[tuple[str, str, str, str], tuple[int, ...]]:
        """The constants with a label that the compiler made and no function has for itself, by
        the key of their section."""
        found: dict[tuple[str, str, str, str], list[int]] = {}
        for index, atom in enumerate(self.unit.atoms):
            if atom.labels and self.is_generated(index) and self.function_of(index) is None:
                found.setdefault(atom.section.key, []).append(index)
        return {key: tuple(atoms) for key, atoms in found.items()}

    def is_generated(self, atom: int) -> bool:
        """Whether a compiler made an object by itself: a constant, string or table of its own."""
        found = self.unit.atoms[atom]
        return found.kind is AtomKind.DATA and (
            found.section.name.startswith(".gcc_except_table")
            or all(_GENERATED.fullmatch(label) for label in found.labels)
            or self._is_relative_table(atom)
        )

    def _is_relative_table(self, atom: int) -> bool:
        """Whether clang made an object of distances to itself: it does so for those whose address
        the program does not know (RelLookupTableConverter)."""
        labels = self.unit.atoms[atom].labels
        return (
            len(labels) == 1
            and labels[0].endswith(".rel")
            and any(
                one.symbol == labels[0] and one.access is Access.DIFFERENCE
                for one in self.references[atom]
            )
        )

    def is_writable(self, atom: int) -> bool:
        """Whether the program may write to an object. What clang calls a stub is a pointer that
        it keeps in .data and never writes."""
        found = self.unit.atoms[atom]
        if found.kind is AtomKind.COMMON:
            return True
        return found.section.is_writable and not all(
            label.endswith(".DW.stub") for label in found.labels
        )

    @cached_property
    def compiler(self) -> str:
        """ "gcc" or "clang" as `.ident` says, "" without one or with both."""
        found = set()
        for piece in self.unit.pieces:
            for statement in piece.statements:
                if statement.name == ".ident" and (
                    match := _IDENT.match(statement.operands.strip('"'))
                ):
                    found.add("gcc" if match.group(1) else "clang")
        return found.pop() if len(found) == 1 else ""


# A caller splices the same few units many times.
graph_of = lru_cache(maxsize=16)(Graph)
