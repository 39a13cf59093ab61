"""The names of the normal form, and the way back from them to instructions.

`Names` says what each name stands for. A row of labels has none of its own, so `example_names`
makes some up: the same for equal rows, with registers and numbers of the kind that a name says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence

from cr1cc.errors import AsmError
from cr1cc.rewrite.instruction import Instruction, made, parsed
from cr1cc.rewrite.places import (
    ALL_REGISTERS,
    FLAGS,
    GENERAL,
    REGISTERS,
    flags,
    vector,
    whole,
)
from cr1cc.rewrite.stems import IMPLICIT, PLAIN
from cr1cc.rewrite.windows import statement_of

# Real text by name: registers with their percent sign in each width, numbers, symbols, labels.
Names = Mapping[str, str]

WIDTHS = {8: "", 4: "d", 2: "w", 1: "b"}  # of registers that have no name of their own
# What may have a slot, in the order in which example_names takes them.
_GENERAL = {
    "n": ("rcx", "rdx", "rbx", "rsi", "rdi", "rbp"),
    "x": ("r8", "r9", "r10", "r11", "r14", "r15", "r12", "r13"),
}
_VECTORS = {"v": 0, "w": 8}  # and the first register
# The first of the numbers that slots are given, which have no value that is of use, and the step.
_NUMBERS = {"N": (10007, 1009), "Q": (0x123456789ABCDEF, 0x1000000000000F1)}
UNNAMED = frozenset(("%rip", "%fs", "%gs"))
_TOKEN = re.compile(r"%\w+|(?<![\w@.])[NQSL]\d+\b")
# Other spellings of one instruction.
_CONDITIONS = {
    "nae": "b", "c": "b", "nc": "ae", "nb": "ae", "z": "e", "nz": "ne", "na": "be", "nbe": "a",
    "nge": "l", "nl": "ge", "ng": "le", "nle": "g",
}  # fmt: skip
_STEMS = {"sal": "shl"} | {
    kind + other: kind + one for kind in ("j", "set", "cmov") for other, one in _CONDITIONS.items()
}
# What stands in operands of real instructions: registers, symbols, variants, numbers.
REAL_TOKEN = re.compile(r"%\w+|[A-Za-z_.\x80-\U0010ffff][\w.$]*|@\w+|-?\d\w*")
_SLOT = re.compile(r"%?([nxvwNQSL])(\d+)([dwb]?)")
_SPELLED = {(one.number, one.width): name for name, one in REGISTERS.items() if not one.high}


def spellings(slot: str, number: int) -> dict[str, str]:
    """The names of a slot in all widths ("n0": %n0, %n0d, ...) for a general register; the slot
    of one that keeps its name is ""."""
    found = {}
    for width, letter in WIDTHS.items():
        real = "%" + _SPELLED[number, width]
        found[f"%{slot}{letter}" if slot else real] = real
    if not slot and number < 4:
        high = f"%{GENERAL[number][1]}h"
        found[high] = high
    return found


def restored(lines: Iterable[str], names: Names) -> tuple[Instruction, ...]:
    """The instructions that normalised lines stand for. Raises AsmError for a name without a
    meaning and for what is no known instruction."""
    found = []
    for line in lines:
        mnemonic, _, operands = line.partition(" ")
        text = f"{mnemonic}\t{_TOKEN.sub(_meaning(names), operands)}".strip()
        one = parsed(statement_of(text))
        if not one.stem:
            raise AsmError(f"not a known instruction: {line}")
        found.append(one)
    return tuple(found)


def _meaning(names: Names) -> Callable[[re.Match[str]], str]:
    def real(match: re.Match[str]) -> str:
        name = match.group()
        if name in names:
            return names[name]
        if name in UNNAMED:
            return name
        raise AsmError(f"nothing of the window is called {name}")

    return real


def named(window: Iterable[Instruction], names: Names) -> tuple[str, ...]:
    """The lines of instructions by names that are given. Raises AsmError for a register, symbol
    or opaque number without one."""
    slots = {real: name for name, real in names.items()}
    return tuple(_line(one, slots) for one in window)


def _line(one: Instruction, slots: Mapping[str, str]) -> str:
    def slot(match: re.Match[str]) -> str:
        text = match.group()
        if text in slots:
            return slots[text]
        if text.lstrip("-") in slots:
            return "-" + slots[text.lstrip("-")]
        if text in UNNAMED or text[0] == "@" or is_plain(text):
            return text
        raise AsmError(f"the window does not name {text}")

    text = spelled(one)
    mnemonic, _, operands = text.partition("\t")
    return f"{mnemonic} {REAL_TOKEN.sub(slot, operands)}".strip()


def spelled(one: Instruction) -> str:
    """The text of an instruction, the same for all spellings of it."""
    return made(_STEMS.get(one.stem, one.stem), one.width, one.operands).text


def is_plain(text: str) -> bool:
    """Whether this is a number that is written out. Raises AsmError for what is none."""
    try:
        value = int(text, 0)
    except ValueError:
        raise AsmError(f"{text} is no number") from None
    size = abs(value)
    return -128 <= value <= 255 or not size & (size - 1) or not size & (size + 1)


def compared(live: Iterable[str], names: Names) -> int:
    """The places that must be equal behind a window: what `live` names, and all registers that
    `names` does not. Raises AsmError for a name without a meaning."""
    found = ALL_REGISTERS
    for name in names.values():
        found &= ~_places(name)
    for name in live:
        if name in FLAGS:
            found |= flags(name)
        elif "%" + name in names:
            found |= _places(names["%" + name])
        else:
            raise AsmError(f"nothing of the window is called {name}")
    return found


def _places(text: str) -> int:
    """The places of a register, none for other text."""
    if text.startswith("%") and text[1:] in REGISTERS:
        return REGISTERS[text[1:]].read
    return vector(int(text[4:])) if text.startswith("%xmm") else 0


def example_names(lines: Sequence[str]) -> Names:
    """Meanings for all names of a window, made up by its lines alone: the same for equal lines.
    Raises AsmError for a name that is none of the normal form, and for more registers than there
    are."""
    names: dict[str, str] = {}
    kept = {number for line in lines for number in implicit(line.partition(" ")[0])}
    tokens = dict.fromkeys(token for line in lines for token in _TOKEN.findall(_operands(line)))
    kept |= {REGISTERS[token[1:]].number for token in tokens if token[1:] in REGISTERS}
    for number in kept:
        names |= spellings("", number)
    for token in tokens:
        if token not in names and token not in UNNAMED:
            names |= _example(token, kept)
    return names


def implicit(stem: str) -> Iterable[int]:
    """The numbers of the general registers that an instruction names implicitly, by its stem or
    its mnemonic."""
    row = IMPLICIT.get(stem) or PLAIN.get(stem) or PLAIN.get(stem[:-1])
    used = row.reads | row.kills if row else 0
    return [number for number in range(len(GENERAL)) if used & whole(number)]


def _operands(line: str) -> str:
    return line.partition(" ")[2]


def _example(token: str, kept: Container[int]) -> dict[str, str]:
    match = _SLOT.fullmatch(token)
    if match is None:
        raise AsmError(f"{token} is no name of the normal form")
    kind, number = match[1], int(match[2])
    if kind in _GENERAL:
        free = [one for one in _GENERAL[kind] if GENERAL.index(one) not in kept]
        if number >= len(free):
            raise AsmError(f"there is no register for {token}")
        return spellings(f"{kind}{number}", GENERAL.index(free[number]))
    if kind in _VECTORS:
        if number >= 8:
            raise AsmError(f"there is no register for {token}")
        return {token: f"%xmm{_VECTORS[kind] + number}"}
    start, step = _NUMBERS.get(kind, (0, 0))
    return {token: str(start + step * number) if start else token}
