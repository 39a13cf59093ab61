"""What an instruction does to values, as a Python function made of its formulas.

The formulas are those that proofs rest on (`cr1cc/prove`). A state is a list with a value for each
of PLACES. Accesses to memory go to a trace: address, size, and the value that is stored; the value
of a load is given by its number, since in a window any value may come. So does a jump: whether it
is taken. What an instruction leaves undefined is 0.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from typing import Any

from cr1cc.errors import ProofError
from cr1cc.prove.code import Reference
from cr1cc.prove.effect import GENERAL, SEGMENTS, VECTORS, Effect
from cr1cc.prove.instructions import FLAGS
from cr1cc.prove.term import Term, reachable
from cr1cc.rewrite import places
from cr1cc.rewrite.places import flags, vector, whole

PLACES = (*GENERAL, *VECTORS, *FLAGS, *SEGMENTS)
AT = {name: number for number, name in enumerate(PLACES)}

FIRST_FLAG = AT[FLAGS[0]]  # registers come before

State = list[int]
Touch = tuple[int, int, int]  # address, size in bytes, value stored or -1
Trace = list[Touch]
# From a state, the values of loads, and the trace until here, which it extends.
Step = Callable[[State, Sequence[int], Trace], State]

JUMP = (0, 0)  # how a jump begins in a trace


def step(effect: Effect, reference: Reference | None, wanted: Collection[str]) -> Step:
    """The function of an instruction. `wanted`: flags; others keep their values, which is wrong,
    and quick. Raises ProofError for what a window may not have."""
    if effect.fault is not None or (effect.kind != "plain" and effect.taken is None):
        raise ProofError(f"{effect.mnemonic} is not searched")
    place = _address(reference) if reference is not None else 0
    written = {
        name: value
        for name, value in effect.registers.items()
        if name not in FLAGS or name in wanted
    }
    roots = [*written.values(), *(one.address for one in (*effect.loads, *effect.stores))]
    roots += [one.value for one in effect.stores if one.value is not None]
    if effect.taken is not None:
        roots.append(effect.taken)
    writer = _Writer(place)
    lines = ["def made(s, loads, trace):", *writer.loads(effect), *writer.assigned(roots)]
    for one in effect.stores:
        assert one.value is not None
        where, value = writer.names[one.address], writer.names[one.value]
        lines.append(f" trace.append(({where}, {one.size}, {value}))")
    if effect.taken is not None:
        lines.append(f" trace.append((0, 0, int({writer.names[effect.taken]})))")
    lines.append(" n = s[:]")
    lines += [f" n[{AT[name]}] = {writer.names[value]}" for name, value in written.items()]
    lines += [f" n[{AT[name]}] = 0" for name in effect.undefined if name in wanted]
    lines.append(" return n")
    space: dict[str, Any] = {}
    exec("\n".join(lines), space)
    made: Step = space["made"]
    return made


def read_as(at: int) -> int:
    """What is read of a place, in the sets of `rewrite/places.py`."""
    name = PLACES[at]
    if name in FLAGS:
        return flags(name)
    if name in VECTORS:
        return vector(VECTORS.index(name))
    return whole(places.GENERAL.index(name)) if name in GENERAL else 0


def _address(reference: Reference) -> int:
    """An address for a symbol, the same for the same name."""
    name = f"{'slot of ' if reference.slot else ''}{reference.name}".encode()
    start = int.from_bytes(hashlib.blake2b(name, digest_size=5).digest(), "little")
    return start + reference.offset


class _Writer:
    """Writes terms as assignments, each after those it needs."""

    def __init__(self, place: int) -> None:
        self.names: dict[Term, str] = {}
        self._place = place

    def loads(self, effect: Effect) -> list[str]:
        """What comes first: addresses of loads depend on registers alone."""
        found = self.assigned([one.address for one in effect.loads])
        for number, one in enumerate(effect.loads):
            where, mask = self.names[one.address], (1 << 8 * one.size) - 1
            found += [
                f" l{number} = loads[len(trace)] & {mask}",
                f" trace.append(({where}, {one.size}, -1))",
            ]
        return found

    def assigned(self, roots: Sequence[Term]) -> list[str]:
        found = []
        for term in reachable(roots, self.names):
            text = self._text(term)
            if term.operation not in ("const", "var"):
                found.append(f" t{len(self.names)} = {text}")
                text = f"t{len(self.names)}"
            self.names[term] = text
        return found

    def _text(self, term: Term) -> str:
        if term.operation == "const":
            return str(term.data)
        if term.operation == "var":
            return self._variable(term.data)
        inner = [self.names[one] for one in term.arguments]
        mask = (1 << term.width) - 1
        return _expression(term, inner, mask)

    def _variable(self, name: str) -> str:
        if name in AT:
            return f"s[{AT[name]}]"
        if name == "place":
            return str(self._place)
        kind, _, number = name.partition(" ")
        if kind == "load":
            return f"l{number}"
        return "0"  # any value


_INFIX = {"and": "&", "or": "|", "xor": "^"}


def _expression(term: Term, inner: Sequence[str], mask: int) -> str:
    """A term of names, by the meanings of `prove/concrete.py`."""
    width = term.width
    operation = term.operation
    if operation in _INFIX:
        return f"{inner[0]} {_INFIX[operation]} {inner[1]}"
    match operation:
        case "sum":
            half = 1 << (width - 1)
            parts = [str(term.data[0])]
            for name, factor in zip(inner, term.data[1:], strict=True):
                near = factor if factor < half else factor - 2 * half
                parts.append(name if near == 1 else f"{name} * {near}")
            return f"({' + '.join(parts)}) & {mask}"
        case "mul":
            return f"{inner[0]} * {inner[1]} & {mask}"
        case "not":
            return f"{inner[0]} ^ {mask}"
        case "extract":
            return f"{inner[0]} >> {term.data} & {mask}"
        case "concat":
            text = inner[0]
            for name, one in zip(inner[1:], term.arguments[1:], strict=True):
                text = f"({text} << {one.width} | {name})"
            return text
        case "sext":
            return f"{_signed(inner[0], term.arguments[0].width)} & {mask}"
        case "shl":
            return f"{inner[0]} << {inner[1]} & {mask} if {inner[1]} < {width} else 0"
        case "lshr":
            return f"{inner[0]} >> {inner[1]} if {inner[1]} < {width} else 0"
        case "ashr":
            return f"{_signed(inner[0], width)} >> min({inner[1]}, {width}) & {mask}"
        case "eq":
            return f"{inner[0]} == {inner[1]}"
        case "ult":
            return f"{inner[0]} < {inner[1]}"
        case "slt":
            size = term.arguments[0].width
            return f"{_signed(inner[0], size)} < {_signed(inner[1], size)}"
        case "ite":
            return f"{inner[1]} if {inner[0]} else {inner[2]}"
    raise ProofError(f"{operation} is not searched")


def _signed(name: str, width: int) -> str:
    half = 1 << (width - 1)
    return f"(({name} ^ {half}) - {half})"
