"""Malformed text gives AsmError and no other exception."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest

from cr1cc.asm.printer import print_unit
from cr1cc.asm.reader import read_unit
from cr1cc.asm.splice import splice
from cr1cc.asm.statement import Machine
from cr1cc.errors import AsmError
from tests.unit.asm.conftest import PROGRAMS, Assembly

PIECES = ("\n", ";", '"', "'", "\\", "#", "/*", "*/", "//", ".", "@", ",", ":", "=", "(", "{",
          ".section", ".previous", ".popsection", ".type", ".size", ".set", ".comm", ".cfi_lsda",
          "\0", "\x80", "\udc80", "\U0001f600", "1f", "-", ".L1", "%", " ")  # fmt: skip


def damaged(text: str, generator: random.Random) -> str:
    """A text with a few places cut, doubled or written over."""
    for _ in range(generator.randint(1, 6)):
        at = generator.randrange(len(text) + 1)
        end = min(len(text), at + generator.choice((0, 1, 5, 200)))
        middle = generator.choice(("", text[at:end] * 2, generator.choice(PIECES)))
        text = text[:at] + middle + text[end:]
    return text if generator.random() < 0.8 else text[: generator.randrange(len(text) + 1)]


@pytest.mark.parametrize("compiler", ["gcc", "clang-19"])
def test_damaged_text_is_read_or_refused(compiler: str, assembly: Assembly) -> None:
    generator = random.Random(compiler)
    for source in PROGRAMS[:2]:
        text = assembly(source, compiler, "-O2")
        for _ in range(6):
            with suppress(AsmError):
                print_unit(read_unit(damaged(text, generator)))


@pytest.mark.parametrize("compiler", ["gcc", "clang-19"])
def test_damaged_units_are_spliced_or_refused(compiler: str, assembly: Assembly) -> None:
    generator = random.Random(compiler)
    text = assembly(PROGRAMS[0], compiler, "-O2")
    base = read_unit(text)
    for _ in range(4):
        with suppress(AsmError):
            other = read_unit(damaged(text, generator))
            for one, donor in ((base, other), (other, base)):
                with suppress(AsmError):
                    splice(one, {"d": donor}, {"choose": "d", "interpret": "d"})


@pytest.mark.parametrize("machine", Machine)
def test_garbage_is_read_or_refused(machine: Machine) -> None:
    generator = random.Random(4)
    for _ in range(200):
        letters = [chr(generator.randrange(256)) for _ in range(generator.randrange(80))]
        words = [generator.choice(PIECES) for _ in range(generator.randrange(40))]
        for text in ("".join(letters), "".join(words), "\t".join(words)):
            with suppress(AsmError):
                read_unit(text, machine)


ENORMOUS = ('"' * 100_000, "'" * 99_999, "(" * 100_000, "a:" * 10_000, "\\" * 100_000,
            ";" * 100_000, ".byte " + "1," * 100_000)  # fmt: skip


@pytest.mark.parametrize("text", ENORMOUS, ids=lambda text: text[-2:])
def test_enormous_lines_take_no_enormous_time(text: str) -> None:
    with suppress(AsmError):
        read_unit(text)
