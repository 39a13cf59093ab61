"""Which windows are worth looking at by themselves.

What can be made of a window whose first or last instruction has nothing to do with the rest can be
made of the smaller window as well. Windows that move the stack pointer are prologues.
"""

from __future__ import annotations

from collections.abc import Sequence

from cr1cc.prove.instructions import INSTRUCTIONS
from cr1cc.rewrite.effects import effects
from cr1cc.rewrite.instruction import Instruction
from cr1cc.rewrite.places import ALL_GENERAL, EVERYTHING, Register, flags, whole

_STACK = whole(4)
_VECTOR_WIDTH = 16
_UNUSED = flags("af")
_ONLY_WRITES = frozenset(("mov", "movabs", "lea"))


def is_worth(window: Sequence[Instruction]) -> bool:
    """Whether a window may become something that no smaller one may."""
    touched = [_touched(one) for one in window]
    if any(moves_stack(one) or not _is_modelled(one) for one in window):
        return False
    if len(window) == 1:
        return True
    return _joined(touched[0], touched[1:]) and _joined(touched[-1], touched[:-1])


def moves_stack(one: Instruction) -> bool:
    """Whether an instruction gives the stack pointer a value."""
    if effects(one).kills & _STACK:
        return True
    last = one.operands[-1] if one.operands else None
    writes = isinstance(last, Register) and last.number == 4 and one.stem not in ("cmp", "test")
    return writes or one.stem in ("push", "pop")


def _is_modelled(one: Instruction) -> bool:
    return one.width != _VECTOR_WIDTH or one.stem in INSTRUCTIONS


def _touched(one: Instruction) -> tuple[int, int]:
    """Places that an instruction reads, and that it writes."""
    found = effects(one)
    return found.reads, found.kills | _written(one)


def _written(one: Instruction) -> int:
    last = one.operands[-1] if one.operands else None
    if isinstance(last, Register) and one.stem not in ("cmp", "test", "bt"):
        return last.written
    return 0


def _joined(one: tuple[int, int], others: Sequence[tuple[int, int]]) -> bool:
    """Whether an instruction gives another one something, takes something from it, or writes
    over what it wrote; flags that are only written over do not count."""
    reads, writes = one
    for more_reads, more_writes in others:
        passed = reads & more_writes | writes & more_reads
        if (passed & EVERYTHING & ~_UNUSED & ~_STACK) or writes & more_writes & ALL_GENERAL:
            return True
    return False
