"""What terms are worth for given values of their variables."""

from __future__ import annotations

import operator
from collections import ChainMap
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cr1cc.prove.term import Term, divide, reachable, signed


@dataclass
class Input:
    """Values of variables, by name; bytes of memories, by name of the memory and address.

    What is not given is 0 for a variable; for a byte of a memory it is what `filler` says.
    """

    values: dict[str, int] = field(default_factory=dict)
    bytes: dict[str, dict[int, int]] = field(default_factory=dict)
    filler: Callable[[str, int], int] = lambda name, address: 0

    def byte(self, name: str, address: int) -> int:
        address &= (1 << 64) - 1
        known = self.bytes.setdefault(name, {})
        if address not in known:
            known[address] = self.filler(name, address)
        return known[address]


_BINARY: dict[str, Callable[[int, int], int]] = {
    "and": operator.and_, "or": operator.or_, "xor": operator.xor, "mul": operator.mul,
}  # fmt: skip


class Valuation:
    """The values of terms for one input. What was worked out once is kept."""

    def __init__(self, given: Input) -> None:
        self.given = given
        self._values: dict[Term, Any] = {}
        self._overlays: dict[Term, Any] = {}  # of a memory: its name, the bytes written

    def of(self, root: Term) -> int:
        """The value of a term that is no memory, not negative."""
        if root not in self._values:
            for term in reachable([root], ChainMap(self._values, self._overlays)):
                self._work_out(term)
        return int(self._values[root])

    def _work_out(self, term: Term) -> None:
        if term.width:
            value = _value(term, self._values, self._overlays, self.given)
            self._values[term] = value & ((1 << term.width) - 1)
        elif term.operation == "memory":
            self._overlays[term] = (term.data, {})
        else:
            base, address, value_term = term.arguments
            name, written = self._overlays[base]
            written = dict(written)
            start, value = self._values[address], self._values[value_term]
            for i in range(value_term.width // 8):
                written[(start + i) & _MASK] = value >> 8 * i & 255
            self._overlays[term] = (name, written)


_MASK = (1 << 64) - 1


def _value(
    term: Term,
    values: dict[Term, int],
    overlays: dict[Term, tuple[str, dict[int, int]]],
    given: Input,
) -> int:
    operation, width = term.operation, term.width
    if operation == "const":
        return int(term.data)
    if operation == "var":
        return given.values.get(term.data, 0)
    if operation == "select":
        name, written = overlays[term.arguments[0]]
        start, total = values[term.arguments[1]], 0
        for i in range(width // 8):
            address = (start + i) & _MASK
            byte = written[address] if address in written else given.byte(name, address)
            total |= byte << 8 * i
        return total
    inner = [values[one] for one in term.arguments]
    if operation in _BINARY:
        return int(_BINARY[operation](*inner))
    match operation:
        case "sum":
            pairs = zip(inner, term.data[1:], strict=True)
            return int(term.data[0] + sum(value * factor for value, factor in pairs))
        case "not":
            return ~inner[0]
        case "extract":
            return inner[0] >> int(term.data)
        case "concat":
            total = 0
            for value, one in zip(inner, term.arguments, strict=True):
                total = total << one.width | value
            return total
        case "sext":
            return signed(inner[0], term.arguments[0].width)
        case "shl":
            return inner[0] << inner[1] if inner[1] < width else 0
        case "lshr":
            return inner[0] >> inner[1] if inner[1] < width else 0
        case "ashr":
            return signed(inner[0], width) >> min(inner[1], width)
        case "eq":
            return inner[0] == inner[1]
        case "ult":
            return inner[0] < inner[1]
        case "slt":
            size = term.arguments[0].width
            return signed(inner[0], size) < signed(inner[1], size)
        case "ite":
            return inner[1] if inner[0] else inner[2]
        case "udiv" | "urem" | "sdiv" | "srem":
            return divide(operation, inner[0], inner[1], width)
    raise ValueError(operation)
