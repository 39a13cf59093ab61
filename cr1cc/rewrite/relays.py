"""Shorter jumps by way of other jumps to the same place.

A jump within 128 bytes takes two bytes, one that goes further five or six (Intel's manual, volume
2, "Jcc" and "JMP"). Where another `jmp` to the same place is near, a far jump may go there: the
program does the same, by one jump more. Each way ends, because a `jmp` only ever goes to one that
is nearer to the place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from cr1cc.asm.graph import Function
from cr1cc.asm.printer import print_unit
from cr1cc.asm.statement import Kind, Machine, Statement
from cr1cc.asm.unit import AtomKind, Piece, Unit
from cr1cc.rewrite.stems import CONDITIONAL
from cr1cc.util.elf import ObjectFile

_SHORT = 2  # bytes of a jump that is near
# How far a short jump goes from its end, and what is left of that for padding to change.
_NEAR, _SPARE = 127, 8
_MARK, _LABEL = "cr1.at.", ".LCR1R"
_JUMPS = frozenset(name for name in CONDITIONAL if name.startswith("j"))

_At = tuple[int, int]  # piece of the unit, statement of the piece


class Relayed(NamedTuple):
    """A function with jumps by way of others. `saved` in bytes."""

    function: str
    jumps: int
    saved: int


class _Jump(NamedTuple):
    """`always`: it has no condition; others may go by way of it."""

    at: _At
    target: str
    always: bool


def relayed(
    unit: Unit, functions: Iterable[Function], assemble: Callable[[bytes], bytes]
) -> tuple[Unit, list[Relayed]]:
    """The unit with shorter jumps in those of its functions that get smaller by it, and these.
    `assemble` gives the object of a text; what it raises is raised."""
    if unit.machine is not Machine.X86_64 or unit.has_debug or _is_taken(unit):
        return unit, []
    jumps = {one: found for one in functions if (found := list(_worth(unit, one)))}
    if not jumps:
        return unit, []
    marked, names = _marked(unit, [one for found in jumps.values() for one in found])
    before = ObjectFile(assemble(_text(marked)))  # marks take no bytes
    places = _places(before, names)
    ways = {one: way for one, found in jumps.items() if (way := dict(_ways(found, places)))}
    if not ways:
        return unit, []
    sizes = before.function_sizes()
    after = ObjectFile(assemble(_text(_applied(unit, ways.values())))).function_sizes()
    kept = []
    for one in list(ways):
        saved = sum(sizes.get(name, 0) - after.get(name, 0) for name in one.entries)
        if saved > 0:
            kept.append(Relayed(one.entries[0], len(ways[one]), saved))
        else:
            del ways[one]
    return _applied(unit, ways.values()), kept


def _is_taken(unit: Unit) -> bool:
    """Whether names are used that are put in here."""
    return any(
        one.kind is Kind.LABEL and one.name.startswith((_MARK, _LABEL))
        for piece in unit.pieces
        for one in piece.statements
    )


def _worth(unit: Unit, function: Function) -> Iterator[_Jump]:
    """The jumps of a function to inner labels to which several go, one of them a `jmp`."""
    by_target: dict[str, list[_Jump]] = {}
    labels: set[str] = set()
    for atom in function.atoms:
        if unit.atoms[atom].kind is not AtomKind.CODE:
            continue
        for piece in unit.atoms[atom].pieces:
            for number, row in enumerate(unit.pieces[piece].statements):
                if row.kind is Kind.LABEL:
                    labels.add(row.name)
                elif row.kind is Kind.INSTRUCTION and (row.name == "jmp" or row.name in _JUMPS):
                    jump = _Jump((piece, number), row.operands, row.name == "jmp")
                    by_target.setdefault(row.operands, []).append(jump)
    for target, found in by_target.items():
        if target in labels and len(found) > 1 and any(one.always for one in found):
            yield from found


def _marked(unit: Unit, jumps: Sequence[_Jump]) -> tuple[Unit, Mapping[object, str]]:
    """The unit with labels at jumps and at their targets, and these labels: by where a jump stands,
    by the name of a target."""
    names: dict[object, str] = {}
    for one in jumps:
        names.setdefault(one.at, f"{_MARK}{len(names)}")
        names.setdefault(one.target, f"{_MARK}{len(names)}")
    pieces = []
    for index, piece in enumerate(unit.pieces):
        rows: list[Statement] = []
        for number, row in enumerate(piece.statements):
            key: object = row.name if row.kind is Kind.LABEL else (index, number)
            if key in names:
                rows.append(Statement(Kind.LABEL, names[key], ""))
            rows.append(row)
        pieces.append(Piece(piece.section, piece.atom, tuple(rows)))
    return unit.with_pieces(pieces), names


def _places(made: ObjectFile, names: Mapping[object, str]) -> Mapping[object, tuple[int, int]]:
    """Section and offset of what has these labels."""
    found = {one.name: (one.section, one.value) for one in made.symbols()}
    return {key: found[name] for key, name in names.items() if name in found}


def _ways(
    jumps: Sequence[_Jump], places: Mapping[object, tuple[int, int]]
) -> Iterator[tuple[_At, _At]]:
    """Far jumps, and the `jmp` by way of which each of them may go: of those that are near the one
    that is nearest to the place."""
    for one in jumps:
        if one.at not in places or one.target not in places:
            continue
        (section, here), (there, end) = places[one.at], places[one.target]
        if section != there or _is_near(here, end, 0):
            continue
        fitting = []
        for other in jumps:
            if not other.always or other.target != one.target or other.at == one.at:
                continue
            part, relay = places.get(other.at, (-1, 0))
            nearer = abs(relay - end) < abs(here - end) or not one.always
            if part == section and nearer and _is_near(here, relay, _SPARE):
                fitting.append((abs(relay - end), other.at))
        if fitting:
            yield one.at, min(fitting)[1]


def _is_near(here: int, there: int, spare: int) -> bool:
    """Whether a short jump goes so far."""
    distance = there - (here + _SHORT)
    return -_NEAR - 1 + spare <= distance <= _NEAR - spare


def _applied(unit: Unit, ways: Iterable[Mapping[_At, _At]]) -> Unit:
    by = {at: relay for way in ways for at, relay in way.items()}
    labels = {at: f"{_LABEL}{number}" for number, at in enumerate(sorted(set(by.values())))}
    touched = {piece for piece, _ in (*by, *labels)}
    pieces = (
        _rewritten(index, piece, by, labels) if index in touched else piece
        for index, piece in enumerate(unit.pieces)
    )
    return unit.with_pieces(pieces)


def _rewritten(index: int, piece: Piece, by: Mapping[_At, _At], labels: Mapping[_At, str]) -> Piece:
    rows: list[Statement] = []
    for number, one in enumerate(piece.statements):
        at = index, number
        if at in labels:
            rows.append(Statement(Kind.LABEL, labels[at], ""))
        rows.append(one._replace(operands=labels[by[at]]) if at in by else one)
    return Piece(piece.section, piece.atom, tuple(rows))


def _text(unit: Unit) -> bytes:
    return print_unit(unit).encode("utf-8", "surrogateescape")
