"""Two bodies of a function as text, and what the proof says of them."""

from __future__ import annotations

import os

from cr1cc.gate.prototype import parse_prototype
from cr1cc.gate.verdict import Judgement
from cr1cc.prove.code import unit_of
from cr1cc.prove.proof import Settings, prove
from tests.unit.gate.cases import unit


def judged(
    prototype: str, original: str, new: str, settings: Settings | None = None, data: str = ""
) -> Judgement:
    """The judgement. Bodies are instructions divided by ";", or whole lines; `data` follows."""
    signature = parse_prototype(prototype)
    bodies = [
        unit_of("f.s", unit(signature.name, lines(body)) + lines(data), os.environ).body(
            signature.name
        )
        for body in (original, new)
    ]
    return prove(bodies[0], bodies[1], signature, settings)


def lines(text: str) -> str:
    return "".join(f"\t{line.strip()}\n" for line in text.replace(";", "\n").splitlines())
