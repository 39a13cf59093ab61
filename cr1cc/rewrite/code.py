"""The code of a function of a unit."""

from __future__ import annotations

from collections.abc import Iterator

from cr1cc.asm.graph import Function
from cr1cc.asm.statement import Statement
from cr1cc.asm.unit import AtomKind, Unit
from cr1cc.rewrite.flow import Code


def code_of(unit: Unit, function: Function, *, live: bool = True) -> Code:
    """The code of a function, hot and cold; `live`: with what is live behind each line."""
    atoms = [atom for atom in function.atoms if unit.atoms[atom].kind is AtomKind.CODE]

    def part(atom: int) -> Iterator[tuple[tuple[int, int], Statement]]:
        for piece in unit.atoms[atom].pieces:
            for number, statement in enumerate(unit.pieces[piece].statements):
                yield (piece, number), statement

    return Code((part(atom) for atom in atoms), live=live)
