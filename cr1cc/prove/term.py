"""Bit-vector terms: what a register, a flag or a byte of memory holds, as a formula.

A term is immutable and there is one object for each, so equal terms are identical. What can be
seen to be equal becomes equal when it is made: sums are linear combinations, constants are
folded, parts of concatenations are taken apart. Truth is a term of one bit. Meanings are those
of SMT-LIB's QF_ABV, division by zero included.

`stacky` says that the value may depend on where the stack is: on the variable `STACK`, other
than as the address of a load.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from typing import Any

Key = tuple[Any, ...]


class Term:
    """`operation` and its `arguments`; `data` is what else it takes: a value, a name, a bit.

    `width` is in bits, 0 for a memory.
    """

    __slots__ = ("arguments", "data", "number", "operation", "stacky", "width")

    operation: str
    arguments: tuple[Term, ...]
    data: Any
    width: int
    stacky: bool
    number: int

    def __repr__(self) -> str:
        inner = " ".join(map(repr, self.arguments))
        data = "" if self.data is None else f"[{self.data}]"
        return f"({self.operation}{data}:{self.width}{' ' if inner else ''}{inner})"

    @property
    def constant(self) -> bool:
        return self.operation == "const"


_terms: dict[Key, Term] = {}


def forget() -> None:
    """Drop all terms but those made when modules were loaded. Between two proofs only."""
    _parts.clear()
    _terms.clear()
    _terms.update(_lasting)


def _make(operation: str, width: int, arguments: tuple[Term, ...] = (), data: Any = None) -> Term:
    key = (operation, width, data, *(one.number for one in arguments))
    term = _terms.get(key)
    if term is None:
        term = Term()
        term.operation, term.width, term.arguments, term.data = operation, width, arguments, data
        term.number = next(_numbers)
        if operation == "select":
            term.stacky = False
        else:
            term.stacky = data == _STACK_NAME or any(one.stacky for one in arguments)
        _terms[key] = term
    return term


def _count() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1


_numbers = _count()
_STACK_NAME = "rsp at entry"


def const(value: int, width: int) -> Term:
    return _make("const", width, data=value & ((1 << width) - 1))


def var(name: str, width: int) -> Term:
    return _make("var", width, data=name)


def memory(name: str) -> Term:
    """A memory of which nothing is known: 2^64 bytes."""
    return _make("memory", 0, data=name)


def signed(value: int, width: int) -> int:
    return value - (1 << width) if value >> (width - 1) else value


# Sums ---------------------------------------------------------------------------------------


def linear(term: Term) -> tuple[dict[Term, int], int]:
    """The term as a sum: coefficients of terms, and a constant, both modulo 2^width."""
    if term.constant:
        return {}, term.data
    if term.operation == "sum":
        return dict(zip(term.arguments, term.data[1:], strict=True)), term.data[0]
    return {term: 1}, 0


def _from_linear(parts: dict[Term, int], constant: int, width: int) -> Term:
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
    return _make("sum", width, arguments, (constant, *(factor for _, factor in kept)))


def combine(pairs: Iterable[tuple[Term, int]], constant: int, width: int) -> Term:
    """The sum of `factor * term`, and a constant."""
    parts: dict[Term, int] = {}
    for term, factor in pairs:
        inner, value = linear(term)
        constant += value * factor
        for one, coefficient in inner.items():
            parts[one] = parts.get(one, 0) + coefficient * factor
    return _from_linear(parts, constant, width)


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
    return _make("mul", a.width, _sorted(a, b))


# Bits ---------------------------------------------------------------------------------------


def _sorted(a: Term, b: Term) -> tuple[Term, Term]:
    return (a, b) if a.number <= b.number else (b, a)


def invert(a: Term) -> Term:
    """All bits turned over; of a truth, its negation."""
    if a.operation == "not":
        return a.arguments[0]
    if a.constant:
        return const(~a.data, a.width)
    if a.width > 1:
        return combine(((a, -1),), -1, a.width)  # ~a = -a - 1
    return _make("not", a.width, (a,))


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
    return _make("and", a.width, _sorted(a, b))


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
    return _make("and", a.width, (a, const(mask, a.width)))


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
    return _make("or", a.width, _sorted(a, b))


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
    return _make("xor", a.width, _sorted(a, b))


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
    return _make("extract", width, (a,), low)


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
    return _make("concat", sum(one.width for one in flat), tuple(flat))


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
    return _make("sext", width, (a,))


# Shifts and division ------------------------------------------------------------------------


def shl(a: Term, b: Term) -> Term:
    if b.constant:
        return const(0, a.width) if b.data >= a.width else mul(a, const(1 << b.data, a.width))
    return _make("shl", a.width, (a, b))


def lshr(a: Term, b: Term) -> Term:
    if b.constant:
        if b.data >= a.width:
            return const(0, a.width)
        return zext(extract(a, a.width - 1, b.data), a.width)
    return _make("lshr", a.width, (a, b))


def ashr(a: Term, b: Term) -> Term:
    if b.constant:
        return sext(extract(a, a.width - 1, min(b.data, a.width - 1)), a.width)
    return _make("ashr", a.width, (a, b))


def division(operation: str, a: Term, b: Term) -> Term:
    """`operation`: udiv, urem, sdiv, srem."""
    if a.constant and b.constant:
        return const(divide(operation, a.data, b.data, a.width), a.width)
    return _make(operation, a.width, (a, b))


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


# Truth --------------------------------------------------------------------------------------


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
        return _make("eq", 1, _sorted(factors[0][0], factors[1][0]))
    first, factor = factors[0]
    if factor > mask >> 1:  # one of the two signs
        parts, value = {one: -f for one, f in parts.items()}, -value
    rest = _from_linear({one: f for one, f in parts.items() if one is not first}, value, a.width)
    left = _from_linear({first: parts[first]}, 0, a.width)
    return _make("eq", 1, _sorted(left, neg(rest)))


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
    return _make("eq", 1, (a, const(value, a.width)))


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
    return _make("ult", 1, (a, b))


def signed_below(a: Term, b: Term) -> Term:
    if a is b:
        return const(0, 1)
    if a.constant and b.constant:
        return const(signed(a.data, a.width) < signed(b.data, b.width), 1)
    if b.constant and not b.data:
        return extract(a, a.width - 1, a.width - 1)
    return _make("slt", 1, (a, b))


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
    return _make("ite", yes.width, (condition, yes, no))


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
    return _make("store", 0, (base, address, value))


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
    return _make("select", 8 * size, (base, address))


def raw_select(base: Term, address: Term, size: int) -> Term:
    """The bytes of a memory without looking at how it came to be."""
    return _make("select", 8 * size, (base, address))


STACK = var(_STACK_NAME, 64)
TRUE = const(1, 1)
FALSE = const(0, 1)
_lasting = dict(_terms)


def reachable(roots: Iterable[Term], known: Container[Term] = ()) -> list[Term]:
    """All terms that the roots are made of, each after its arguments, but those in `known`."""
    done: dict[Term, None] = {}
    stack = [(root, False) for root in roots]
    while stack:
        term, ready = stack.pop()
        if term in done or term in known:
            continue
        if ready:
            done[term] = None
        else:
            stack.append((term, True))
            stack.extend((one, False) for one in term.arguments)
    return list(done)
