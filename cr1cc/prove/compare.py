"""What must hold for one path of the new body against one of the original.

The original is presumed right: what it accesses may be accessed, what it aligns is aligned. The
new body may read only on pages that the original accesses on that path, write only bytes that it
writes, and nothing before a call that the original does only after it. A call may not come back,
so what comes after it says nothing about what comes before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cr1cc.gate.signature import Kind, Signature
from cr1cc.prove import term as t
from cr1cc.prove.effect import register
from cr1cc.prove.events import Touch
from cr1cc.prove.explore import ARGUMENTS, CALLEE_SAVED, VECTOR_ARGUMENTS
from cr1cc.prove.machine import RED_ZONE, RETURN_ADDRESS, Machine
from cr1cc.prove.term import Term

ANYWHERE = t.var("any address", 64)
_MARGIN = 1 << 20
NOTHING_PRESUMED = -1  # instead of a number of calls: only the conditions of branches


@dataclass(frozen=True)
class Duty:
    """`truth` must hold, `what` is said where it does not. `firm`: where it does not, the bodies
    differ for a program in C, and not only for what some caller may rely on."""

    what: str
    truth: Term
    firm: bool = True


def frame_size(original: Machine) -> int:
    """Bytes below %rsp on entry that belong to the function, its red zone included."""
    return RED_ZONE - original.deepest


def unfilled(original: Machine, signature: Signature) -> list[str]:
    """Registers that no argument fills, and on which result, memory or branches of a path depend
    nevertheless: the signature must be wrong."""
    place = signature.result_place()
    told = [original.memory, *(one.truth for one in original.conditions)]
    told += [touch.address for touch in original.touched]
    if place is not None:
        told.append(t.extract(original.registers[place.register], signature.result.bits - 1, 0))
    used = _variables(told) & {*ARGUMENTS, *VECTOR_ARGUMENTS}
    # What is left in %al may be the result, whatever the signature says. Above it may be what was
    # in a register before a part of it was set.
    used |= _variables([t.extract(original.registers["rax"], 7, 0)]) & {*ARGUMENTS}
    return sorted(used - {one.register for one in signature.places()})


def _variables(terms: Iterable[Term]) -> set[str]:
    return {one.data for one in t.reachable(terms) if one.operation == "var"}


def given(original: Machine, calls: int) -> list[Term]:
    """What may be presumed when the original has made so many calls on its path: that its
    branches go as they do, and that no access or division of its own faults."""
    truths = [t.equal(t.extract(t.STACK, 3, 0), t.const(8, 4))]
    # Neither end of the address space is part of a stack.
    truths.append(t.below(t.plus(t.STACK, -_MARGIN), t.const(-2 * _MARGIN, 64)))
    truths += [one.truth for one in original.conditions]
    if calls == NOTHING_PRESUMED:
        return truths
    facts = (*original.inside, *original.aligned)
    truths += [one.truth for one in facts if one.calls <= calls]
    truths += [t.invert(one.truth) for one in original.faults if one.calls <= calls]
    for touch in original.touched:
        if touch.calls <= calls:
            truths.append(_no_wrap(touch))
            truths.append(_beyond_frame(touch, original))
    return [one for one in truths if not (one.constant and one.data)]


def duties(original: Machine, new: Machine, signature: Signature) -> Iterator[tuple[int, Duty]]:
    """All duties, each with the calls after which it comes."""
    last = len(original.calls)
    for number, (ours, theirs) in enumerate(zip(original.calls, new.calls, strict=False)):
        same = [_same_target(ours.target, theirs.target), t.const(ours.tail == theirs.tail, 1)]
        same.append(t.const(len(ours.stack) == len(theirs.stack), 1))
        same += [t.equal(a, b) for a, b in zip(ours.registers, theirs.registers, strict=False)]
        same += [t.equal(a, b) for a, b in zip(ours.stack, theirs.stack, strict=False)]
        what = f"call {number + 1} is not the same"
        yield number, Duty(what, t.all_of(same), firm=False)
        what = f"memory differs at call {number + 1}"
        yield number, Duty(what, _same_memory(ours.memory, theirs.memory), firm=False)
    same_calls = len(original.calls) == len(new.calls) and original.ending == new.ending
    yield last, Duty("other calls", t.const(same_calls, 1), firm=False)
    faults = [t.any_of(one.truth for one in side.faults) for side in (original, new)]
    stays = t.disj(t.invert(faults[0]), faults[1])
    yield NOTHING_PRESUMED, Duty("a division does not fault", stays, firm=False)
    for fault in new.faults:
        yield fault.calls, Duty("a division faults", t.invert(fault.truth))
    for touch in new.touched:
        yield (
            touch.calls,
            Duty("an access that the original does not make", _allowed(touch, original)),
        )
        yield touch.calls, Duty("an access to its own frame", _beyond_frame(touch, original), False)
    for fact in (*new.inside, *new.aligned):
        yield fact.calls, Duty("an access beside its object or not aligned", fact.truth, False)
    deep = new.deepest >= min(original.deepest, -RED_ZONE)
    yield 0, Duty("it takes more of the stack", t.const(deep, 1), firm=False)
    if original.ending == new.ending == "return":
        for duty in _at_return(original, new, signature):
            yield last, duty


def _at_return(original: Machine, new: Machine, signature: Signature) -> Iterator[Duty]:
    for name in CALLEE_SAVED:
        # A call that came last left them as they were before it.
        kept = t.equal(new.registers[name], original.registers[name])
        yield Duty(f"it does not keep {name}", kept)
    yield Duty("it leaves other memory", _same_memory(original.memory, new.memory))
    place = signature.result_place()
    if place is None:
        return
    ours, theirs = (side.registers[place.register] for side in (original, new))
    bits = signature.result.bits
    # Not what is above the type: callers extend it themselves, those by gcc and clang, too.
    yield Duty("it returns another value", _same_low(ours, theirs, bits))


def _same_low(a: Term, b: Term, bits: int) -> Term:
    return t.equal(t.extract(a, bits - 1, 0), t.extract(b, bits - 1, 0))


def _same_target(a: str | Term, b: str | Term) -> Term:
    if isinstance(a, Term) and isinstance(b, Term):
        return t.equal(a, b)
    return t.const(a == b, 1)


def _same_memory(a: Term, b: Term) -> Term:
    """The same byte at any address."""
    if a is b:
        return t.TRUE
    return t.equal(t.select(a, ANYWHERE, 1), t.select(b, ANYWHERE, 1))


def _no_wrap(touch: Touch) -> Term:
    """An object does not go over the end of the address space."""
    return t.below(touch.address, t.const(-touch.size, 64))


def _beyond_frame(touch: Touch, original: Machine) -> Term:
    """No byte of an access is in the frame."""
    size = frame_size(original)
    start = t.plus(t.STACK, -size)
    distance = t.sub(touch.address, start)
    room = size + RETURN_ADDRESS
    # At least `room` behind its start, and not so far that it comes round to it.
    late_enough = t.invert(t.below(distance, t.const(room, 64)))
    return t.conj(late_enough, t.invert(t.below(t.const(-touch.size, 64), distance)))


def _allowed(touch: Touch, original: Machine) -> Term:
    before = [one for one in original.touched if one.calls <= touch.calls]
    if touch.writes:
        before = [one for one in before if one.writes]
    same = [one for one in before if one.address is touch.address and one.size >= touch.size]
    if same:
        return t.TRUE
    if not touch.writes:
        ends = (touch.address, t.plus(touch.address, touch.size - 1))
        return t.all_of(_on_page(end, before) for end in ends)
    return t.all_of(_written(t.plus(touch.address, i), before) for i in range(touch.size))


def _on_page(address: Term, touched: list[Touch]) -> Term:
    page = t.extract(address, 63, 12)
    places = [p for one in touched for p in (one.address, t.plus(one.address, one.size - 1))]
    return t.any_of(t.equal(page, t.extract(place, 63, 12)) for place in dict.fromkeys(places))


def _written(address: Term, touched: list[Touch]) -> Term:
    inside = (t.below(t.sub(address, one.address), t.const(one.size, 64)) for one in touched)
    return t.any_of(inside)


def extended(signature: Signature) -> list[Term]:
    """What both gcc and clang do for a callee, and the ABI does not promise: arguments narrower
    than an int are extended to one."""
    truths = []
    for (_, type_), place in zip(signature.parameters, signature.places(), strict=True):
        if place.register and type_.kind in (Kind.BOOL, Kind.INTEGER) and type_.bits < 32:
            value = register(place.register)
            low = t.extract(value, type_.bits - 1, 0)
            wide = (t.sext if type_.signed else t.zext)(low, 32)
            truths.append(t.equal(t.extract(value, 31, 0), wide))
    return truths


def promised(signature: Signature) -> list[Term]:
    """What the ABI promises of arguments: the byte of a _Bool is 0 or 1."""
    truths = []
    for (_, type_), place in zip(signature.parameters, signature.places(), strict=True):
        if type_.kind is Kind.BOOL:
            if place.register:
                byte = t.extract(register(place.register), 7, 0)
            else:
                byte = t.select(t.memory("memory"), t.plus(t.STACK, place.offset), 1)
            truths.append(t.below(byte, t.const(2, 8)))
    return truths
