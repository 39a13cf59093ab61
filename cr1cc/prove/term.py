"""Bit-vector terms: what a register, a flag or a byte of memory holds, as a formula.

A term is immutable and there is one object for each, so equal terms are identical. What can be
seen to be equal becomes equal when it is made: sums are linear combinations, constants are
folded, parts of concatenations are taken apart. Truth is a term of one bit. Meanings are those
of SMT-LIB's QF_ABV, division by zero included.

`stacky` says that the value may depend on where the stack is: on the variable `STACK`, other
than as the address of a load.
"""

from __future__ import annotations

from collections.abc import Iterable

from cr1cc.prove.bits import concat, conj, disj, extract, invert, ite, sext, xor, zext
from cr1cc.prove.division import divide, division
from cr1cc.prove.node import (
    FALSE,
    STACK,
    TRUE,
    Term,
    const,
    forget,
    make,
    memory,
    reachable,
    signed,
    var,
)
from cr1cc.prove.shifts import ashr, lshr, shl
from cr1cc.prove.sums import add, combine, from_linear, in_order, linear, mul, neg, plus, sub

__all__ = [
    "FALSE",
    "STACK",
    "TRUE",
    "Term",
    "add",
    "all_of",
    "any_of",
    "ashr",
    "below",
    "combine",
    "concat",
    "conj",
    "const",
    "disj",
    "divide",
    "division",
    "equal",
    "extract",
    "forget",
    "invert",
    "ite",
    "linear",
    "lshr",
    "memory",
    "mul",
    "neg",
    "plus",
    "raw_select",
    "reachable",
    "select",
    "sext",
    "shl",
    "signed",
    "signed_below",
    "store",
    "sub",
    "var",
    "xor",
    "zext",
]


def equal(a: Term, b: Term) -> Term:
    if a is b:
        return const(1, 1)
    if a.width == 1:
        return invert(xor(a, b))
    parts, value = linear(sub(a, b))
    if not parts:
        return const(value == 0, 1)
    factors = list(parts.items())
    mask = (1 << a.width) - 1
    if len(factors) == 1 and factors[0][1] in (1, mask):
        one = factors[0][0]
        return _equal_const(one, (-value if factors[0][1] == 1 else value) & mask)
    if len(factors) == 2 and value == 0 and sorted(f for _, f in factors) == [1, mask]:
        return make("eq", 1, in_order(factors[0][0], factors[1][0]))
    first, factor = factors[0]
    if factor > mask >> 1:  # one of the two signs
        parts, value = {one: -f for one, f in parts.items()}, -value
    rest = from_linear({one: f for one, f in parts.items() if one is not first}, value, a.width)
    left = from_linear({first: parts[first]}, 0, a.width)
    return make("eq", 1, in_order(left, neg(rest)))


def _equal_const(a: Term, value: int) -> Term:
    match a.operation:
        case "concat":
            top, result = a.width, const(1, 1)
            for part in a.arguments:
                top -= part.width
                result = conj(result, equal(part, const(value >> top, part.width)))
            return result
        case "sext":
            inner = a.arguments[0]
            if signed(value, a.width) != signed(value & ((1 << inner.width) - 1), inner.width):
                return const(0, 1)
            return equal(inner, const(value, inner.width))
        case "ite" if a.arguments[1].constant or a.arguments[2].constant:
            condition, yes, no = a.arguments
            target = const(value, a.width)
            return ite(condition, equal(yes, target), equal(no, target))
    return make("eq", 1, (a, const(value, a.width)))


def below(a: Term, b: Term) -> Term:
    """Unsigned less-than."""
    if a is b or (b.constant and not b.data):
        return const(0, 1)
    if a.constant and b.constant:
        return const(a.data < b.data, 1)
    if b.constant and b.data == 1:
        return equal(a, const(0, a.width))
    if a.constant and not a.data:
        return invert(equal(b, a))
    return make("ult", 1, (a, b))


def signed_below(a: Term, b: Term) -> Term:
    if a is b:
        return const(0, 1)
    if a.constant and b.constant:
        return const(signed(a.data, a.width) < signed(b.data, b.width), 1)
    if b.constant and not b.data:
        return extract(a, a.width - 1, a.width - 1)
    return make("slt", 1, (a, b))


def all_of(terms: Iterable[Term]) -> Term:
    result = const(1, 1)
    for term in terms:
        result = conj(result, term)
    return result


def any_of(terms: Iterable[Term]) -> Term:
    result = const(0, 1)
    for term in terms:
        result = disj(result, term)
    return result


# Memory -------------------------------------------------------------------------------------


def store(base: Term, address: Term, value: Term) -> Term:
    """`base` with the bytes of `value`, lowest first, at `address`."""
    covered = base.operation == "store" and base.arguments[1] is address
    if covered and base.arguments[2].width <= value.width:
        base = base.arguments[0]
    return make("store", 0, (base, address, value))


def select(base: Term, address: Term, size: int) -> Term:
    """`size` bytes of a memory. Stores that are certainly elsewhere are skipped."""
    while base.operation == "store":
        below_it, where, value = base.arguments
        parts, distance = linear(sub(address, where))
        if parts:
            break
        length = value.width // 8
        if distance + size <= length:
            return extract(value, 8 * (distance + size) - 1, 8 * distance)
        if length <= distance <= (1 << 64) - size:
            base = below_it
        elif size > 1:
            return concat([select(base, plus(address, i), 1) for i in reversed(range(size))])
        else:
            break
    return make("select", 8 * size, (base, address))


def raw_select(base: Term, address: Term, size: int) -> Term:
    """The bytes of a memory without looking at how it came to be."""
    return make("select", 8 * size, (base, address))
