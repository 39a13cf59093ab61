"""A function's instructions followed on all ways: what it stores to, calls, saves and restores.

A forward analysis to a fixed point over `values.State`. It knows addresses in the frame exactly,
and of others what they were computed from; the rules are those of the System V ABI for x86-64,
chapter 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from cr1cc.gate.code import OUTSIDE, Code, Instruction, Memory
from cr1cc.gate.effects import place_of, transfer
from cr1cc.gate.instructions import JUMPS
from cr1cc.gate.signature import CALLEE_SAVED, INTEGER_REGISTERS, Kind, Signature
from cr1cc.gate.values import (
    FRAME,
    NUMBER,
    RED_ZONE,
    SLOT,
    State,
    Value,
    loaded_from,
    on_stack,
)

_CALLER_SAVED = ("rax", "r10", "r11", *INTEGER_REGISTERS, *(f"xmm{n}" for n in range(32)))


class Access(NamedTuple):
    """One access to memory outside of the frame: to what, and how many bytes."""

    places: frozenset[str]
    size: int
    stored: bool


@dataclass
class Facts:
    """What is found. `wrong`: breaches of the ABI; `unclear`: what the analysis cannot follow."""

    stores: set[frozenset[str]] = field(default_factory=set)
    accesses: dict[int, Access] = field(default_factory=dict)
    calls: set[str] = field(default_factory=set)
    endings: set[str] = field(default_factory=set)  # calls behind which the function ends
    segments: set[str] = field(default_factory=set)
    wrong: dict[str, None] = field(default_factory=dict)
    unclear: dict[str, None] = field(default_factory=dict)


def facts_of(code: Code, signature: Signature) -> Facts:
    """The facts of a function with that signature."""
    return _Flow(code, signature).run()


class _Flow:
    def __init__(self, code: Code, signature: Signature) -> None:
        self._by_address = {one.address: one for one in code.instructions}
        self._code = code
        self._signature = signature
        self._states: dict[int, State] = {}
        self._facts = Facts()
        self._final = False  # whether states are final, and what is seen is to be noted

    def run(self) -> Facts:
        first = self._code.instructions[0].address
        self._states[first] = self._entry()
        left = [first]
        while left:
            at = left.pop()
            state = self._states[at].copy()
            for successor in self._step(self._by_address[at], state):
                known = self._states.get(successor)
                if known is None:
                    self._states[successor] = state.copy()
                elif not known.join(state):
                    continue
                left.append(successor)
        self._final = True
        for at in sorted(self._states):
            self._step(self._by_address[at], self._states[at].copy())
        return self._facts

    def _entry(self) -> State:
        registers = {name: Value(entry=name) for name in CALLEE_SAVED}
        registers["rsp"] = on_stack(0)
        frame = {0: NUMBER}  # the return address
        for (name, type_), place in zip(
            self._signature.parameters, self._signature.places(), strict=True
        ):
            value = loaded_from(f"*{name}") if type_.kind is Kind.POINTER else NUMBER
            if place.register:
                registers[place.register] = value
            else:
                frame[place.offset] = value
        return State(registers, frame)

    def _wrong(self, text: str) -> None:
        if self._final:
            self._facts.wrong[text] = None

    def _unclear(self, text: str) -> None:
        if self._final:
            self._facts.unclear[text] = None

    def _step(self, one: Instruction, state: State) -> list[int]:
        """Change the state as the instruction does; the addresses that come next."""
        following = one.address + one.size
        if one.memory is not None and one.mnemonic not in ("lea", "nop"):
            self._access(one, one.memory, state)
        name = one.mnemonic.split()[-1]
        if name == "ret":
            self._leaves(one, state)
            return []
        if name == "ud2":
            return []
        if name == "call":
            self._call(one, state)
            if following in self._by_address:
                return [following]
            if self._final:  # what is called does not come back
                self._facts.endings.add(one.callee)
            return []
        if name == "jmp" or name in JUMPS:
            return self._jump(one, state, name == "jmp")
        if name == "pop" and one.memory is not None:
            self._unclear("it pops into memory")
        transfer(one, state)
        if (state.get("rsp").stack or 0) > 0:
            self._wrong("it pops more than it has pushed")
        return self._known(one, [following])

    def _known(self, one: Instruction, targets: list[int]) -> list[int]:
        inside = [target for target in targets if target in self._by_address]
        if len(inside) < len(targets):
            self._wrong(f"control leaves the function behind `{one.text}`")
        return inside

    def _jump(self, one: Instruction, state: State, always: bool) -> list[int]:
        following = [] if always else [one.address + one.size]
        if one.target is None:
            if not self._code.tables:
                if self._final:
                    self._facts.calls.add("*")
                self._leaves(one, state)
                return following
            return self._known(one, sorted(self._code.tables))
        if one.target == OUTSIDE:
            if self._final:
                self._facts.calls.add(one.callee)
            self._leaves(one, state)
            return self._known(one, following)
        if one.target not in self._by_address:
            self._wrong(f"`{one.text}` goes into the middle of an instruction")
            return self._known(one, following)
        return self._known(one, [*following, one.target])

    def _leaves(self, one: Instruction, state: State) -> None:
        """What holds where control goes back to the caller, or to another function for it."""
        if one.operands and one.mnemonic.endswith("ret"):
            self._wrong("it takes arguments from the stack of its caller (ret with a number)")
        if state.get("rsp").stack != 0:
            self._wrong(f"the stack pointer is not what it was at `{one.text}`")
        for register in CALLEE_SAVED:
            if state.get(register).entry != register:
                self._wrong(f"%{register} is not what it was at `{one.text}`")

    def _call(self, one: Instruction, state: State) -> None:
        callee = one.callee or "*"
        depth = state.get("rsp").stack
        if self._final:
            self._facts.calls.add(callee)
            if depth is not None and (depth - SLOT) % 16:
                self._wrong(f"the stack is not aligned at the call of {callee}")
        if depth is not None:
            state.drop_below(depth)
        for register in _CALLER_SAVED:
            state.registers[register] = NUMBER
        state.registers["rax"] = loaded_from(f"what {callee} returns")

    def _access(self, one: Instruction, memory: Memory, state: State) -> None:
        if not self._final:
            return
        if memory.segment in ("fs", "gs"):
            self._facts.segments.add(f"%{memory.segment}:{memory.offset:#x}")
            if memory.stored:
                self._unclear(f"`{one.text}` stores to the thread's own memory")
            return
        place = place_of(memory, state)
        if one.mnemonic.startswith("rep"):
            place = place.loose  # how far it goes, the operand does not say
        if place.stack is not None:
            self._frame_access(one, memory, place.stack, state)
            return
        self._facts.accesses[one.address] = Access(place.sources, memory.size, memory.stored)
        if memory.stored:
            self._facts.stores.add(place.sources)

    def _frame_access(self, one: Instruction, memory: Memory, at: int, state: State) -> None:
        end = at + memory.size
        depth = state.get("rsp").stack
        if memory.stored:
            if at < SLOT and end > 0:
                self._wrong(f"`{one.text}` writes over the return address")
            elif at >= SLOT:
                self._facts.stores.add(frozenset(("its arguments on the stack",)))
            elif depth is not None and at < depth - RED_ZONE:
                self._wrong(f"`{one.text}` stores below the red zone")
        elif at < 0 and not state.has(at, memory.size) and not self._is_loose(state):
            self._wrong(
                f"`{one.text}` reads its frame where it has put nothing that is still there"
            )

    def _is_loose(self, state: State) -> bool:
        """Whether the frame has places whose address is computed, such as arrays."""
        return frozenset((FRAME,)) in self._facts.stores or any(
            value.stack is not None and name not in ("rsp", "rbp")
            for name, value in state.registers.items()
        )
