"""What comes along when functions of one donor move: every private part, and every name.

A transplant follows the references of the moved code. Each symbol that it meets is one of these:

- global or undefined: the same name in the base, with the same attributes;
- a variable of the source: the base's one, since it exists once;
- a local function that is called: the donor's own copy, because callers may know more of it than
  the ABI says;
- a local function whose address is taken: the base's one if the base takes its address too, for
  such an address may be compared; then both follow the ABI. Else the first copy that came along;
- a constant, string or table of the compiler's: the base's if it holds the same, else a copy.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cr1cc.asm.contents import alignment
from cr1cc.asm.graph import Function, Graph
from cr1cc.asm.reference import Reference
from cr1cc.asm.signature import check_symbol
from cr1cc.asm.statics import Matcher, Statics, is_compilers
from cr1cc.asm.unit import AtomKind, Symbol
from cr1cc.errors import AsmError

# A pointer that gcc makes for tables of exceptions, hidden and once in the program. Where the
# base has none, a local copy does as well: clang makes local ones itself.
INDIRECT = "DW.ref."


@dataclass
class Host:
    """The base and what transplants have done to it so far."""

    graph: Graph
    statics: Statics
    used: set[str] = field(default_factory=set)  # its symbols that donors refer to
    alignments: dict[int, int] = field(default_factory=dict)  # bytes, of its atoms, if more
    copies: dict[str, str] = field(default_factory=dict)  # name in the source: symbol of the copy
    names: set[str] = field(default_factory=set)  # all that are taken
    granted: frozenset[str] = frozenset()  # what donors may need although the base does not

    def may_need(self, name: str) -> bool:
        """Whether a symbol that the base knows nothing of may be needed."""
        known = name in self.graph.mentioned or name in self.graph.unit.symbols
        return name in self.granted and not known

    def align(self, atom: int, wanted: int | None) -> None:
        """Give an object at least an alignment in bytes. Raises AsmError if that moves others."""
        has = alignment(self.graph.unit, atom)
        if has is None or wanted is None:
            raise AsmError("an alignment is not understood")
        if wanted <= max(has, self.alignments.get(atom, 1)):
            return
        found = self.graph.unit.atoms[atom]
        if found.kind is AtomKind.DATA and not is_compilers(found.section.name):
            raise AsmError(f"an object in section {found.section.name} is aligned more in a donor")
        self.alignments[atom] = wanted


class Transplant:
    """Functions of one donor on their way into the base."""

    def __init__(self, host: Host, donor: Graph, index: int) -> None:
        self.host = host
        self.donor = donor
        self.atoms: set[int] = set()
        self.private: dict[str, str] = {}  # local symbols that come along: their new names
        self.shared: dict[str, str] = {}  # local symbols that do not: the base's names
        self.addresses: dict[str, str] = {}  # local functions: whose address is meant
        self.places: dict[int, int] = {}  # atoms of the moved functions: one of the base's instead
        self._index = index
        self._statics = Statics(donor)
        self._matcher = Matcher(host.statics, self._statics)
        self._waiting: list[int] = []

    def move(self, pairs: list[tuple[Function, Function]]) -> None:
        """Take the second of each pair, with all that it needs, to the place of the first, which
        is the base's. Raises AsmError if that cannot be done."""
        for old, new in pairs:
            self.places |= dict.fromkeys(new.atoms, old.atoms[0])
            self._take_function(new, chosen=True)
        while self._waiting:
            atom = self._waiting.pop()
            for reference in self.donor.references[atom]:
                self._follow(atom, reference)

    def _take_function(self, function: Function, chosen: bool) -> None:
        for atom in function.atoms:
            found = self.donor.unit.atoms[atom]
            for label in found.labels:
                if self.donor.symbol(label).is_local:
                    self._rename(label)
                elif not chosen:
                    raise AsmError(f"{label} would exist twice")
            writable = found.kind is AtomKind.DATA and self.donor.is_writable(atom)
            if writable and not chosen:
                raise AsmError(f"{function.entries[0]} has data of its own that would exist twice")
            self._take(atom)

    def _take(self, atom: int) -> None:
        if atom not in self.atoms:
            self.atoms.add(atom)
            self._waiting.append(atom)

    def _rename(self, name: str) -> str:
        """A name that nothing else has for a local symbol that comes along."""
        if name in self.private:
            return self.private[name]
        plain, quote = (name[:-1], '"') if name.endswith('"') else (name, "")
        new, count = f"{plain}.{self._index}{quote}", 0
        while new in self.host.names:
            count += 1
            new = f"{plain}.{self._index}.{count}{quote}"
        self.host.names.add(new)
        self.private[name] = new
        return new

    def _follow(self, user: int, reference: Reference) -> None:
        symbol = self.donor.symbol(reference.symbol)
        if symbol.atom is None or not symbol.is_local:
            self._follow_global(symbol)
        elif self._is_inner(user, symbol, reference):
            return
        elif self.donor.unit.atoms[symbol.atom].kind is AtomKind.ALIAS:
            self._follow_alias(symbol, reference)
        elif self.donor.function_of(symbol.atom):
            self._follow_function(user, symbol, reference)
        else:
            self._follow_object(symbol)

    def _is_inner(self, user: int, symbol: Symbol, reference: Reference) -> bool:
        """Whether a function refers to its own parts. Its own address is more than that."""
        function = self.donor.function_of(user)
        if function and symbol.name in function.entries and reference.is_address:
            return False
        return symbol.atom == user or (function is not None and symbol.atom in function.atoms)

    def _follow_global(self, symbol: Symbol) -> None:
        name = symbol.name
        if name.startswith(INDIRECT) and self.host.graph.symbol(name).atom is None:
            assert symbol.atom is not None
            self._rename(name)
            self._take(symbol.atom)
            return
        if symbol.atom is None and self.host.may_need(name):
            return
        check_symbol(self.host.graph, self.donor, name)
        self.host.used.add(name)
        atom = self.host.graph.symbol(name).atom
        if symbol.atom is None or atom is None:
            return
        kind = self.host.graph.unit.atoms[atom].kind
        if kind in (AtomKind.DATA, AtomKind.COMMON):
            self.host.align(atom, alignment(self.donor.unit, symbol.atom))

    def _follow_alias(self, symbol: Symbol, reference: Reference) -> None:
        """A local name for something else, as gcc makes for a thunk or for a part of a constant:
        it comes along. The address of a function must not be known by it."""
        assert symbol.atom is not None
        targets = [self.donor.symbol(one.symbol) for one in self.donor.references[symbol.atom]]
        is_constant = all(
            one.name == symbol.name or (one.atom is not None and self.donor.is_generated(one.atom))
            for one in targets
        )
        if reference.is_address and not is_constant:
            raise AsmError(f"the address of the local alias {symbol.name} is taken")
        self._rename(symbol.name)
        self._take(symbol.atom)

    def _follow_function(self, user: int, symbol: Symbol, reference: Reference) -> None:
        assert symbol.atom is not None
        function = self.donor.function_of(symbol.atom)
        assert function is not None
        if symbol.name not in function.entries:
            raise AsmError(f"{symbol.name} is a part of another function")
        is_alias = self.donor.unit.atoms[user].kind is AtomKind.ALIAS
        if not reference.is_address or is_alias:
            self._take_function(function, chosen=False)
        elif symbol.name not in self.addresses:
            self.addresses[symbol.name] = self._address_of(symbol.name, function)

    def _address_of(self, name: str, function: Function) -> str:
        """The symbol of the one function whose address stands for a local function."""
        if "." in name:
            raise AsmError(f"the address of {name}, which has no name in the source, is taken")
        base = self.host.graph
        if base.symbol(name).is_local and base.function(name) and name in base.addressed:
            self.host.used.add(name)
            return name
        if name in base.addressed or (base.symbol(name).atom is None and name in base.mentioned):
            raise AsmError(f"{name} is another kind of symbol in the base")
        if name not in self.host.copies:
            self._take_function(function, chosen=False)
            self.host.copies[name] = self.private[name]
        return self.host.copies[name]

    def _follow_object(self, symbol: Symbol) -> None:
        name, atom = symbol.name, symbol.atom
        assert atom is not None
        if name in self.shared or name in self.private:
            return
        found = (
            self._equal_constant(symbol)
            if self.donor.is_generated(atom)
            else self._variable(symbol)
        )
        if found is None:
            for label in self.donor.unit.atoms[atom].labels:
                self._rename(label)
            self._take(atom)
        else:
            self.shared[name] = found
            self.host.used.add(found)

    def _equal_constant(self, symbol: Symbol) -> str | None:
        """The base's constant that holds the same and lies in the same section."""
        assert symbol.atom is not None
        atom = self.donor.unit.atoms[symbol.atom]
        if self.donor.is_writable(symbol.atom):
            raise AsmError(f"{symbol.name} is written to and has no name in the source")
        if atom.section.group or atom.labels[:1] != (symbol.name,):
            return None
        wanted = alignment(self.donor.unit, symbol.atom)
        for its in self.host.graph.constants.get(atom.section.key, ()):
            has = alignment(self.host.graph.unit, its)
            if has and wanted and has >= wanted and self._matcher.equal(symbol.atom, its):
                return self.host.graph.unit.atoms[its].labels[0]
        return None

    def _variable(self, symbol: Symbol) -> str | None:
        """The base's variable that a donor's is, None if a constant must come along."""
        assert symbol.atom is not None
        found = self._matcher.match(symbol.name)
        if found is not None:
            its = self.host.graph.symbol(found).atom
            assert its is not None
            self.host.align(its, alignment(self.donor.unit, symbol.atom))
            return found
        section = self.donor.unit.atoms[symbol.atom].section.name
        if self.donor.is_writable(symbol.atom):
            raise AsmError(f"static {symbol.name} is written to and missing in the base")
        if not is_compilers(section):
            raise AsmError(f"static {symbol.name} in section {section} is missing in the base")
        source = self._statics.stem(symbol.name) if "." in symbol.name else symbol.name
        if source in self.host.copies:
            raise AsmError(f"static {symbol.name} would exist twice")
        self.host.copies[source] = self._rename(symbol.name)
        return None
