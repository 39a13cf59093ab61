"""Print a unit: its pieces in their order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter

from cr1cc.asm.section import TEXT
from cr1cc.asm.unit import Piece, Unit


def print_unit(unit: Unit) -> str:
    """The text of a unit. It assembles to the same bytes as the text that was read."""
    return "".join(f"{line}\n" for line in lines_of(unit.pieces))


def lines_of(pieces: Iterable[Piece]) -> Iterator[str]:
    """The lines of pieces, with a section directive in full wherever the section changes, and
    the marks of what the source wrote."""
    current = TEXT.key  # the assembler begins there
    for section, _, statements in pieces:
        if section.key != current:
            yield section.spelled
            current = section.key
        for inline, rows in groupby(statements, attrgetter("inline")):
            lines = list(map(str, rows))
            yield from ["#APP", *lines, "#NO_APP"] if inline else lines
