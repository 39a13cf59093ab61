"""Read-only data that two bodies share.

Each body brings its own copy of a string or a table. In a program only one of them is linked, so
in the driver equal ones must be one, too: a function may return the address of its constant.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping

from cr1cc.asm.contents import contents
from cr1cc.asm.directives import DIRECTIVES, Treatment
from cr1cc.asm.statement import Kind
from cr1cc.asm.unit import AtomKind
from cr1cc.gate.body import Body

_ALIGNMENT = 64  # whatever a body needs


def constants(body: Body) -> dict[int, tuple[str, bytes]]:
    """Of each atom of a body that is plain read-only data: the symbol of its contents, and them.

    Equal contents have equal symbols in any body, but no two atoms of one body have the same."""
    found: dict[int, tuple[str, bytes]] = {}
    many: Counter[bytes] = Counter()
    for atom in body.atoms:
        data = _bytes(body, atom)
        if data is not None:
            many[data] += 1
            digest = hashlib.blake2b(data, digest_size=16).hexdigest()
            found[atom] = (f"cr1_constant_{digest}_{many[data]}", data)
    return found


def _bytes(body: Body, atom: int) -> bytes | None:
    """What an object holds that has no address in it and is known by its beginning alone."""
    unit = body.graph.unit
    one = unit.atoms[atom]
    if one.kind is not AtomKind.DATA or body.graph.is_writable(atom) or len(one.labels) != 1:
        return None
    rows = list(unit.statements_of(atom))
    label = next(at for at, row in enumerate(rows) if row.kind is Kind.LABEL)
    held = contents(unit, atom)
    before = [row for row in rows[:label] if DIRECTIVES.get(row.name) is Treatment.DATA]
    if before or held is None or len(held) != 1 or not isinstance(held[0], bytes):
        return None
    return held[0]


def text_of(shared: Iterable[Mapping[int, tuple[str, bytes]]]) -> str:
    """The assembly text that defines the constants of all bodies."""
    known = dict(pair for one in shared for pair in one.values())
    lines = ["\t.section\t.rodata"]
    for symbol, data in sorted(known.items()):
        numbers = ", ".join(map(str, data))
        lines += [f"\t.globl\t{symbol}", f"\t.balign\t{_ALIGNMENT}", f"{symbol}:"]
        lines += [f"\t.byte\t{numbers}"] if data else []
    return "\n".join([*lines, '\t.section\t.note.GNU-stack,"",@progbits', ""])
