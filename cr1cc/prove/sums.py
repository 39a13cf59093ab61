"""Sums of terms as linear combinations, so that equal sums are one term."""

from __future__ import annotations

from collections.abc import Iterable

from cr1cc.prove.node import Term, const, make


def linear(term: Term) -> tuple[dict[Term, int], int]:
    """The term as a sum: coefficients of terms, and a constant, both modulo 2^width."""
    if term.constant:
        return {}, term.data
    if term.operation == "sum":
        return dict(zip(term.arguments, term.data[1:], strict=True)), term.data[0]
    return {term: 1}, 0


def from_linear(parts: dict[Term, int], constant: int, width: int) -> Term:
    """The reverse of `linear`."""
    mask = (1 << width) - 1
    kept = sorted(
        ((one, factor & mask) for one, factor in parts.items() if factor & mask),
        key=lambda pair: pair[0].number,
    )
    constant &= mask
    if not kept:
        return const(constant, width)
    if len(kept) == 1 and kept[0][1] == 1 and not constant:
        return kept[0][0]
    arguments = tuple(one for one, _ in kept)
    return make("sum", width, arguments, (constant, *(factor for _, factor in kept)))


def combine(pairs: Iterable[tuple[Term, int]], constant: int, width: int) -> Term:
    """The sum of `factor * term`, and a constant."""
    parts: dict[Term, int] = {}
    for term, factor in pairs:
        inner, value = linear(term)
        constant += value * factor
        for one, coefficient in inner.items():
            parts[one] = parts.get(one, 0) + coefficient * factor
    return from_linear(parts, constant, width)


def add(a: Term, b: Term) -> Term:
    return combine(((a, 1), (b, 1)), 0, a.width)


def sub(a: Term, b: Term) -> Term:
    return combine(((a, 1), (b, -1)), 0, a.width)


def plus(a: Term, value: int) -> Term:
    return combine(((a, 1),), value, a.width) if value else a


def neg(a: Term) -> Term:
    return combine(((a, -1),), 0, a.width)


def mul(a: Term, b: Term) -> Term:
    if b.constant:
        return combine(((a, b.data),), 0, a.width)
    if a.constant:
        return combine(((b, a.data),), 0, a.width)
    return make("mul", a.width, in_order(a, b))


def in_order(a: Term, b: Term) -> tuple[Term, Term]:
    """The arguments of an operation that does not mind their order."""
    return (a, b) if a.number <= b.number else (b, a)
