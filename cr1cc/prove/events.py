"""What happens on a path, as far as others may notice it."""

from __future__ import annotations

from typing import NamedTuple

from cr1cc.prove.term import Term


class Touch(NamedTuple):
    """An access beyond the frame, after so many calls."""

    address: Term
    size: int
    writes: bool
    calls: int


class Fact(NamedTuple):
    """What must be true for a body to run as it does, after so many calls."""

    truth: Term
    calls: int


class Call(NamedTuple):
    """A call that leaves the body: whom (a name, or an address), with what in registers, on the
    stack and in memory. `tail`: a jump."""

    target: str | Term
    registers: tuple[Term, ...]
    stack: tuple[Term, ...]
    memory: Term
    tail: bool
