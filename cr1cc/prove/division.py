"""Division, of terms and of values, as QF_BV has it."""

from __future__ import annotations

from cr1cc.prove.node import Term, const, make, signed


def division(operation: str, a: Term, b: Term) -> Term:
    """`operation`: udiv, urem, sdiv, srem."""
    if a.constant and b.constant:
        return const(divide(operation, a.data, b.data, a.width), a.width)
    return make(operation, a.width, (a, b))


def divide(operation: str, a: int, b: int, width: int) -> int:
    """Division of two values as QF_BV has it, modulo 2^width."""
    if operation == "udiv":
        return a // b if b else -1
    if operation == "urem":
        return a % b if b else a
    first, second = signed(a, width), signed(b, width)
    if operation == "sdiv":
        if not second:
            return 1 if first < 0 else -1
        quotient = abs(first) // abs(second)
        return quotient if (first < 0) == (second < 0) else -quotient
    if not second:
        return first
    rest = abs(first) % abs(second)
    return -rest if first < 0 else rest
