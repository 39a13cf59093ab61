"""Inputs with fixed places for the stack and for what bodies refer to."""

from __future__ import annotations

import random
from collections.abc import Mapping

from cr1cc.prove import term as t
from cr1cc.prove.code import Reference
from cr1cc.prove.concrete import Input
from cr1cc.prove.effect import GENERAL, VECTORS
from cr1cc.prove.emulate import STACK, Layout
from cr1cc.prove.term import Term

_EDGES = (
    0, 1, 2, 3, 7, 8, 31, 32, 63, 64, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF,
    0x80000000, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFFF,
)  # fmt: skip


class Inputs:
    """Makes inputs. `constants`: read-only objects, which may come later."""

    def __init__(self, constants: Mapping[Term, Reference], layout: Layout) -> None:
        self._constants, self._layout = constants, layout

    def sample(self, number: int) -> Input:
        """An input of edge values, of random ones, or of both."""
        source = random.Random(number)
        values = {}
        for name in GENERAL:
            edge = source.choice(_EDGES) if number % 3 else source.getrandbits(64)
            values[name] = edge if source.random() < 0.8 else source.getrandbits(64)
        if number < len(_EDGES):
            values["rdi"] = _EDGES[number]
        values |= {name: source.getrandbits(128) for name in VECTORS}
        return self.of(values, number)

    def of(self, values: dict[str, int], seed: int = 0) -> Input:
        """The input with these values; `seed` says what memory holds, 0: zeroes."""

        def filler(name: str, address: int) -> int:
            for reference in self._constants.values():
                if reference.name == name and reference.constant is not None:
                    data = reference.constant
                    return data[address] if address < len(data) else 0
            if not seed:
                return 0
            return random.Random(f"{seed} {address}").choice((0, 1, 127, 128, 255, address & 255))

        values = {**values, t.STACK.data: STACK, "rsp": STACK}
        return Input(WithAddresses(values, self._layout), {}, filler)


class WithAddresses(dict[str, int]):
    """Values of variables; those of addresses follow from the layout."""

    def __init__(self, values: dict[str, int], layout: Layout) -> None:
        super().__init__(values)
        self._layout = layout

    def get(self, name: str, default: int = 0) -> int:  # type: ignore[override]
        for prefix in ("address of ", "slot of "):
            if name not in self and name.startswith(prefix):
                return self._layout.address(
                    Reference(name[len(prefix) :], 0, slot=prefix[0] == "s")
                )
        return super().get(name, default)
