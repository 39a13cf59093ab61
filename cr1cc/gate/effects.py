"""What single instructions do to registers and frame, as far as the flow analysis follows it.

Moves of whole registers and of whole slots, and what is added to an address in the frame, are
followed exactly; of everything else only what the result was computed from.
"""

from __future__ import annotations

from cr1cc.gate.code import Instruction, Memory
from cr1cc.gate.values import LOADED, NUMBER, SLOT, State, Value, loaded_from, mixed, on_stack

_FAR = 1 << 20  # bytes: no frame is so large
_MOVES = frozenset(("mov", "movabs", "movq"))
_ZEROING = frozenset(("xor", "sub", "pxor", "xorps", "xorpd", "vpxor", "vxorps", "vxorpd"))


def place_of(memory: Memory, state: State) -> Value:
    """The address of a memory operand."""
    parts = [
        state.get(name) for name in (memory.base, memory.indexed_by) if name not in ("", "rip")
    ]
    if memory.symbol:
        return mixed([*parts, loaded_from(memory.symbol)])
    if memory.base and not memory.indexed_by and parts and parts[0].stack is not None:
        return on_stack(parts[0].stack + memory.offset)
    return mixed(parts)


def transfer(one: Instruction, state: State) -> None:
    """Change the state as an instruction does that goes on to the next one."""
    name, operands = one.mnemonic, one.operands
    if name == "push":
        _push(one, state)
    elif name == "pop":
        _pop(one, state)
    elif name == "leave":
        state.registers["rsp"] = state.get("rbp")
        _pop_into("rbp", state)
    elif name == "lea" and one.memory is not None and one.widths[0] == SLOT:
        state.registers[str(operands[0])] = place_of(one.memory, state)
    elif name in ("add", "sub") and _moves_stack(one, state):
        pass
    elif name == "and" and operands[0] == "rsp" and state.get("rsp").stack is not None:
        _aligns_stack(one, state)
    elif name in _ZEROING and len(set(operands[-2:])) == 1 and isinstance(operands[0], str):
        _write(one, state, NUMBER)
    elif name in _MOVES and one.widths[0] == SLOT:
        _move(one, state)
    else:
        _write(one, state, _computed(one, state))


def _computed(one: Instruction, state: State) -> Value:
    parts = [state.get(register) for register in one.reads]
    memory = one.memory
    if memory is not None and not (memory.stored and one.mnemonic.startswith("mov")):
        if memory.size >= SLOT and one.mnemonic != "lea":
            parts.append(loaded_from(LOADED))
        if one.mnemonic != "lea":  # what is loaded was not computed from its address
            used = (memory.base, memory.indexed_by)
            parts = [state.get(r) for r in one.reads if r not in used] + parts[len(one.reads) :]
    return mixed(parts)


def _write(one: Instruction, state: State, value: Value) -> None:
    for register in one.writes:
        if register not in ("rflags", "rip"):
            state.registers[register] = value
    memory = one.memory
    if memory is not None and memory.stored:
        place = place_of(memory, state)
        if place.stack is not None:
            state.store(place.stack, memory.size, value.loose)


def _move(one: Instruction, state: State) -> None:
    to, source = one.operands[0], one.operands[1]
    if isinstance(source, str):
        value = state.get(source)
    elif source is None and one.memory is not None:
        value = _load(one.memory, state)
    else:
        symbol = one.memory.symbol if one.memory else ""
        value = loaded_from(symbol) if symbol else NUMBER
    if isinstance(to, str):
        state.registers[to] = value
    elif one.memory is not None:
        place = place_of(one.memory, state)
        if place.stack is not None:
            state.store(place.stack, SLOT, value)


def _load(memory: Memory, state: State) -> Value:
    place = place_of(memory, state)
    if place.stack is not None and place.stack % SLOT == 0:
        return state.frame.get(place.stack, NUMBER)
    return loaded_from(LOADED)


def _push(one: Instruction, state: State) -> None:
    source = one.operands[0]
    value = state.get(source) if isinstance(source, str) else NUMBER
    top = state.get("rsp")
    if top.stack is None:
        return
    state.registers["rsp"] = on_stack(top.stack - SLOT)
    state.store(top.stack - SLOT, SLOT, value)


def _pop(one: Instruction, state: State) -> None:
    to = one.operands[0]
    _pop_into(to if isinstance(to, str) else "", state)


def _pop_into(register: str, state: State) -> None:
    top = state.get("rsp").stack
    if top is None:
        state.registers[register] = NUMBER
        return
    state.registers[register] = state.frame.get(top, NUMBER)
    state.registers["rsp"] = on_stack(top + SLOT)


def _aligns_stack(one: Instruction, state: State) -> None:
    """How far the stack pointer goes, is not known: a second frame far below the first one
    stands for the rest, and begins where every alignment is kept."""
    number = one.operands[1]
    if not isinstance(number, int) or number >= 0 or -number & (-number - 1):
        _write(one, state, _computed(one, state))
        return
    top = state.get("rsp").stack or 0
    state.registers["rsp"] = on_stack((top // _FAR - 1) * _FAR + SLOT)


def _moves_stack(one: Instruction, state: State) -> bool:
    to, number = one.operands[0], one.operands[1]
    if not isinstance(to, str) or not isinstance(number, int) or one.widths[0] != SLOT:
        return False
    base = state.get(to).stack
    if base is None:
        return False
    state.registers[to] = on_stack(base + (number if one.mnemonic == "add" else -number))
    return True
