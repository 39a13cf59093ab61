"""Planted rewrites: pairs of bodies of which it is known that the new one is wrong, or right.

`planted/wrong.txt` and `planted/right.txt` hold them in this form, a blank line between two:

    == name
    prototype: int f(int x)
    why: why it is wrong, or right
    found by: driver
    -- original
        leal	1(%rdi), %eax
        ret
    -- new
        ...

Of the wrong ones `found by` says who refuses it ("static checks", "driver" or "proof"); of the
right ones who vouches for it ("proof" where it can be proved, else "driver").
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from cr1cc.gate.prototype import parse_prototype
from cr1cc.gate.signature import Signature

PLANTED = Path(__file__).parent / "planted"
_BLOCK = re.compile(
    r"== (?P<name>\w+)\nprototype: (?P<prototype>.+)\nwhy: (?P<why>.+)\nfound by: (?P<by>.+)\n"
    r"-- original\n(?P<original>(?:.*\n)+?)-- new\n(?P<new>(?:.*\n)+)"
)
_SECTION = re.compile(r"^\t\.section", re.MULTILINE)


class Case(NamedTuple):
    name: str
    signature: Signature
    why: str
    by: str
    original: str
    new: str

    def __repr__(self) -> str:
        return self.name


def cases(kind: str) -> list[Case]:
    """All cases of `planted/KIND.txt`."""
    text = (PLANTED / f"{kind}.txt").read_text(encoding="ascii")
    found = []
    for block in re.split(r"\n(?=== )", text):
        match = _BLOCK.fullmatch(block if block.endswith("\n") else block + "\n")
        assert match, block[:200]
        signature = parse_prototype(match["prototype"])
        original, new = (unit(signature.name, match[part]) for part in ("original", "new"))
        found.append(Case(match["name"], signature, match["why"], match["by"], original, new))
    return found


def unit(name: str, body: str) -> str:
    """An assembly text with a function, whose constants follow in sections of their own."""
    section = _SECTION.search(body)
    code, data = (body[: section.start()], body[section.start() :]) if section else (body, "")
    return (
        f"\t.text\n\t.p2align 4\n\t.globl\t{name}\n\t.type\t{name}, @function\n{name}:\n"
        f"{code.rstrip()}\n\t.size\t{name}, .-{name}\n{data.rstrip()}\n"
    )
