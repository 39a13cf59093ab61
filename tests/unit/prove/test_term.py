"""Terms that are simplified when they are made keep their value."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from cr1cc.prove import term as t
from cr1cc.prove.concrete import Input, Valuation
from cr1cc.prove.term import Term, signed

WIDTHS = (1, 8, 16, 32, 64)
Pair = tuple[Term, int]  # a term, and what it must be worth


def mask(width: int) -> int:
    return (1 << width) - 1


def shift(source: random.Random, width: int) -> int:
    return source.randrange(width + 3)


BINARY: tuple[tuple[Callable[[Term, Term], Term], Callable[[int, int, int], int]], ...] = (
    (t.add, lambda a, b, w: a + b),
    (t.sub, lambda a, b, w: a - b),
    (t.mul, lambda a, b, w: a * b),
    (t.conj, lambda a, b, w: a & b),
    (t.disj, lambda a, b, w: a | b),
    (t.xor, lambda a, b, w: a ^ b),
    (t.shl, lambda a, b, w: a << b if b < w else 0),
    (t.lshr, lambda a, b, w: a >> b if b < w else 0),
    (t.ashr, lambda a, b, w: signed(a, w) >> min(b, w)),
    (lambda a, b: t.division("udiv", a, b), lambda a, b, w: a // b if b else mask(w)),
    (lambda a, b: t.division("urem", a, b), lambda a, b, w: a % b if b else a),
)
COMPARISONS: tuple[tuple[Callable[[Term, Term], Term], Callable[[int, int, int], bool]], ...] = (
    (t.equal, lambda a, b, w: a == b),
    (t.below, lambda a, b, w: a < b),
    (t.signed_below, lambda a, b, w: signed(a, w) < signed(b, w)),
)


class Maker:
    """Makes random terms together with their values for one input."""

    def __init__(self, seed: int) -> None:
        self.source = random.Random(seed)
        self.values = {f"{name}{width}": self.number(width) for name in "xyz" for width in WIDTHS}

    def number(self, width: int) -> int:
        edges = (0, 1, mask(width), 1 << (width - 1), mask(width) >> 1)
        if self.source.random() < 0.5:
            return self.source.choice(edges)
        return self.source.getrandbits(width)

    def leaf(self, width: int) -> Pair:
        if self.source.random() < 0.4:
            value = self.number(width)
            return t.const(value, width), value
        name = f"{self.source.choice('xyz')}{width}"
        return t.var(name, width), self.values[name]

    def make(self, width: int, depth: int) -> Pair:
        if depth == 0:
            return self.leaf(width)
        way = self.source.choice(("binary", "binary", "parts", "choice", "not", "cut", "wider"))
        if way == "binary":
            build, meaning = self.source.choice(BINARY)
            (a, left), (b, right) = self.make(width, depth - 1), self.make(width, depth - 1)
            return build(a, b), meaning(left, right, width) & mask(width)
        if way == "choice":
            condition, truth = self.truth(depth - 1)
            (a, left), (b, right) = self.make(width, depth - 1), self.make(width, depth - 1)
            return t.ite(condition, a, b), left if truth else right
        if way == "not":
            a, value = self.make(width, depth - 1)
            return t.invert(a), ~value & mask(width)
        if way == "cut" and width < 64:
            a, value = self.make(64, depth - 1)
            low = self.source.randrange(64 - width + 1)
            return t.extract(a, low + width - 1, low), value >> low & mask(width)
        if way == "wider" and width > 8:
            a, value = self.make(8, depth - 1)
            if self.source.random() < 0.5:
                return t.zext(a, width), value
            return t.sext(a, width), signed(value, 8) & mask(width)
        if way == "parts" and width >= 16:
            (a, high), (b, low) = self.make(width - 8, 0) if width - 8 in WIDTHS else (
                t.extract(t.var("x64", 64), width - 9, 0), self.values["x64"] & mask(width - 8)
            ), self.make(8, depth - 1)  # fmt: skip
            return t.concat([a, b]), high << 8 | low
        return self.leaf(width)

    def truth(self, depth: int) -> Pair:
        width = self.source.choice(WIDTHS)
        (a, left), (b, right) = self.make(width, depth), self.make(width, depth)
        build, meaning = self.source.choice(COMPARISONS)
        return build(a, b), int(meaning(left, right, width))


@pytest.mark.parametrize("seed", range(20))
def test_a_term_has_the_value_that_its_operations_give(seed: int) -> None:
    for number in range(100):
        maker = Maker(1000 * seed + number)
        made, value = maker.make(maker.source.choice(WIDTHS), 4)
        assert Valuation(Input(dict(maker.values))).of(made) == value, made


def test_a_truth_has_the_value_of_its_comparison() -> None:
    for number in range(1500):
        maker = Maker(number)
        made, value = maker.truth(3)
        assert Valuation(Input(dict(maker.values))).of(made) == value, made


@pytest.mark.parametrize("operation", ["udiv", "urem", "sdiv", "srem"])
def test_a_division_of_extended_numbers_is_one_of_narrow_ones(operation: str) -> None:
    x, y = t.var("x", 8), t.var("y", 8)
    extend = t.sext if operation[0] == "s" else t.zext
    wide = t.division(operation, extend(x, 16), extend(y, 16))
    low = t.extract(wide, 7, 0)
    assert low is t.division(operation, x, y)
    for a in range(0, 256, 3):
        for b in (0, 1, 2, 3, 7, 127, 128, 254, 255):
            valuation = Valuation(Input({"x": a, "y": b}))
            assert valuation.of(wide) & 255 == valuation.of(low)


def test_equal_sums_are_one_term() -> None:
    x, y = t.var("x", 64), t.var("y", 64)
    assert t.sub(t.add(t.plus(x, 5), y), t.plus(y, 5)) is x
    assert t.mul(t.plus(x, 1), t.const(4, 64)) is t.plus(t.shl(x, t.const(2, 64)), 4)


def test_a_load_sees_the_store_that_it_certainly_meets_and_no_other() -> None:
    base, p, q = t.memory("m"), t.var("p", 64), t.var("q", 64)
    value = t.var("v", 32)
    stored = t.store(base, p, value)
    assert t.select(stored, p, 4) is value
    assert t.select(stored, t.plus(p, 1), 1) is t.extract(value, 15, 8)
    assert t.select(stored, t.plus(p, 4), 4) is t.select(base, t.plus(p, 4), 4)
    assert t.select(stored, q, 4).arguments[0] is stored


@pytest.mark.parametrize("seed", range(300))
def test_loads_and_stores_in_any_order_give_what_a_memory_gives(seed: int) -> None:
    source = random.Random(seed)
    places = {name: source.randrange(16) for name in "pqr"}
    real = {at: source.randrange(256) for at in range(64)}
    given = Input(dict(places), {"m": dict(real)})
    memory = t.memory("m")
    for number in range(6):
        name, offset, size = source.choice("pqr"), source.randrange(8), source.choice((1, 2, 4, 8))
        address = t.plus(t.var(name, 64), offset)
        if source.random() < 0.6:
            value = t.var(f"v{number}", 8 * size)
            given.values[f"v{number}"] = source.getrandbits(8 * size)
            memory = t.store(memory, address, value)
            for i in range(size):
                real[places[name] + offset + i] = given.values[f"v{number}"] >> 8 * i & 255
        expected = sum(real[places[name] + offset + i] << 8 * i for i in range(size))
        assert Valuation(given).of(t.select(memory, address, size)) == expected
