"""Terms with other terms in the place of their variables."""

from __future__ import annotations

from collections.abc import Callable

from cr1cc.prove import term as t
from cr1cc.prove.term import Term


def substitution(meaning: dict[str, Term]) -> Callable[[Term], Term]:
    """The function that puts the meaning of variables into a term. It may be extended after."""
    done: dict[Term, Term] = {}

    def put(term: Term) -> Term:
        if term.operation == "var":
            return meaning.get(term.data, term)
        if term.constant:
            return term
        if term not in done:
            done[term] = _rebuilt(term, [put(one) for one in term.arguments])
        return done[term]

    return put


_PLAIN: dict[str, Callable[..., Term]] = {
    "mul": t.mul, "and": t.conj, "or": t.disj, "xor": t.xor, "not": t.invert, "shl": t.shl,
    "lshr": t.lshr, "ashr": t.ashr, "eq": t.equal, "ult": t.below, "slt": t.signed_below,
    "ite": t.ite,
}  # fmt: skip


def _rebuilt(term: Term, inner: list[Term]) -> Term:
    operation = term.operation
    if operation in _PLAIN:
        return _PLAIN[operation](*inner)
    match operation:
        case "sum":
            return t.combine(zip(inner, term.data[1:], strict=True), term.data[0], term.width)
        case "extract":
            return t.extract(inner[0], term.data + term.width - 1, term.data)
        case "concat":
            return t.concat(inner)
        case "sext":
            return t.sext(inner[0], term.width)
        case _:
            return t.division(operation, *inner)
