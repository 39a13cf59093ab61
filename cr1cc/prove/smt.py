"""Terms as SMT-LIB 2 (QF_ABV), the text that both solvers read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cr1cc.prove.term import Term, reachable

_PLAIN = {
    "mul": "bvmul", "and": "bvand", "or": "bvor", "xor": "bvxor", "not": "bvnot",
    "shl": "bvshl", "lshr": "bvlshr", "ashr": "bvashr", "concat": "concat",
    "udiv": "bvudiv", "urem": "bvurem", "sdiv": "bvsdiv", "srem": "bvsrem",
}  # fmt: skip
_TRUTH = {"eq": "=", "ult": "bvult", "slt": "bvslt"}


def script(assertions: Sequence[Term], wanted: Sequence[Term] = ()) -> tuple[str, list[str]]:
    """The script without its command to check, and the names of constants that are equal to
    the wanted terms."""
    lines = ["(set-logic QF_ABV)"]
    names: dict[Term, str] = {}
    for term in reachable([*assertions, *wanted]):
        if term.constant:
            names[term] = f"(_ bv{term.data} {term.width})"
        elif term.operation in ("var", "memory"):
            names[term] = f"x{len(names)}"
            lines.append(f"(declare-const {names[term]} {_sort(term)})")
        else:
            names[term] = f"t{len(names)}"
            lines.append(f"(define-fun {names[term]} () {_sort(term)} {_formula(term, names)})")
    lines += [f"(assert (= {names[one]} (_ bv1 1)))" for one in assertions]
    for number, term in enumerate(wanted):
        lines.append(f"(declare-const w{number} {_sort(term)})")
        lines.append(f"(assert (= w{number} {names[term]}))")
    return "\n".join(lines) + "\n", [f"w{number}" for number in range(len(wanted))]


def _sort(term: Term) -> str:
    if term.width:
        return f"(_ BitVec {term.width})"
    return "(Array (_ BitVec 64) (_ BitVec 8))"


def _formula(term: Term, names: dict[Term, str]) -> str:
    inner = [names[one] for one in term.arguments]
    operation = term.operation
    if operation in _PLAIN:
        return f"({_PLAIN[operation]} {' '.join(inner)})"
    if operation in _TRUTH:
        return f"(ite ({_TRUTH[operation]} {' '.join(inner)}) (_ bv1 1) (_ bv0 1))"
    match operation:
        case "sum":
            return _sum(term, inner)
        case "extract":
            return f"((_ extract {term.data + term.width - 1} {term.data}) {inner[0]})"
        case "sext":
            more = term.width - term.arguments[0].width
            return f"((_ sign_extend {more}) {inner[0]})"
        case "ite":
            return f"(ite (= {inner[0]} (_ bv1 1)) {inner[1]} {inner[2]})"
        case "select":
            return _joined(
                f"(select {inner[0]} {_offset(inner[1], i)})" for i in range(term.width // 8)
            )
        case "store":
            text = inner[0]
            for i in range(term.arguments[2].width // 8):
                byte = f"((_ extract {8 * i + 7} {8 * i}) {inner[2]})"
                text = f"(store {text} {_offset(inner[1], i)} {byte})"
            return text
    raise ValueError(operation)


def _joined(parts: Iterable[str]) -> str:
    listed = list(parts)
    return listed[0] if len(listed) == 1 else f"(concat {' '.join(reversed(listed))})"


def _offset(address: str, by: int) -> str:
    return f"(bvadd {address} (_ bv{by} 64))" if by else address


def _sum(term: Term, inner: list[str]) -> str:
    width, mask = term.width, (1 << term.width) - 1
    parts = []
    for name, factor in zip(inner, term.data[1:], strict=True):
        if factor == 1:
            parts.append(name)
        elif factor == mask:
            parts.append(f"(bvneg {name})")
        elif factor & (factor - 1) == 0:
            parts.append(f"(bvshl {name} (_ bv{factor.bit_length() - 1} {width}))")
        else:
            parts.append(f"(bvmul {name} (_ bv{factor} {width}))")
    if term.data[0]:
        parts.append(f"(_ bv{term.data[0]} {width})")
    return parts[0] if len(parts) == 1 else f"(bvadd {' '.join(parts)})"
