"""Put the pieces of a spliced unit together: the base's that stay, the donors' under new names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from cr1cc.asm.graph import Graph
from cr1cc.asm.reference import is_branch, renamed
from cr1cc.asm.section import Section, split_operands
from cr1cc.asm.statement import Kind, Statement
from cr1cc.asm.transplant import INDIRECT, Host, Transplant
from cr1cc.asm.unit import AtomKind, Piece, Unit
from cr1cc.errors import AsmError

# clang's list of symbols whose address matters: without it, every address does.
_LEFT_OUT = (".addrsig", ".addrsig_sym")

# What is said of a symbol that is not local; all that come along are.
_OF_GLOBALS = (".global", ".globl", ".hidden", ".internal", ".protected", ".weak")
_INDIRECT_SECTION = Section(
    ".data.rel.local", "aw", "progbits", "", "", "", "", '\t.section\t.data.rel.local,"aw"'
)


def compose(host: Host, transplants: Sequence[Transplant], kept: set[int]) -> Unit:
    """A unit whose pieces are the result; its atoms and symbols are still the base's.

    The parts of a chosen function stand where the base's stood; what came along with several
    functions stands at the end. Raises AsmError if a section has other attributes in a donor.
    """
    base = host.graph
    sections = {piece.section.key: piece.section for piece in base.unit.pieces}
    bodies: dict[int, list[Piece]] = {}  # by the first atom of the function that they replace
    rest: list[Piece] = []
    for transplant in transplants:
        for atom, piece in _transplanted(transplant, sections):
            place = transplant.places.get(atom)
            (rest if place is None else bodies.setdefault(place, [])).append(piece)
    return replace(base.unit, pieces=tuple(_merged(host, kept, bodies, rest)))


def _merged(
    host: Host, kept: set[int], bodies: dict[int, list[Piece]], rest: list[Piece]
) -> Iterator[Piece]:
    unit = host.graph.unit
    aligned: set[int] = set()
    for piece in unit.pieces:
        if piece.atom in bodies:
            yield from bodies.pop(piece.atom)
        if piece.atom not in kept:
            continue
        statements = [row for row in piece.statements if row.name not in _LEFT_OUT]
        wanted = host.alignments.get(piece.atom)
        if wanted and statements and piece.atom not in aligned:
            aligned.add(piece.atom)
            is_common = unit.atoms[piece.atom].kind is AtomKind.COMMON
            statements = (
                _aligned_common(statements[0], wanted)
                if is_common
                else [Statement(Kind.DIRECTIVE, ".balign", str(wanted)), *statements]
            )
        yield piece._replace(statements=tuple(statements))
    yield from rest


def _aligned_common(statement: Statement, alignment: int) -> list[Statement]:
    name, size, _ = split_operands(statement.operands)
    return [statement._replace(operands=f"{name},{size},{alignment}")]


def _transplanted(
    transplant: Transplant, sections: dict[tuple[str, str, str, str], Section]
) -> Iterator[tuple[int, Piece]]:
    """The pieces that come along under their new names, in the donor's order, with the atoms
    that they belong to there: declarations with that of their symbol."""
    donor = transplant.donor
    names = {**transplant.shared, **transplant.private}
    addresses = {**names, **transplant.addresses}
    for piece in donor.unit.pieces:
        atom = _owner(donor, piece, transplant)
        if atom is None:
            continue
        own = _INDIRECT_SECTION if _is_indirect(donor, atom) else piece.section
        section = sections.setdefault(own.key, own)
        if section.attributes != own.attributes:
            raise AsmError(f"section {section.name} has other attributes in the donor")
        rows = tuple(
            renamed(row, names if _says_where(row) else addresses, donor.unit.machine)
            for row in piece.statements
            if row.name not in _OF_GLOBALS
        )
        yield atom, Piece(section, atom, rows)


def _is_indirect(donor: Graph, atom: int) -> bool:
    return any(label.startswith(INDIRECT) for label in donor.unit.atoms[atom].labels)


def _owner(donor: Graph, piece: Piece, transplant: Transplant) -> int | None:
    """The atom that a piece comes along with, None if it stays away."""
    atom = donor.unit.atoms[piece.atom]
    if atom.kind is not AtomKind.DECLARATION:
        return piece.atom if piece.atom in transplant.atoms else None
    # What is said of other symbols is what the base says.
    name = atom.labels[0]
    return donor.symbol(name).atom if name in transplant.private else None


def _says_where(statement: Statement) -> bool:
    """Whether a statement defines or calls what it names, rather than taking its address."""
    return (
        statement.kind is Kind.LABEL
        or statement.name in (".local", ".set", ".size", ".type", ".weakref")
        or is_branch(statement)
    )
