"""Inputs that show a difference: tried on both bodies, and as text.

A difference counts only if running both bodies shows it, too: an input that comes out of our
terms and does not do so says that they are wrong somewhere, not that the bodies differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cr1cc.errors import ProofError
from cr1cc.gate.inputs import Address, Buffer, format_input
from cr1cc.gate.inputs import Input as Written
from cr1cc.gate.signature import CALLEE_SAVED, Kind, Signature
from cr1cc.prove.code import Body, Reference
from cr1cc.prove.concrete import Input
from cr1cc.prove.effect import GENERAL, VECTORS
from cr1cc.prove.emulate import Layout, Run, emulate
from cr1cc.prove.lifter import Lifter

_STEPS = 20_000
_GAP = 256  # bytes between two accesses that still lie in one buffer
_LARGEST = 4096
_OTHER = 0x5A5A_5A5A_5A5A_5A5A


class Shown(NamedTuple):
    """A difference of two bodies: what it is, and the text of the input. `registers`: those with
    their values that no argument fills, but without which nothing would differ."""

    what: str
    input: str
    registers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Pair:
    """Two bodies that are compared."""

    original: Body
    new: Body
    signature: Signature
    lifter: Lifter
    layout: Layout

    def references(self) -> list[Reference]:
        """The objects that the bodies refer to, each from its start."""
        found = {}
        for body in (self.original, self.new):
            relocations = body.unit.relocations(body.section)
            for offset, relocation in sorted(relocations.items()):
                if body.start <= offset < body.end:
                    one = body.unit.reference(relocation, offset + 4)
                    if one.section is None:
                        found[one.name] = one._replace(offset=0, slot=False)
        return list(found.values())

    def difference(self, given: Input) -> Shown | None:
        """What differs for an input; None if nothing does.

        Raises ProofError if a body cannot be run for it.
        """
        runs = self._runs(given)
        what = self._what_differs(*runs)
        if not what:
            return None
        return Shown(what, self._text(given, runs[0]), self._unfilled(given))

    def _runs(self, given: Input) -> tuple[Run, Run]:
        original, new = (
            emulate(body, self.lifter, given, self.layout, _STEPS)
            for body in (self.original, self.new)
        )
        return original, new

    def _unfilled(self, given: Input) -> tuple[str, ...]:
        filled = {"rsp", *(place.register for place in self.signature.places())}
        names = [name for name in (*GENERAL, *VECTORS) if name not in filled]
        if self._differs_without(given, names):
            return ()
        needed = [name for name in names if not self._differs_without(given, [name])]
        return tuple(f"{name}={given.values.get(name, 0):#x}" for name in needed or names)

    def _differs_without(self, given: Input, names: Sequence[str]) -> bool:
        """Whether the bodies differ if these registers hold something else, too."""
        others = {name: given.values.get(name, 0) ^ _OTHER for name in names}
        other = Input({**given.values, **others}, given.bytes, given.filler)
        try:
            return bool(self._what_differs(*self._runs(other)))
        except ProofError:
            return False

    def _what_differs(self, original: Run, new: Run) -> str:
        if original.fault or new.fault:
            return "" if original.fault else "a division faults"
        pages = {address >> 12 for address in (*original.read, *original.written)}
        if beyond := sorted(one for one in new.read if one >> 12 not in pages):
            return f"it reads from {beyond[0]:#x}, on a page that the original does not use"
        if beyond := sorted(new.written.keys() - original.written.keys()):
            return f"it writes to {beyond[0]:#x}, where the original does not write"
        for address in sorted(original.written):
            if original.written[address] != new.written.get(address):
                value = original.written[address]
                return f"the byte at {address:#x} is not {value:#04x} as it was"
        for name in (*CALLEE_SAVED, "rsp"):
            if original.registers[name] != new.registers[name]:
                return f"it does not keep {name}"
        return self._result_differs(original, new)

    def _result_differs(self, original: Run, new: Run) -> str:
        place, result = self.signature.result_place(), self.signature.result
        if place is None:
            return ""
        mask = (1 << result.bits) - 1
        ours, theirs = (run.registers[place.register] & mask for run in (original, new))
        if ours == theirs:
            return ""
        if result.kind is Kind.INTEGER and result.signed:
            sign = 1 << (result.bits - 1)
            return f"it returns {(theirs ^ sign) - sign}, not {(ours ^ sign) - sign}"
        return f"it returns {theirs:#x}, not {ours:#x}"

    def _text(self, given: Input, run: Run) -> str:
        """The input as the driver reads it: memory that the original uses as buffers."""
        used = sorted(run.read | run.written.keys())
        values = []
        for place in self.signature.places():
            if place.register:
                values.append(given.values.get(place.register, 0) & ((1 << 64) - 1))
            else:
                start = given.values.get("rsp at entry", 0) + place.offset
                values.append(sum(given.byte("memory", start + i) << 8 * i for i in range(8)))
        kinds = [parameter.type.kind for parameter in self.signature.parameters]
        starts = sorted({v for v, k in zip(values, kinds, strict=True) if k is Kind.POINTER})
        areas = _areas(sorted({*used, *starts}))
        written: list[int | Address] = []
        buffers: list[Buffer] = []
        numbers: dict[tuple[int, int], int] = {}
        for value, kind in zip(values, kinds, strict=True):
            area = next((one for one in areas if one[0] <= value < one[1]), None)
            if kind is not Kind.POINTER or area is None or not set(range(*area)) & set(used):
                written.append(value)
                continue
            if area not in numbers:
                numbers[area] = len(buffers)
                data = bytes(given.byte("memory", at) for at in range(*area))
                buffers.append(Buffer(data, True))
            written.append(Address(numbers[area], value - area[0]))
        return format_input(self.signature, Written(tuple(written), tuple(buffers)))


def _areas(addresses: list[int]) -> list[tuple[int, int]]:
    """Ranges that cover addresses in their order, those close to each other together."""
    areas: list[tuple[int, int]] = []
    for one in addresses:
        if areas and one - areas[-1][1] < _GAP and one - areas[-1][0] < _LARGEST:
            areas[-1] = (areas[-1][0], one + 1)
        else:
            areas.append((one, one + 1))
    return areas


def confirmed(pair: Pair, given: Input) -> Shown | None:
    """As `Pair.difference`, with None for what cannot be run."""
    try:
        return pair.difference(given)
    except ProofError:
        return None
