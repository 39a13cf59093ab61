"""A proof that a run of instructions may stand in for another one inside of a function.

Both begin with the same registers, flags and memory, all of them any. They must access memory at
the same addresses, as often, as widely, in the same order and with the same values stored, so what
is volatile, who else reads and where a page ends makes no difference; what a load gives is any
value, the same for both. Memory needs no formula for that. Behind the window all that is live is
equal, and so is whether a jump at its end is taken. The stack pointer takes the same values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from cr1cc.errors import Cr1Error, ProofError
from cr1cc.gate.verdict import Judgement, Verdict
from cr1cc.prove import engines
from cr1cc.prove import term as t
from cr1cc.prove.code import Body, Reference
from cr1cc.prove.concrete import Input, Valuation
from cr1cc.prove.effect import GENERAL, SEGMENTS, VECTORS, Access, Effect, register
from cr1cc.prove.instructions import FLAGS
from cr1cc.prove.lifter import Lifter
from cr1cc.prove.machine import address_of
from cr1cc.prove.solver import Answer, Effort, Solvers
from cr1cc.prove.substitution import substitution
from cr1cc.prove.term import Term

BY = "proof of a window"
_BITS = {name: register(name).width for name in (*GENERAL, *VECTORS, *FLAGS)}

_TOGETHER = 500  # windows whose terms are kept

_DRAWN = 0.6  # share of values that are any
_EDGES = (0, 1, 2, -1, 0x7F, 0x80, 0xFF, 0x7FFFFFFF, 0x80000000, 1 << 63, (1 << 63) - 1)

# What is live behind a window: by register or flag the ranges of bits, first and last of each.
Live = Mapping[str, tuple[tuple[int, int], ...]]


class _Any(dict[str, int]):
    """Values for all variables: edges and random ones, by a number and the name."""

    def __init__(self, number: int) -> None:
        self._number = number

    def get(self, name: str, default: int = 0) -> int:  # type: ignore[override]
        source = Random(f"{self._number} {name}")
        return source.getrandbits(128) if source.random() < _DRAWN else source.choice(_EDGES)


class _Touch(NamedTuple):
    """An access: `stored` is the value that a store gives."""

    address: Term
    size: int
    stored: Term | None
    aligned: int


class _Jump(NamedTuple):
    taken: Term
    target: tuple[str, int]


@dataclass
class _State:
    """What a window does. `stack`: the values of %rsp, in their order."""

    side: str
    registers: dict[str, Term]
    touches: list[_Touch] = field(default_factory=list)
    faults: list[Term] = field(default_factory=list)
    stack: list[Term] = field(default_factory=list)
    isas: set[str] = field(default_factory=set)
    jump: _Jump | None = None
    unknowns: int = 0

    def anything(self, width: int) -> Term:
        self.unknowns += 1
        return t.var(f"unknown {self.side} {self.unknowns}", width)


class WindowProver:
    """Judges windows. Raises ProofError when it is made if a package is missing."""

    def __init__(self, effort: Effort | None = None) -> None:
        engines.load()
        self._effort = effort or Effort(conflicts=500)
        self._begin()

    def _begin(self) -> None:
        """Drop all terms, those of lifted instructions too: old and new ones must not be mixed."""
        t.forget()
        self._lifter = Lifter()
        self._left = _TOGETHER

    def judge(self, original: Body, new: Body | None, live: Live) -> Judgement:
        """Proved or unknown, with the reason. `new` is None for no instruction at all."""
        try:
            return self._compare(*self._states(original, new), live)
        except (Cr1Error, RecursionError) as error:
            return Judgement(Verdict.UNKNOWN, BY, " ".join(str(error).split()) or "too large")

    def agreement(self, original: Body, new: Body | None, live: Live, inputs: int) -> float:
        """The share of so many inputs, always the same ones, for which nothing differs. It proves
        nothing. Raises ProofError for instructions that are not modelled."""
        one, other = self._states(original, new)
        if _differ(one, other):
            return 0.0
        truths = [truth for _, truth in _duties(one, other, live)]
        same = 0
        for number in range(inputs):
            values = Valuation(Input(_Any(number)))
            same += all(values.of(truth) for truth in truths)
        return same / inputs

    def _states(self, original: Body, new: Body | None) -> tuple[_State, _State]:
        self._left -= 1
        if not self._left:
            self._begin()
        states = _State("a", _entry()), _State("b", _entry())
        self._run(original, states[0])
        if new is not None:
            self._run(new, states[1])
        return states

    # What a window does -----------------------------------------------------------------------

    def _run(self, body: Body, state: _State) -> None:
        code = body.unit.contents(body.section)
        fields = body.unit.relocations(body.section)
        place = body.start
        while place < body.end:
            if state.jump is not None:
                raise ProofError("a jump before the end of the window")
            inside = [at for at in range(place, place + 15) if at in fields]
            effect = self._lifter.lift(
                code[place : body.end], inside[0] - place if inside else None
            )
            after = place + effect.size
            found = [fields[at] for at in range(place, after) if at in fields]
            if len(found) > 1:
                raise ProofError("an instruction with two relocations")
            reference = body.unit.reference(found[0], after) if found else None
            _apply(state, effect, reference)
            place = after

    # The comparison ---------------------------------------------------------------------------

    def _compare(self, original: _State, new: _State, live: Live) -> Judgement:
        if reason := _differ(original, new):
            return _unknown(reason)
        solvers = Solvers(self._effort)
        for what, truth in _duties(original, new, live):
            if solvers.ask([t.invert(truth)]) is not Answer.NONE:
                return _unknown(f"perhaps {what}", solvers.failures)
        return Judgement(Verdict.PROVED, BY, evidence=(("questions", str(solvers.questions)),))


def _entry() -> dict[str, Term]:
    return {name: register(name) for name in (*GENERAL, *VECTORS, *FLAGS, *SEGMENTS)}


def _apply(state: _State, effect: Effect, reference: Reference | None) -> None:
    meaning = dict(state.registers)
    if reference is not None and effect.kind == "plain":
        if reference.section is not None:
            raise ProofError("the address of code is not modelled")
        meaning["place"] = address_of(reference)
    for width in (16, 32, 64):
        meaning[f"any {width}"] = state.anything(width)
    values = substitution(meaning)
    for number, load in enumerate(effect.loads):
        address = values(load.address)
        meaning[f"load {number}"] = t.var(f"access {len(state.touches)}", 8 * load.size)
        state.touches.append(_Touch(address, load.size, None, load.aligned))
    if effect.fault is not None:
        state.faults.append(values(effect.fault))
    if effect.taken is not None:
        state.jump = _jump(values(effect.taken), reference)
    elif effect.kind != "plain":
        raise ProofError(f"{effect.mnemonic} is not modelled in a window")
    written = {name: values(value) for name, value in effect.registers.items()}
    stored = [_stored(one, values) for one in effect.stores]
    written |= {name: state.anything(1) for name in effect.undefined}
    before = state.registers["rsp"]
    state.registers.update(written)
    if state.registers["rsp"] is not before:
        state.stack.append(state.registers["rsp"])
    state.touches += stored
    if effect.isa:
        state.isas.add(effect.isa)


def _jump(taken: Term, reference: Reference | None) -> _Jump:
    if reference is None or reference.section is not None:
        raise ProofError("a jump inside of the window")
    return _Jump(taken, (reference.name, reference.offset))


def _stored(access: Access, values: Callable[[Term], Term]) -> _Touch:
    assert access.value is not None
    return _Touch(values(access.address), access.size, values(access.value), access.aligned)


def _differ(original: _State, new: _State) -> str:
    """What is different for every input, "" if nothing is known to be."""
    if more := sorted(new.isas - original.isas):
        return f"it needs {', '.join(more)}, which the original does not"
    if (original.jump is None) != (new.jump is None):
        return "only one of the two jumps"
    return "the stack pointer takes other values" if original.stack != new.stack else ""


def _duties(original: _State, new: _State, live: Live) -> Iterator[tuple[str, Term]]:
    """What must be true for every input, and what is said where it is not."""
    if len(original.touches) != len(new.touches):
        yield "memory is accessed more or less often", t.FALSE
        return
    for ours, theirs in zip(original.touches, new.touches, strict=True):
        alike = ours.size == theirs.size and (ours.stored is None) == (theirs.stored is None)
        if not alike or theirs.aligned > ours.aligned:
            yield "memory is accessed in another way", t.FALSE
            return
        yield "another address is accessed", t.equal(ours.address, theirs.address)
        if ours.stored is not None and theirs.stored is not None:
            yield "another value is stored", t.equal(ours.stored, theirs.stored)
    if len(original.faults) != len(new.faults):
        yield "it divides more or less often", t.FALSE
        return
    for one, other in zip(original.faults, new.faults, strict=True):
        yield "a division faults otherwise", t.equal(one, other)
    if original.jump is not None and new.jump is not None:
        if original.jump.target != new.jump.target:
            yield "it jumps elsewhere", t.FALSE
            return
        yield "it jumps otherwise", t.equal(original.jump.taken, new.jump.taken)
    for name in _BITS:
        for low, high in live.get(name, ()):
            ends = [t.extract(one.registers[name], high, low) for one in (original, new)]
            yield f"{name} differs", t.equal(ends[0], ends[1])


def _unknown(reason: str, failures: Mapping[str, int] | None = None) -> Judgement:
    """`failures`: how often solvers ended without a word; another time they may speak."""
    words = ", ".join(f"{name} {count}" for name, count in sorted((failures or {}).items()))
    return Judgement(Verdict.UNKNOWN, BY, reason, evidence=(("failures", words),) if words else ())
