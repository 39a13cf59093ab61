"""What the flow analysis knows of registers and of the frame at one place of a function."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

SLOT = 8
RED_ZONE = 128  # bytes below the stack pointer that a function may use, System V ABI 3.2.2
FRAME = "its frame"
LOADED = "a pointer from memory"


class Value(NamedTuple):
    """`entry`: the register whose value at the beginning this is, "" for none; `stack`: the
    address as a distance from %rsp on entry, None for none; `sources`: what an address computed
    from it may point into, in words."""

    entry: str = ""
    stack: int | None = None
    sources: frozenset[str] = frozenset()

    @property
    def loose(self) -> Value:
        """What is left after a computation: what it may point into."""
        return Value(sources=self.sources)


NUMBER = Value()


def on_stack(offset: int) -> Value:
    """The address of a place in the frame, as a distance from %rsp on entry."""
    return Value(stack=offset, sources=frozenset((FRAME,)))


def loaded_from(name: str) -> Value:
    """A value that may be an address into what `name` says."""
    return Value(sources=frozenset((name,)))


def mixed(values: Iterable[Value]) -> Value:
    """What is computed from several values."""
    return Value(sources=frozenset().union(*(value.sources for value in values)))


def joined(one: Value, other: Value) -> Value:
    """What is known where two ways meet."""
    if one == other:
        return one
    return Value(
        one.entry if one.entry == other.entry else "",
        one.stack if one.stack == other.stack else None,
        one.sources | other.sources,
    )


class State:
    """Registers by name, and the slots of the frame that hold a value, by distance."""

    def __init__(self, registers: dict[str, Value], frame: dict[int, Value]) -> None:
        self.registers = registers
        self.frame = frame

    def copy(self) -> State:
        return State(dict(self.registers), dict(self.frame))

    def get(self, register: str) -> Value:
        return self.registers.get(register, NUMBER)

    def join(self, other: State) -> bool:
        """Take what both know. Says whether anything is lost by that."""
        names = {*self.registers, *other.registers}
        registers = {name: joined(self.get(name), other.get(name)) for name in names}
        frame = {
            slot: joined(value, other.frame[slot])
            for slot, value in self.frame.items()
            if slot in other.frame
        }
        before = {name: self.get(name) for name in names}
        changed = registers != before or frame != self.frame
        self.registers, self.frame = registers, frame
        return changed

    def store(self, offset: int, size: int, value: Value) -> None:
        """Put `size` bytes into the frame; only whole slots keep what is known."""
        if size == SLOT and offset % SLOT == 0:
            self.frame[offset] = value
            return
        for slot in range(offset - offset % SLOT, offset + size, SLOT):
            self.frame[slot] = value.loose

    def has(self, offset: int, size: int) -> bool:
        """Whether every slot of a place in the frame holds a value."""
        slots = range(offset - offset % SLOT, offset + max(size, 1), SLOT)
        return all(slot in self.frame for slot in slots)

    def drop_below(self, offset: int) -> None:
        """Forget what a call may write over."""
        self.frame = {slot: value for slot, value in self.frame.items() if slot >= offset}
