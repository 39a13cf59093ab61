"""A body executed for one input, by triton's own emulation: a second opinion on our terms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cr1cc.errors import ProofError
from cr1cc.prove.code import Body, Reference
from cr1cc.prove.concrete import Input
from cr1cc.prove.effect import GENERAL, VECTORS
from cr1cc.prove.lifter import Lifter

CODE = 0x0000_1357_0000_0000  # the section of the body begins here
OBJECTS = CODE + 0x1000_0000  # objects of the unit and others, a distance apart
_APART = 0x10_0000
_FRAME = 1 << 16
STACK = 0x7FFD_1357_0008
_RETURN = 0x1111_2222_3333
_MASK = (1 << 64) - 1


class Layout:
    """Where objects lie: the same place for the same name in both bodies."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self.data: dict[int, bytes] = {}
        self.slots: dict[int, int] = {}

    def address(self, reference: Reference) -> int:
        """The address that a reference stands for."""
        name = ("slot of " if reference.slot else "") + reference.name
        if name not in self._places:
            place = self._places[name] = OBJECTS + _APART * len(self._places)
            if reference.constant is not None:
                self.data[place] = reference.constant
            if reference.slot:
                self.slots[place] = self.address(Reference(reference.name, 0))
        return self._places[name] + reference.offset

    def byte(self, address: int) -> int | None:
        """A byte that never changes: of a constant, or of the global offset table."""
        for place, data in self.data.items():
            if place <= address < place + len(data):
                return data[address - place]
        for place, target in self.slots.items():
            if place <= address < place + 8:
                return target >> 8 * (address - place) & 255
        return None


@dataclass
class Run:
    """What a body did: registers at its end, bytes it wrote and addresses it read from beyond
    its frame. `fault`: a division's."""

    registers: dict[str, int] = field(default_factory=dict)
    written: dict[int, int] = field(default_factory=dict)
    read: set[int] = field(default_factory=set)
    fault: bool = False


def emulate(body: Body, lifter: Lifter, given: Input, layout: Layout, steps: int) -> Run:
    """Run a body. Raises ProofError if it calls something or does not end after so many steps."""
    return _Emulator(body, lifter, given, layout).run(steps)


class _Emulator:
    def __init__(self, body: Body, lifter: Lifter, given: Input, layout: Layout) -> None:
        self._triton, self._given, self._layout = lifter.library, given, layout
        self._body = body
        self._code = self._linked(body)
        self._known: set[int] = set()
        self._run = Run()
        self._executing = False
        context = self._context = self._triton.TritonContext(self._triton.ARCH.X86_64)
        context.addCallback(self._triton.CALLBACK.GET_CONCRETE_MEMORY_VALUE, self._reads)
        for name in GENERAL:
            self._set(name, given.values.get(name, 0))
        for name in VECTORS:
            self._set(name, given.values.get(name, 0))
        for name in ("fs", "gs"):
            self._set(name, given.values.get(name, 0))
        self._set("rsp", STACK)
        for i in range(8):
            self._known.add(STACK + i)
            context.setConcreteMemoryValue(STACK + i, _RETURN >> 8 * i & 255)

    def _set(self, name: str, value: int) -> None:
        self._context.setConcreteRegisterValue(getattr(self._context.registers, name), value)

    def _linked(self, body: Body) -> bytearray:
        code = bytearray(body.unit.contents(body.section))
        for offset, relocation in body.unit.relocations(body.section).items():
            if not body.start <= offset < body.end:
                continue
            reference = body.unit.reference(relocation, offset + 4)
            if reference.section is None:
                target = self._layout.address(reference)
                value = target - (CODE + offset + 4)
                code[offset : offset + 4] = (value & 0xFFFFFFFF).to_bytes(4, "little")
            elif reference.section == body.section:
                value = reference.offset - (offset + 4)
                code[offset : offset + 4] = (value & 0xFFFFFFFF).to_bytes(4, "little")
        return code

    def _reads(self, context: Any, where: Any) -> None:
        for address in range(where.getAddress(), where.getAddress() + where.getSize()):
            address &= _MASK
            constant = self._layout.byte(address)
            if address not in self._known:
                self._known.add(address)
                byte = self._given.byte("memory", address) if constant is None else constant
                context.setConcreteMemoryValue(address, byte)
            beyond = constant is None and not STACK - _FRAME <= address < STACK + 8
            if beyond and self._executing:  # not while we look at what was written
                self._run.read.add(address)

    def run(self, steps: int) -> Run:
        triton, context = self._triton, self._context
        place = CODE + self._body.start
        for _ in range(steps):
            if place == _RETURN:
                self._run.registers = {
                    name: context.getConcreteRegisterValue(getattr(context.registers, name))
                    for name in (*GENERAL, *VECTORS)
                }
                return self._run
            if not CODE + self._body.start <= place < CODE + self._body.end:
                raise ProofError("it calls other code")
            at = place - CODE
            instruction = triton.Instruction(place, bytes(self._code[at : at + 15]))
            self._executing = True
            status = context.processing(instruction)
            self._executing = False
            if status == triton.EXCEPTION.FAULT_DE:
                self._run.fault = True
                return self._run
            if status != triton.EXCEPTION.NO_FAULT:
                raise ProofError(f"{instruction.getDisassembly()} is not emulated")
            if instruction.getDisassembly().split()[0] == "call":
                raise ProofError("it calls other code")
            for where, _ in instruction.getStoreAccess():
                for address in range(where.getAddress(), where.getAddress() + where.getSize()):
                    self._known.add(address & _MASK)
                    if not STACK - _FRAME <= address < STACK + 8:
                        value = context.getConcreteMemoryValue(address & _MASK)
                        self._run.written[address & _MASK] = value
            place = context.getConcreteRegisterValue(context.registers.rip)
        raise ProofError(f"no end after {steps} steps")
