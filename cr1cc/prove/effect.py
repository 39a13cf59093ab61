"""What an instruction does, as terms over the registers before it."""

from __future__ import annotations

from dataclasses import dataclass, field

from cr1cc.prove import term as t
from cr1cc.prove.instructions import FLAGS
from cr1cc.prove.term import Term

GENERAL = (
    "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp",
    "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
)  # fmt: skip
VECTORS = tuple(f"xmm{number}" for number in range(16))
SEGMENTS = ("fs", "gs")


@dataclass(frozen=True)
class Access:
    """A load or store of `size` bytes. `value`: what is stored. `aligned`: to that many."""

    address: Term
    size: int
    value: Term | None = None
    aligned: int = 1


@dataclass(frozen=True)
class Effect:
    """An instruction over variables with the names of registers; "load 0", … is what the loads
    give, in order, and "place" the address that its relocation refers to.

    `taken`: of a conditional jump the truth that it jumps, and `jump` where, in bytes from its
    own beginning; None: to its relocation's place. `kind`: "plain", "jump", "call", "ret" and,
    through a register, "indirect jump" and "indirect call". `fault`: a division's.
    """

    mnemonic: str
    size: int
    kind: str = "plain"
    registers: dict[str, Term] = field(default_factory=dict)
    undefined: tuple[str, ...] = ()
    loads: tuple[Access, ...] = ()
    stores: tuple[Access, ...] = ()
    taken: Term | None = None
    jump: int | None = None
    fault: Term | None = None
    isa: str = ""


def register(name: str) -> Term:
    return t.var(name, 1 if name in FLAGS else 128 if name in VECTORS else 64)
