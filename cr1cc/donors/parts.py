"""The parts of a source that can come from different builds, and what each takes in a build.

A part is a set of global functions with all local functions that one of two builds makes them
share: those move together, because every copy of a local function counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from cr1cc.asm.contents import data_size
from cr1cc.asm.graph import Function, Graph, graph_of
from cr1cc.asm.unit import AtomKind, Unit
from cr1cc.util.elf import ObjectFile
from cr1cc.util.unwind import unwind_bytes

_LOCAL = "\0"  # begins what stands for a local function: no symbol has it


class Measured:
    """One build, read: its structure, and the loadable bytes of its functions."""

    def __init__(self, unit: Unit, data: bytes) -> None:
        """`data` is the object of the unit. Raises NotElfError."""
        self.unit = unit
        self.graph = graph_of(unit)
        found = ObjectFile(data)
        self._sizes = Counter(found.function_sizes())
        self._sizes.update(unwind_bytes(found))

    @cached_property
    def functions(self) -> dict[str, int]:
        """Bytes by function, code and what belongs to it alone; equal local ones as one."""
        sizes: Counter[str] = Counter()
        for function in self.graph.functions:
            own = sum(self._sizes[entry] for entry in function.entries)
            sizes[self.known_as(function.entries[0])] += own + self._data(function)
        return dict(sizes)

    def known_as(self, entry: str) -> str:
        """What a function is called in all builds: clones of a local one have its name."""
        if not self.graph.symbol(entry).is_local:
            return entry
        return _LOCAL + entry.partition(".")[0]

    def has(self, name: str) -> bool:
        """Whether a global function has a body here."""
        return self.graph.function(name) is not None and not self.graph.symbol(name).is_local

    def shared(self, base: Measured) -> Iterator[tuple[str, str]]:
        """Pairs of functions that move together into the base."""
        for function in self.graph.functions:
            first, *others = map(self.known_as, function.entries)
            yield from ((first, other) for other in others)
            for callee in self._callees(function, base.graph):
                yield first, self.known_as(callee)

    def _callees(self, function: Function, base: Graph) -> Iterator[str]:
        """The local functions that come along, once for every user: of those whose address is
        meant, the base's one does."""
        for atom in function.atoms:
            for reference in self.graph.references[atom]:
                symbol = self.graph.symbol(reference.symbol)
                if reference.is_address and symbol.name in base.addressed:
                    continue
                if symbol.is_local and self.graph.function(symbol.name) not in (None, function):
                    yield symbol.name

    def _data(self, function: Function) -> int:
        """Bytes of its jump tables and of the constants that it refers to. Strings, which
        linkers merge and other functions may have too, are not counted."""
        unit = self.graph.unit
        atoms = {
            atom
            for own in function.atoms
            for one in self.graph.references[own]
            if (atom := self.graph.symbol(one.symbol).atom) is not None
            and self.graph.symbol(one.symbol).is_local
            and self.graph.is_generated(atom)
            and "S" not in unit.atoms[atom].section.flags
        } | set(function.atoms)
        return sum(
            data_size(unit, atom) for atom in atoms if unit.atoms[atom].kind is AtomKind.DATA
        )


@dataclass(frozen=True)
class Part:
    """Global functions by name, and all functions of the part as `Measured.functions` has them."""

    names: tuple[str, ...]
    members: frozenset[str]

    def bytes_in(self, build: Measured) -> int:
        return sum(build.functions.get(member, 0) for member in self.members)


def parts_of(base: Measured, donor: Measured) -> list[Part]:
    """The parts that can move from the donor into the base, in the order of the base's text."""
    leader: dict[str, str] = {}

    def find(name: str) -> str:
        while leader.setdefault(name, name) != name:
            leader[name] = name = leader[leader[name]]
        return name

    for build in (base, donor):
        for one, other in build.shared(base):
            leader[find(other)] = find(one)
    members: dict[str, list[str]] = {}
    for name in dict.fromkeys((*base.functions, *leader)):
        members.setdefault(find(name), []).append(name)
    named = ((tuple(sorted(filter(base.has, names))), names) for names in members.values())
    return [Part(own, frozenset(names)) for own, names in named if own and all(map(donor.has, own))]
