"""Which local objects of two units are the same variable of the source.

gcc writes a static `x` of a function as `x.N`, with a number that depends on its options; clang
writes it as `function.x`. One of the file is `x` for both, a mangled name is the same for both.
What optimisers make of a variable (`x.b`, `x.0` of clang, a part or a smaller one) has no match.
"""

from __future__ import annotations

import re
from functools import cached_property

from cr1cc.asm.contents import Address, Contents, contents
from cr1cc.asm.graph import Graph
from cr1cc.asm.unit import AtomKind
from cr1cc.errors import AsmError

_OF_GCC = re.compile(r"([^.]+)\.\d+")
_OF_CLANG = re.compile(r"([^.]+)\.([^.]*[^.\d][^.]*)")
_CLONE = re.compile(r"\.(cold|constprop|isra|part|plain|llvm|specialized)\b.*")


class Statics:
    """The local objects of a unit that have a name in the source."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    @cached_property
    def by_stem(self) -> dict[str, tuple[str, ...]]:
        """The names of those with a dot, by what the source may call them. A name that says
        more than one thing is among all that it may mean, so that it makes them ambiguous."""
        found: dict[str, list[str]] = {}
        for name, symbol in self.graph.unit.symbols.items():
            if symbol.is_local and "." in name and self.is_object(name):
                for stem in set(name.split(".")):
                    found.setdefault(stem, []).append(name)
        return {stem: tuple(names) for stem, names in found.items()}

    def is_object(self, name: str) -> bool:
        index = self.graph.symbol(name).atom
        if index is None or name.startswith(".L"):
            return False
        kind = self.graph.unit.atoms[index].kind
        return kind in (AtomKind.DATA, AtomKind.COMMON) and not self.graph.is_generated(index)

    def stem(self, name: str) -> str:
        """What the source calls a static of a function. Raises AsmError if that is not clear."""
        compiler = self.graph.compiler
        if compiler == "gcc" and (match := _OF_GCC.fullmatch(name)):
            return match.group(1)
        if compiler == "clang" and (match := _OF_CLANG.fullmatch(name)):
            return match.group(2)
        raise AsmError(f"static {name} cannot be told from others")

    def traits(self, atom: int) -> tuple[bool, bool, str]:
        """Whether an object is writable, whether it is thread-local, and the section that the
        source put it into, "" for one of the compiler's."""
        found = self.graph.unit.atoms[atom]
        if found.kind is AtomKind.COMMON:
            return True, False, ""
        name = "" if is_compilers(found.section.name) else found.section.name
        return self.graph.is_writable(atom), "T" in found.section.flags, name

    def users(self, name: str) -> frozenset[str]:
        """The functions whose code refers to an object, clones under their source's name."""
        return frozenset(
            _CLONE.sub("", entry)
            for function in self.graph.functions
            if any(
                one.symbol == name for atom in function.atoms for one in self.graph.references[atom]
            )
            for entry in function.entries
        )


class Matcher:
    """Finds the objects of a base that objects of a donor are."""

    def __init__(self, base: Statics, donor: Statics) -> None:
        self.base = base
        self.donor = donor
        self._contents: dict[tuple[bool, int], Contents | None] = {}
        self._assumed: set[tuple[int, int]] = set()

    def match(self, name: str) -> str | None:
        """The base's name of a donor's named local object, None if the base has none. Raises
        AsmError if it has one that may be another or differs."""
        found = self._find(name)
        if found is None:
            return None
        if not self._alike(name, found):
            raise AsmError(f"static {name} has another size, kind or initial contents")
        return found

    def _alike(self, mine: str, its: str) -> bool:
        one, other = self.donor.graph.symbol(mine).atom, self.base.graph.symbol(its).atom
        assert one is not None
        assert other is not None
        same = self.donor.traits(one) == self.base.traits(other)
        return same and self.equal(one, other)

    def _find(self, name: str) -> str | None:
        if "." not in name:
            if self.base.is_object(name) and not self.base.graph.symbol(name).is_local:
                raise AsmError(f"static {name} is global in the base")
            return name if self.base.is_object(name) else None
        if self.base.graph.compiler == self.donor.graph.compiler == "clang":
            if not _OF_CLANG.fullmatch(name):
                raise AsmError(f"static {name} cannot be told from others")
            return name if self.base.is_object(name) else None
        stem = self.donor.stem(name)
        candidates = self.base.by_stem.get(stem, ())
        if not candidates:
            return None
        alike = [its for its in candidates if self._alike(name, its)]
        if not alike:
            raise AsmError(f"static {name} has another size, kind or initial contents")
        mine = [one for one in self.donor.by_stem[stem] if self._alike(one, alike[0])]
        if len(alike) > 1 or mine != [name] or self.base.stem(alike[0]) != stem:
            raise AsmError(f"static {name} cannot be told from others")
        if not self._share_users(name, alike[0]):
            raise AsmError(f"static {name} is used by other functions in the base")
        return alike[0]

    def _share_users(self, mine: str, its: str) -> bool:
        """Whether one function uses both: where a name says the function, that one."""
        here, there = self.donor.users(mine), self.base.users(its)
        for name, statics, users in ((mine, self.donor, there), (its, self.base, here)):
            match = _OF_CLANG.fullmatch(name)
            if statics.graph.compiler == "clang" and match and match.group(1) not in users:
                return False
        return bool(here & there)

    def equal(self, mine: int, its: int) -> bool:
        """Whether objects of donor and base hold the same, followed through their addresses."""
        if (mine, its) in self._assumed:
            return True
        one, other = self._held(False, mine), self._held(True, its)
        if one is None or other is None or len(one) != len(other):
            return False
        before = set(self._assumed)
        self._assumed.add((mine, its))  # objects may point at each other
        same = all(map(self._same_part, one, other))
        if not same:
            self._assumed = before
        return same

    def _held(self, of_base: bool, atom: int) -> Contents | None:
        key = (of_base, atom)
        if key not in self._contents:
            unit = (self.base if of_base else self.donor).graph.unit
            self._contents[key] = contents(unit, atom)
        return self._contents[key]

    def _same_part(self, mine: bytes | Address, its: bytes | Address) -> bool:
        if isinstance(mine, bytes) or isinstance(its, bytes):
            return mine == its
        if (mine.addend, mine.size) != (its.addend, its.size):
            return False
        one, other = self.donor.graph.symbol(mine.symbol), self.base.graph.symbol(its.symbol)
        if one.atom is None or other.atom is None or not (one.is_local and other.is_local):
            return one.name == other.name and one.is_local == other.is_local
        if one.is_function or other.is_function:
            return one.name == other.name and "." not in one.name
        generated = (
            self.donor.graph.is_generated(one.atom),
            self.base.graph.is_generated(other.atom),
        )
        if any(generated):
            return all(generated) and self.equal(one.atom, other.atom)
        try:
            return self.match(one.name) == other.name
        except AsmError:
            return False


def is_compilers(section: str) -> bool:
    """Whether a compiler chose the section of an object by itself, so that its place is free."""
    stems = (".data", ".rodata", ".bss", ".tdata", ".tbss")
    return any(section == stem or section.startswith(stem + ".") for stem in stems)
