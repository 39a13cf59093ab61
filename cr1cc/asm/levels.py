"""The levels of x86-64 beyond the first one, and code that asks the processor for them.

The levels are those of the psABI of x86-64, "Processor Architecture"; a bit per feature, as
`cpuid` numbers them. What saves the wider registers is the operating system's: `xgetbv` tells.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Bits(NamedTuple):
    """Bits of a register that a leaf of `cpuid` must show."""

    leaf: int
    register: str
    bits: tuple[int, ...]

    @property
    def mask(self) -> int:
        return sum(1 << bit for bit in self.bits)


class Level(NamedTuple):
    """What a level asks for. `state` are bits of XCR0."""

    features: tuple[Bits, ...]
    state: int = 0


_V2 = (
    # SSE3, SSSE3, CMPXCHG16B, SSE4.1, SSE4.2, POPCNT
    Bits(1, "ecx", (0, 9, 13, 19, 20, 23)),
    Bits(0x80000001, "ecx", (0,)),  # LAHF and SAHF
)
_V3 = (
    Bits(1, "ecx", (0, 9, 12, 13, 19, 20, 22, 23, 27, 28, 29)),  # FMA, MOVBE, OSXSAVE, AVX, F16C
    Bits(7, "ebx", (3, 5, 8)),  # BMI1, AVX2, BMI2
    Bits(0x80000001, "ecx", (0, 5)),  # LZCNT
)
_V4 = (
    *_V3,
    Bits(7, "ebx", (16, 17, 28, 30, 31)),  # AVX512 F, DQ, CD, BW, VL
)

# In rising order.
LEVELS: dict[str, Level] = {
    "x86-64-v2": Level(_V2),
    "x86-64-v3": Level(_V3, 0x6),  # XMM, YMM
    "x86-64-v4": Level(_V4, 0xE6),  # and the mask registers and both parts of ZMM
}

_EXTENDED = 0x80000000  # the leaf that says which is the last of those from here on


def detector(name: str, level: str) -> Iterator[str]:
    """Lines of a function that gives 1 in %eax where the processor has a level, else 0.

    It may run before relocation is done: it calls nothing and refers to no symbol. It leaves
    %rdi, %rsi and what callers rely on as it was.
    """
    wanted = LEVELS[level]
    no, out = f".L{name}.no", f".L{name}.out"
    yield from (f"\t.type\t{name}, @function", f"{name}:", "\tmovq\t%rbx, %r8")
    for first in (0, _EXTENDED):
        last = max(one.leaf for one in wanted.features if (one.leaf >= _EXTENDED) == bool(first))
        yield from (f"\tmovl\t${first}, %eax", "\tcpuid", f"\tcmpl\t${last}, %eax", f"\tjb\t{no}")
    for one in wanted.features:
        yield from (f"\tmovl\t${one.leaf}, %eax", "\txorl\t%ecx, %ecx", "\tcpuid")
        yield from _has(one.register, one.mask, no)
    if wanted.state:
        yield from ("\txorl\t%ecx, %ecx", "\txgetbv")
        yield from _has("eax", wanted.state, no)
    yield from ("\tmovl\t$1, %eax", f"\tjmp\t{out}", f"{no}:", "\txorl\t%eax, %eax")
    yield from (f"{out}:", "\tmovq\t%r8, %rbx", "\tret", f"\t.size\t{name}, .-{name}")


def _has(register: str, mask: int, otherwise: str) -> Iterator[str]:
    yield from (f"\tandl\t${mask}, %{register}", f"\tcmpl\t${mask}, %{register}")
    yield f"\tjne\t{otherwise}"
