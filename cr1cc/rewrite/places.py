"""What instructions read and write, as sets of places: parts of registers, and flags.

A set is an integer with a bit for each place. A general register has four parts, bits 0-7,
8-15, 16-31 and 32-63, because instructions write no other ones; a vector register is one place.
"""

from __future__ import annotations

from typing import NamedTuple

FLAGS = ("cf", "pf", "af", "zf", "sf", "of")
GENERAL = (
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
    "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
)  # fmt: skip
PARTS = 4
_SHARE = {1: 0b0001, 2: 0b0011, 4: 0b0111, 8: 0b1111}  # parts of an operand, by its bytes
_HIGH = 0b0010
_FIRST_VECTOR = PARTS * len(GENERAL)
_FIRST_FLAG = _FIRST_VECTOR + 32
PART_BITS = ((0, 7), (8, 15), (16, 31), (32, 63))


class Register(NamedTuple):
    """An operand in a general register: its number in `GENERAL`, its width in bytes."""

    number: int
    width: int
    high: bool = False  # %ah, %bh, %ch, %dh

    def __str__(self) -> str:
        return "%" + _SPELLED[self]

    @property
    def read(self) -> int:
        """The places that it stands for."""
        return (_HIGH if self.high else _SHARE[self.width]) << PARTS * self.number

    @property
    def written(self) -> int:
        """The places that a write to it gives a new value: 32 bits clear those above."""
        return whole(self.number) if self.width == 4 else self.read


def _spellings() -> dict[str, Register]:
    found = {}
    for number, name in enumerate(GENERAL):
        stem = name[1:]
        if number >= 8:
            names = (name, name + "d", name + "w", name + "b")
        elif stem.endswith("x"):
            names = (name, "e" + stem, stem, stem[0] + "l")
            found[stem[0] + "h"] = Register(number, 1, high=True)
        else:
            names = (name, "e" + stem, stem, stem + "l")
        found |= {one: Register(number, w) for one, w in zip(names, (8, 4, 2, 1), strict=True)}
    return found


REGISTERS = _spellings()
_SPELLED = {register: name for name, register in REGISTERS.items()}


def whole(number: int) -> int:
    """All parts of a general register."""
    return 0b1111 << PARTS * number


def vector(number: int) -> int:
    return 1 << _FIRST_VECTOR + number


def flags(*names: str) -> int:
    return sum(1 << _FIRST_FLAG + FLAGS.index(name) for name in names)


ALL_FLAGS = flags(*FLAGS)
ALL_GENERAL = (1 << _FIRST_VECTOR) - 1
ALL_REGISTERS = (1 << _FIRST_FLAG) - 1
EVERYTHING = ALL_FLAGS | ALL_REGISTERS


def described(places: int) -> dict[str, tuple[tuple[int, int], ...]]:
    """A set as ranges of bits, first and last, by register or flag."""
    found: dict[str, tuple[tuple[int, int], ...]] = {}
    for number, name in enumerate(GENERAL):
        share = places >> PARTS * number & 0b1111
        if share == 0b1111:
            found[name] = ((0, 63),)
        elif share:
            found[name] = tuple(one for part, one in enumerate(PART_BITS) if share >> part & 1)
    for number in range(16):
        if places & vector(number):
            found[f"xmm{number}"] = ((0, 127),)
    return found | {name: ((0, 0),) for name in FLAGS if places & flags(name)}
