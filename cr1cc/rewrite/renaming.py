"""Shorter encodings of a function by other names for the registers that it saves.

An instruction of x86-64 needs one byte more, a REX prefix, for %r8 to %r15, and an address one
more with %r12, or %r13 and %rbp without an offset, as its base (Intel's manual, volume 2, 2.1.5 and
2.2.1). Compilers hand the registers out by how often values are used, or as they come; here those
whose uses take the most bytes get the names that take the fewest. `saved.py` says which may take
each other's places, and why nothing else changes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from cr1cc.asm.graph import Function, Graph
from cr1cc.asm.reference import references
from cr1cc.asm.statement import Kind, Machine, Statement
from cr1cc.asm.unit import AtomKind, Piece, Unit
from cr1cc.rewrite.code import code_of
from cr1cc.rewrite.flow import Code
from cr1cc.rewrite.places import GENERAL, REGISTERS, Register
from cr1cc.rewrite.saved import SAVED, exchangeable, mentioned

Names = Mapping[int, int]  # by the number of a register, that of the one in whose place it comes

_TOKEN = re.compile(r"%(\w+)")
_ADDRESS = re.compile(r"([^\s,()]*)\((%\w+)?(?:,\s*(%\w+)[^)]*)?\)")
# Of .cfi directives: the numbers of these registers in DWARF (psABI, figure 3.36).
_DWARF = {3: 3, 5: 6, 12: 12, 13: 13, 14: 14, 15: 15}
_BY_DWARF = {number: name for name, number in _DWARF.items()}
_SAVING = frozenset((".cfi_offset", ".cfi_rel_offset", ".cfi_restore"))
# Operands of 64 bits without a prefix that says so.
_WIDE_ALREADY = re.compile(r"(push|pop|call|jmp)q?|movq")
_VEX = re.compile(r"v\w+|andn[lq]|bextr[lq]|bls\w+|bzhi[lq]|pdep[lq]|pext[lq]|mulx[lq]|rorx[lq]"
                  r"|s[ah][lr]x[lq]")  # fmt: skip
_SAVED = frozenset(f"%{GENERAL[one]}" for one in SAVED)
_NEVER = 1 << 20  # bytes, for what has no encoding
_RSP, _RBP, _R12, _R13 = map(GENERAL.index, ("rsp", "rbp", "r12", "r13"))


class Renamed(NamedTuple):
    """A function whose registers have other names. `saved`: bytes of its instructions but for
    jumps."""

    function: str
    names: Names
    saved: int


class _Use(NamedTuple):
    """What an instruction with such registers is encoded with. `prefixed`: it has a prefix,
    whatever they are; `direct`: operands, `narrow`: those of one byte; `base` and `scaled` those of
    its address, `bare`: without an offset, `indexed`: with an index, which may be any register.
    `unprefixed`: it can have no prefix, because of %ah, %bh, %ch or %dh."""

    prefixed: bool
    vex: bool
    direct: frozenset[int]
    narrow: frozenset[int]
    base: int | None
    scaled: int | None
    bare: bool
    indexed: bool
    unprefixed: bool

    def registers(self) -> frozenset[int]:
        """Those that may get other names."""
        return self.direct.union(one for one in (self.base, self.scaled) if one is not None)

    def bytes(self, names: Names) -> int:
        """What it takes with these names, but for what it takes with any."""
        direct = {names.get(one, one) for one in self.direct}
        base = None if self.base is None else names.get(self.base, self.base)
        scaled = None if self.scaled is None else names.get(self.scaled, self.scaled)
        high = any(one >= 8 for one in (*direct, base or 0, scaled or 0))
        low = any(names.get(one, one) == _RBP for one in self.narrow) and not self.vex
        if self.unprefixed and (high or low):
            return _NEVER
        taken = int(self.prefixed or high or low)
        taken += int(base == _R12 and not self.indexed)
        return taken + int(self.bare and base in (_RBP, _R13))


def renamed(graph: Graph) -> tuple[Unit, list[Renamed]]:
    """A unit, by its graph, with other names for registers in functions whose instructions get
    shorter, and those functions. Jumps may get longer in a few of them, where what they go over
    does."""
    unit = graph.unit
    if unit.machine is not Machine.X86_64 or unit.has_debug:
        return unit, []
    chosen: dict[int, Names] = {}  # by atom
    found = []
    for function in graph.functions:
        names, saved = _choice(graph, function)
        if saved:
            chosen.update(dict.fromkeys(function.atoms, names))
            found.append(Renamed(function.entries[0], names, saved))
    return (_applied(unit, chosen), found) if found else (unit, [])


def spelled(names: Names) -> tuple[str, str]:
    """The registers, and those in whose places they come, in words."""
    order = sorted(names)
    before, after = order, [names[one] for one in order]
    return tuple(", ".join(f"%{GENERAL[one]}" for one in side) for side in (before, after))  # type: ignore[return-value]


def entries(function: Function) -> Iterator[str]:
    """Where it is called; a cold part is only jumped to."""
    return (name for name in function.entries if ".cold" not in name)


def addressed(graph: Graph, function: Function, code: Code) -> tuple[set[str], set[str]]:
    """The inner labels of a function whose address is taken: by tables, of jumps and of handlers of
    exceptions, and by its code."""
    found: tuple[set[str], set[str]] = set(), set()
    for atom in function.atoms:
        is_code = graph.unit.atoms[atom].kind is AtomKind.CODE
        for statement in graph.unit.statements_of(atom):
            if statement.kind is Kind.LABEL or statement.name == ".size":
                continue
            if is_code and statement.kind is Kind.DIRECTIVE:
                continue
            for reference in references(statement, graph.unit.machine):
                name = reference.symbol
                is_base = f"-{name}" in statement.operands  # distances are counted from it
                if reference.is_address and name in code.labels and not is_base:
                    found[is_code].add(name)
    return found[0] - set(function.entries), found[1] - set(function.entries)


def _choice(graph: Graph, function: Function) -> tuple[Names, int]:
    """The names that registers of a function get, and how many bytes fewer it takes by that. All
    that it pushes are tried first: it takes longer to say which of them are exchangeable."""
    body = Counter(
        statement
        for atom in function.atoms
        if graph.unit.atoms[atom].kind is AtomKind.CODE
        for statement in graph.unit.statements_of(atom)
        if statement.kind is Kind.INSTRUCTION
    )
    pushed = frozenset(
        REGISTERS[one.operands[1:]].number
        for one in body
        if one.name in ("push", "pushq") and one.operands in _SAVED
    )
    if len(pushed) < 2 or not _best(body, pushed)[1]:
        return {}, 0
    code = code_of(graph.unit, function, live=False)
    free = exchangeable(code, entries(function), *addressed(graph, function, code))
    return _best(body, free) if free else ({}, 0)


def _best(body: Mapping[Statement, int], free: frozenset[int]) -> tuple[Names, int]:
    """The names that take the fewest bytes, by exchanging two of them as long as that helps, and
    how many fewer."""
    uses: Counter[_Use] = Counter()
    for one, count in body.items():
        if mentioned(one) & free:
            uses[_use(one, free)] += count
    cost = _Cost(uses)
    names = {one: one for one in sorted(free)}
    first = least = cost(names)
    while True:
        tried = [(cost(_exchanged(names, *pair)), pair)
                 for pair in combinations(sorted(free), 2)]  # fmt: skip
        total, pair = min(tried)
        if total >= least:
            return {one: other for one, other in names.items() if one != other}, first - least
        least, names = total, _exchanged(names, *pair)


def _exchanged(names: Names, one: int, other: int) -> dict[int, int]:
    return {**names, one: names[other], other: names[one]}


class _Cost:
    """Bytes of some uses by the names of registers. Uses of the same registers are counted
    together, once for all names that these get."""

    def __init__(self, uses: Mapping[_Use, int]) -> None:
        self._groups: dict[tuple[int, ...], list[tuple[_Use, int]]] = {}
        for use, count in uses.items():
            self._groups.setdefault(tuple(sorted(use.registers())), []).append((use, count))
        self._known: dict[tuple[tuple[int, ...], tuple[int, ...]], int] = {}

    def __call__(self, names: Names) -> int:
        return sum(self._of(group, names) for group in self._groups)

    def _of(self, group: tuple[int, ...], names: Names) -> int:
        place = group, tuple([names[one] for one in group])
        found = self._known.get(place)
        if found is None:
            found = sum(use.bytes(names) * count for use, count in self._groups[group])
            self._known[place] = found
        return found


def _use(statement: Statement, free: frozenset[int]) -> _Use:
    address = _ADDRESS.search(statement.operands)
    base, scaled = map(_general, address.group(2, 3)) if address else (None, None)
    outside = _ADDRESS.sub("", statement.operands)
    direct = [one for one in map(_general, _TOKEN.findall(outside)) if one]
    fixed = [one for one in (*direct, base, scaled) if one and one.number not in free]
    return _Use(
        _is_wide(statement, direct) or any(map(_needs_prefix, fixed)),
        _VEX.fullmatch(statement.name) is not None,
        frozenset(one.number for one in direct if one.number in free),
        frozenset(one.number for one in direct if one.number in free and one.width == 1),
        base.number if base and base.number in free else None,
        scaled.number if scaled and scaled.number in free else None,
        bool(address and base and address[1] in ("", "0")),  # no assembler writes a 0
        scaled is not None,
        any(one.high for one in direct),
    )


def _is_wide(statement: Statement, direct: Sequence[Register]) -> bool:
    """Whether an instruction has a prefix because its operands have 64 bits."""
    if _WIDE_ALREADY.fullmatch(statement.name):
        return statement.name == "movq" and "%xmm" not in statement.operands
    return statement.name.endswith("q") or any(one.width == 8 for one in direct)


def _needs_prefix(one: Register) -> bool:
    """Whether an instruction with this operand has a prefix: of low bytes, for those of the
    registers that had none before (%spl, %bpl, %sil, %dil)."""
    low = one.width == 1 and not one.high and one.number in (4, 5, 6, 7)
    return one.number >= 8 or low


def _general(word: str | None) -> Register | None:
    return REGISTERS.get((word or "").removeprefix("%"))


def _applied(unit: Unit, chosen: Mapping[int, Names]) -> Unit:
    """The unit with names for registers by atom."""
    pieces = (
        Piece(piece.section, piece.atom,
              tuple(_statement(one, chosen[piece.atom]) for one in piece.statements))
        if piece.atom in chosen and unit.atoms[piece.atom].kind is AtomKind.CODE
        else piece
        for piece in unit.pieces
    )  # fmt: skip
    return unit.with_pieces(pieces)


def _statement(statement: Statement, names: Names) -> Statement:
    if statement.kind is Kind.INSTRUCTION:
        return statement._replace(
            operands=_TOKEN.sub(lambda found: _register(found, names), statement.operands)
        )
    if statement.kind is Kind.DIRECTIVE and statement.name in _SAVING:
        register, comma, rest = statement.operands.partition(",")
        return statement._replace(operands=_unwound(register.strip(), names) + comma + rest)
    return statement


def _register(found: re.Match[str], names: Names) -> str:
    one = REGISTERS.get(found[1])
    if one is None or one.number not in names:
        return found[0]
    return str(one._replace(number=names[one.number]))


def _unwound(register: str, names: Names) -> str:
    """A register of a directive for unwinding, by its number or its name."""
    if not register.isdigit():
        return _TOKEN.sub(lambda found: _register(found, names), register)
    number = _BY_DWARF.get(int(register))
    return register if number is None else str(_DWARF[names.get(number, number)])
