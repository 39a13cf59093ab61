"""The machine while a body is executed: registers, its frame on the stack, and all other memory.

The frame is what lies below the stack pointer's value on entry, and the return address. It is
bytes at known offsets, and no other access may reach it: an address that does not come from the
stack pointer cannot point to where no frame was yet when it was made. An address that does come
from it is a known offset, or the body is not judged. All else is one memory with symbolic
addresses, so pointers may overlap in any way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from cr1cc.errors import ProofError
from cr1cc.prove import term as t
from cr1cc.prove.code import Reference
from cr1cc.prove.effect import GENERAL, SEGMENTS, VECTORS, Access, Effect, register
from cr1cc.prove.events import Call, Fact, Touch
from cr1cc.prove.instructions import FLAGS
from cr1cc.prove.substitution import substitution
from cr1cc.prove.term import Term

RED_ZONE = 128  # bytes below the stack pointer that signals leave alone
RETURN_ADDRESS = 8
LARGEST_TABLE = 1024  # bytes of constants that a solver is told
_GLOBAL = "address of "


@dataclass
class Machine:
    """The state on one path. `constants`: read-only objects that were referred to, by address,
    one table for all paths of both bodies. `conditions`: of its branches. `inside`, `aligned`:
    what must hold of addresses; `faults`: what divisions must not do. `deepest`: the lowest
    offset of %rsp."""

    side: str
    registers: dict[str, Term]
    memory: Term
    constants: dict[Term, Reference]
    frame: dict[int, Term] = field(default_factory=dict)
    conditions: list[Fact] = field(default_factory=list)
    touched: list[Touch] = field(default_factory=list)
    inside: list[Fact] = field(default_factory=list)
    aligned: list[Fact] = field(default_factory=list)
    faults: list[Fact] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    isas: set[str] = field(default_factory=set)
    deepest: int = 0
    unknowns: int = 0
    ending: str = ""

    def copy(self) -> Machine:
        return replace(
            self,
            registers=dict(self.registers),
            frame=dict(self.frame),
            conditions=list(self.conditions),
            touched=list(self.touched),
            inside=list(self.inside),
            aligned=list(self.aligned),
            faults=list(self.faults),
            calls=list(self.calls),
            isas=set(self.isas),
        )

    def anything(self, width: int) -> Term:
        """A value of which nothing is known."""
        self.unknowns += 1
        return t.var(f"unknown {self.side} {self.unknowns}", width)

    @property
    def stack(self) -> int:
        """Where %rsp is, from where it was on entry."""
        offset = frame_offset(self.registers["rsp"])
        if offset is None:
            raise ProofError("a stack pointer that is not known")
        return offset

    def apply(self, effect: Effect, reference: Reference | None) -> dict[str, Term]:
        """Do what an instruction does, but for control. Returns the meaning of its variables."""
        meaning = dict(self.registers)
        if reference is not None and reference.section is not None and effect.kind == "plain":
            raise ProofError("the address of code is not modelled")
        if reference is not None and reference.section is None:
            meaning["place"] = address_of(reference)
            if reference.constant is not None:
                start = reference._replace(offset=0)
                self.constants[address_of(start)] = start
        if effect.undefined or effect.mnemonic in ("bsf", "bsr", "tzcnt"):
            for width in (16, 32, 64):
                meaning[f"any {width}"] = self.anything(width)
        values = substitution(meaning)
        for number, load in enumerate(effect.loads):
            meaning[f"load {number}"] = self._load(values(load.address), load, reference)
        if effect.fault is not None:
            self.faults.append(Fact(values(effect.fault), len(self.calls)))
        written = {name: values(value) for name, value in effect.registers.items()}
        stored = [
            (values(one.address), one, values(one.value)) for one in effect.stores if one.value
        ]
        for name in effect.undefined:
            written[name] = self.anything(1)
        before = self.stack
        if effect.kind in ("plain", "jump"):
            self.registers.update(written)
        self._stack_moved(before)
        for address, access, value in stored:
            self._store(address, access, value)
        if effect.isa:
            self.isas.add(effect.isa)
        return meaning

    def _stack_moved(self, before: int) -> None:
        now = self.stack
        if now > 0:
            raise ProofError("the stack pointer rises above the frame")
        self.deepest = min(self.deepest, now)
        if now > before:  # a signal may have come before it sinks again
            self.frame = {at: one for at, one in self.frame.items() if at >= now - RED_ZONE}

    def _load(self, address: Term, access: Access, reference: Reference | None) -> Term:
        self._align(address, access)
        size = access.size
        if reference is not None and reference.slot:
            return address_of(reference._replace(slot=False))
        if (constants := self._constants_at(address)) is not None:
            return self._load_constant(address, size, constants)
        if (offset := self._frame_place(address, size)) is not None:
            found = [self.frame.get(offset + i) for i in reversed(range(size))]
            if None in found:
                if offset == 0 and size == RETURN_ADDRESS and not any(found):
                    return t.var("return address", 64)
                raise ProofError("it reads from the stack what it has not written")
            return t.concat([one for one in found if one is not None])
        self.touched.append(Touch(address, size, False, len(self.calls)))
        return t.select(self.memory, address, size)

    def _constants_at(self, address: Term) -> Reference | None:
        """The read-only object that an address was made from."""
        parts, _ = t.linear(address)
        found = [one for one in parts if one in self.constants]
        if len(found) > 1 or any(parts[one] != 1 for one in found):
            raise ProofError("an address made from those of constants")
        return self.constants[found[0]] if found else None

    def _load_constant(self, address: Term, size: int, constants: Reference) -> Term:
        data = constants.constant
        assert data is not None
        distance = t.sub(address, address_of(constants))
        last = len(data) - size
        if distance.constant:
            if distance.data > last:
                raise ProofError("a constant beyond the end of its section")
            found = data[distance.data : distance.data + size]
            return t.const(int.from_bytes(found, "little"), 8 * size)
        if not 0 <= last < LARGEST_TABLE or distance.stacky:
            raise ProofError("a table of constants that is too large")
        within = t.below(distance, t.const(last + 1, 64))
        self.inside.append(Fact(within, len(self.calls)))
        return t.select(t.memory(constants.name), distance, size)

    def _store(self, address: Term, access: Access, value: Term) -> None:
        self._align(address, access)
        size = access.size
        if self._constants_at(address) is not None:
            raise ProofError("it writes to read-only data")
        if (offset := self._frame_place(address, size)) is not None:
            if offset + size > 0:
                raise ProofError("it writes over its return address")
            for i in range(size):
                self.frame[offset + i] = t.extract(value, 8 * i + 7, 8 * i)
            return
        if value.stacky:
            raise ProofError("the address of something on the stack gets into memory")
        self.touched.append(Touch(address, size, True, len(self.calls)))
        self.memory = t.store(self.memory, address, value)

    def _align(self, address: Term, access: Access) -> None:
        if access.aligned == 1:
            return
        if (offset := frame_offset(address)) is not None:
            # On entry %rsp is 8 more than a multiple of 16.
            if (offset + 8) % access.aligned:
                raise ProofError("an access to the stack that is not aligned")
            return
        low = t.extract(address, access.aligned.bit_length() - 2, 0)
        self.aligned.append(Fact(t.equal(low, t.const(0, low.width)), len(self.calls)))

    def _frame_place(self, address: Term, size: int) -> int | None:
        """The offset of an access to the frame, None of one elsewhere."""
        offset = frame_offset(address)
        if offset is None:
            if address.stacky:
                raise ProofError("an address on the stack with a variable part")
            return None
        if offset >= RETURN_ADDRESS:
            return None  # arguments, and the caller's frame
        if offset + size > RETURN_ADDRESS or offset < self.stack - RED_ZONE:
            raise ProofError("an access at the edge of the frame or below it")
        return offset

    def forget_after_call(
        self, saved: tuple[str, ...], results: Callable[[str], Term | None]
    ) -> None:
        """What a call leaves: callee-saved registers, its results, and the frame above it."""
        for name in (*GENERAL, *VECTORS, *FLAGS):
            if name not in saved and name != "rsp":
                known = results(name)
                self.registers[name] = known or self.anything(register(name).width)
        self.frame = {at: one for at, one in self.frame.items() if at >= self.stack}


def entry(side: str, constants: dict[Term, Reference]) -> Machine:
    """The machine on entry. Both bodies begin with the same one."""
    names = (*GENERAL, *VECTORS, *FLAGS, *SEGMENTS)
    registers = {name: register(name) for name in names}
    registers["rsp"] = t.STACK
    return Machine(side, registers, t.memory("memory"), constants)


def address_of(reference: Reference) -> Term:
    """The address that a reference stands for."""
    prefix = "slot of " if reference.slot else _GLOBAL
    return t.plus(t.var(prefix + reference.name, 64), reference.offset)


def frame_offset(address: Term) -> int | None:
    """Of an address at a known distance from the stack pointer on entry: that distance."""
    if not address.stacky:
        return None
    parts, distance = t.linear(t.sub(address, t.STACK))
    return None if parts else t.signed(distance, 64)
