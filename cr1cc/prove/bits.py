"""Operations on bits: logic, parts of terms, extension, choice."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cr1cc.prove.division import division
from cr1cc.prove.node import Term, caches, const, make, signed
from cr1cc.prove.sums import combine, in_order, mul


def invert(a: Term) -> Term:
    """All bits turned over; of a truth, its negation."""
    if a.operation == "not":
        return a.arguments[0]
    if a.constant:
        return const(~a.data, a.width)
    if a.width > 1:
        return combine(((a, -1),), -1, a.width)  # ~a = -a - 1
    return make("not", a.width, (a,))


def conj(a: Term, b: Term) -> Term:
    a, b = (b, a) if a.constant else (a, b)
    if a is b:
        return a
    if b.constant:
        return _masked(a, b.data)
    if a.width == 1 and (a is invert(b)):
        return const(0, 1)
    if both := _by_parts(conj, a, b):
        return both
    return make("and", a.width, in_order(a, b))


def _masked(a: Term, mask: int) -> Term:
    """The bits of `a` that a constant has."""
    if a.constant:
        return const(a.data & mask, a.width)
    if mask == 0:
        return const(0, a.width)
    if mask == (1 << a.width) - 1:
        return a
    low = (mask & -mask).bit_length() - 1
    high = mask.bit_length()
    if mask >> low == (1 << (high - low)) - 1:  # one run of bits
        parts = [const(0, a.width - high), extract(a, high - 1, low), const(0, low)]
        return concat([part for part in parts if part.width])
    return make("and", a.width, (a, const(mask, a.width)))


def disj(a: Term, b: Term) -> Term:
    a, b = (b, a) if a.constant else (a, b)
    full = (1 << a.width) - 1
    if a is b:
        return a
    if b.constant:
        if a.constant:
            return const(a.data | b.data, a.width)
        if b.data in (0, full):
            return b if b.data else a
    if a.width == 1 and a is invert(b):
        return const(1, 1)
    if both := _by_parts(disj, a, b):
        return both
    return make("or", a.width, in_order(a, b))


def xor(a: Term, b: Term) -> Term:
    a, b = (b, a) if a.constant else (a, b)
    if a is b:
        return const(0, a.width)
    if b.constant:
        if a.constant:
            return const(a.data ^ b.data, a.width)
        if b.data == 0:
            return a
        if b.data == (1 << a.width) - 1:
            return invert(a)
    if both := _by_parts(xor, a, b):
        return both
    return make("xor", a.width, in_order(a, b))


def _by_parts(operation: Callable[[Term, Term], Term], a: Term, b: Term) -> Term | None:
    """An operation on bits, on the parts of what is put together of parts."""
    if a.operation != "concat" and b.operation != "concat":
        return None
    for one, other in ((a, b), (b, a)):
        if one.operation == "concat" and (other.operation == "concat" or other.constant):
            top, parts = a.width, []
            for part in one.arguments:
                low = top - part.width
                parts.append(operation(part, extract(other, top - 1, low)))
                top = low
            return concat(parts)
    return None


def extract(a: Term, high: int, low: int) -> Term:
    """Bits `high` to `low`, both included."""
    if high - low + 1 == a.width:
        return a
    key = (a.number, high, low)
    if key not in _parts:
        _parts[key] = _extracted(a, high, low)
    return _parts[key]


_parts: dict[tuple[int, int, int], Term] = {}
caches.append(_parts)


def _extracted(a: Term, high: int, low: int) -> Term:
    width = high - low + 1
    match a.operation:
        case "const":
            return const(a.data >> low, width)
        case "extract":
            return extract(a.arguments[0], high + a.data, low + a.data)
        case "concat":
            return concat(list(_cut(a, high, low)))
        case "sum" if low == 0:
            pairs = zip(a.arguments, a.data[1:], strict=True)
            cut = [(extract(one, high, 0), factor) for one, factor in pairs]
            return combine(cut, a.data[0], width)
        case "mul" if low == 0:
            return mul(extract(a.arguments[0], high, 0), extract(a.arguments[1], high, 0))
        case "and" | "or" | "xor":
            first, second = (extract(one, high, low) for one in a.arguments)
            return {"and": conj, "or": disj, "xor": xor}[a.operation](first, second)
        case "sext":
            inner = a.arguments[0]
            if high < inner.width:
                return extract(inner, high, low)
            if low == 0:
                return sext(inner, width)
            if low >= inner.width - 1:
                return sext(extract(inner, inner.width - 1, inner.width - 1), width)
        case "ite" if any(one.constant for one in a.arguments[1:]) or low == 0:
            condition, yes, no = a.arguments
            return ite(condition, extract(yes, high, low), extract(no, high, low))
        case "sdiv" | "srem" | "udiv" | "urem" if low == 0:
            if narrow := _narrow_division(a, width):
                return narrow
    return make("extract", width, (a,), low)


def _cut(a: Term, high: int, low: int) -> Iterator[Term]:
    """The parts of a concatenation that the bits fall in, cut to them."""
    top = a.width
    for part in a.arguments:
        bottom = top - part.width
        if bottom <= high and top > low:
            yield extract(part, min(high, top - 1) - bottom, max(low, bottom) - bottom)
        top = bottom


def _narrow_division(a: Term, width: int) -> Term | None:
    """Low bits of the quotient or remainder of two numbers that were extended to twice that.

    Right for a divisor of 0, too, for which QF_BV gives all ones (or 1, for negative signed
    dividends), and the dividend as remainder; and for the one signed overflow, which wraps.
    """
    first, second = a.arguments
    extension = sext if a.operation[0] == "s" else zext
    low = [extract(one, width - 1, 0) for one in (first, second)]
    if extension(low[0], a.width) is first and extension(low[1], a.width) is second:
        return division(a.operation, *low)
    return None


def concat(parts: list[Term]) -> Term:
    """The first part has the highest bits."""
    flat: list[Term] = []
    for part in parts:
        for one in part.arguments if part.operation == "concat" else (part,):
            if flat and (joined := _joined(flat[-1], one)):
                flat[-1] = joined
            else:
                flat.append(one)
    if len(flat) == 1:
        return flat[0]
    return make("concat", sum(one.width for one in flat), tuple(flat))


def _joined(high: Term, low: Term) -> Term | None:
    """Two neighbours as one: constants, or bits of one term that stand side by side."""
    if high.constant and low.constant:
        return const(high.data << low.width | low.data, high.width + low.width)
    if high.operation == "sext" and high.arguments[0] is extract(low, low.width - 1, low.width - 1):
        return sext(low, high.width + low.width)
    if high.operation == "extract":
        whole, bottom = high.arguments[0], high.data
        if low.operation == "extract" and low.arguments[0] is whole:
            if bottom == low.data + low.width:
                return extract(whole, bottom + high.width - 1, low.data)
        elif bottom == low.width and extract(whole, low.width - 1, 0) is low:
            return extract(whole, bottom + high.width - 1, 0)
    return None


def zext(a: Term, width: int) -> Term:
    return a if width == a.width else concat([const(0, width - a.width), a])


def sext(a: Term, width: int) -> Term:
    if width == a.width:
        return a
    if a.constant:
        return const(signed(a.data, a.width), width)
    if a.operation == "sext":
        return sext(a.arguments[0], width)
    first = a.arguments[0] if a.operation == "concat" else None
    if first is not None and first.constant and not first.data >> (first.width - 1):
        return zext(a, width)
    return make("sext", width, (a,))


def ite(condition: Term, yes: Term, no: Term) -> Term:
    if condition.constant:
        return yes if condition.data else no
    if yes is no:
        return yes
    if condition.operation == "not":
        return ite(condition.arguments[0], no, yes)
    if yes.operation == "ite" and yes.arguments[0] is condition:
        yes = yes.arguments[1]
    if no.operation == "ite" and no.arguments[0] is condition:
        no = no.arguments[2]
    if yes.width == 1:
        if yes.constant:
            return disj(condition, no) if yes.data else conj(invert(condition), no)
        if no.constant:
            return disj(invert(condition), yes) if no.data else conj(condition, yes)
    return make("ite", yes.width, (condition, yes, no))
