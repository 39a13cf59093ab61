"""What makes a term of each kind of formula that triton has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cr1cc.errors import ProofError
from cr1cc.prove import term as t
from cr1cc.prove.term import Term


def _smod(a: Term, b: Term) -> Term:
    """bvsmod, where it is by a power of two: what the lifter takes counts of rotations with."""
    if not b.constant or b.data & (b.data - 1) or b.data >> (b.width - 1):
        raise ProofError("a formula of the lifter's that is not modelled: bvsmod")
    return t.conj(a, t.const(b.data - 1, b.width))


_table: dict[Any, Callable[..., Term]] = {}


def builders(kinds: Any) -> dict[Any, Callable[..., Term]]:
    """By triton's `AST_NODE`, which `kinds` is."""
    if not _table:
        _table.update({
            kinds.BVADD: t.add, kinds.BVSUB: t.sub, kinds.BVMUL: t.mul, kinds.BVNEG: t.neg,
            kinds.BVAND: t.conj, kinds.BVOR: t.disj, kinds.BVXOR: t.xor, kinds.BVNOT: t.invert,
            kinds.BVSHL: t.shl, kinds.BVLSHR: t.lshr, kinds.BVASHR: t.ashr,
            kinds.BVSMOD: _smod, kinds.CONCAT: lambda *parts: t.concat(list(parts)),
            kinds.ITE: t.ite, kinds.EQUAL: t.equal, kinds.LNOT: t.invert,
            kinds.DISTINCT: lambda a, b: t.invert(t.equal(a, b)),
            kinds.LAND: lambda *terms: t.all_of(terms), kinds.LOR: lambda *terms: t.any_of(terms),
            kinds.BVULT: t.below, kinds.BVUGT: lambda a, b: t.below(b, a),
            kinds.BVULE: lambda a, b: t.invert(t.below(b, a)),
            kinds.BVUGE: lambda a, b: t.invert(t.below(a, b)),
            kinds.BVSLT: t.signed_below, kinds.BVSGT: lambda a, b: t.signed_below(b, a),
            kinds.BVSLE: lambda a, b: t.invert(t.signed_below(b, a)),
            kinds.BVSGE: lambda a, b: t.invert(t.signed_below(a, b)),
        })  # fmt: skip
    return _table
