"""Shifts of bits, counted as QF_BV does: by the width or more, nothing is left."""

from __future__ import annotations

from cr1cc.prove.bits import extract, sext, zext
from cr1cc.prove.node import Term, const, make
from cr1cc.prove.sums import mul


def shl(a: Term, b: Term) -> Term:
    if b.constant:
        return const(0, a.width) if b.data >= a.width else mul(a, const(1 << b.data, a.width))
    return make("shl", a.width, (a, b))


def lshr(a: Term, b: Term) -> Term:
    if b.constant:
        if b.data >= a.width:
            return const(0, a.width)
        return zext(extract(a, a.width - 1, b.data), a.width)
    return make("lshr", a.width, (a, b))


def ashr(a: Term, b: Term) -> Term:
    if b.constant:
        return sext(extract(a, a.width - 1, min(b.data, a.width - 1)), a.width)
    return make("ashr", a.width, (a, b))
