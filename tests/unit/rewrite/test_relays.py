"""Jumps by way of others: shorter where one is near, and programs do the same."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cr1cc.asm.graph import Graph
from cr1cc.asm.printer import print_unit
from cr1cc.asm.reader import read_unit
from cr1cc.asm.statement import Machine
from cr1cc.asm.unit import Unit
from cr1cc.gate.body import assembled
from cr1cc.rewrite.relays import Relayed, relayed
from cr1cc.util.elf import ObjectFile
from tests.unit.asm.conftest import PROGRAMS, csmith
from tests.unit.rewrite.functions import text_of
from tests.unit.rewrite.test_programs import COMPILERS, check_same, compiled

FAR = "movabsq $77777777777, %rax; " * 20  # 200 bytes
NEAR = "movl $7, %eax; "


def assemble(text: bytes) -> bytes:
    return assembled(text.decode("utf-8", "surrogateescape"), os.environ)


def by_ways(text: str) -> tuple[str, list[Relayed]]:
    unit = read_unit(text)
    unit, found = relayed(unit, Graph(unit).functions, assemble)
    return print_unit(unit), found


def size(text: str) -> int:
    return ObjectFile(assemble(text.encode())).function_sizes()["f"]


CHAINED = {
    "a condition": f"je .L1; {NEAR}jmp .L1; {FAR}.L1:; ret",
    "a condition behind": f"jmp .L1; {NEAR}je .L1; {FAR}.L1:; ret",
    "a jump, forward": f"jne .L2; jmp .L1; .L2:; {NEAR}jmp .L1; {FAR}.L1:; ret",
    "a jump, backward": f".L1:; {FAR}jne .L2; jmp .L1; .L2:; {NEAR}jne .L3; jmp .L1; .L3:; ret",
    "several, one by way of the other":
        f"je .L1; {NEAR * 15}jne .L2; jmp .L1; .L2:; {NEAR * 15}jne .L3; jmp .L1; .L3:; "
        f"{NEAR * 15}jne .L4; jmp .L1; .L4:; {FAR}.L1:; ret",
}  # fmt: skip


@pytest.mark.parametrize("body", CHAINED.values(), ids=CHAINED)
def test_a_far_jump_goes_by_way_of_a_near_one(body: str) -> None:
    text = text_of(body)
    new, (one,) = by_ways(text)
    assert one.function == "f"
    assert one.saved == size(text) - size(new) > 0
    assert _ends(new) == _ends(text)


def _ends(text: str) -> list[str]:
    """The target of each jump in the end, in the order of the text."""
    lines = [line.strip() for line in text.splitlines()]
    relays = {
        one.removesuffix(":"): lines[number + 1].split()[1]
        for number, one in enumerate(lines)
        if one.startswith(".LCR1R")
    }
    found = []
    for line in lines:
        if line.startswith("j"):
            target = line.split()[1]
            while target in relays:
                target = relays[target]
            found.append(target)
    return found


KEPT = {
    "what is near already": f"je .L1; {NEAR}jmp .L1; {NEAR}.L1:; ret",
    "where all others are far": f"je .L1; {FAR}jmp .L1; {FAR}.L1:; ret",
    "where the near one has a condition": f"je .L1; {NEAR}jne .L1; {FAR}.L1:; ret",
    "where the near one goes elsewhere": f"je .L1; {NEAR}jmp .L2; {FAR}.L2:; {FAR}.L1:; ret",
    "the nearest of those without a condition": f"jne .L2; jmp .L1; .L2:; {FAR}.L1:; ret",
    "jumps to another function": f"je g; {NEAR}jmp g",
    "computed jumps": f"jmp *%rax; {NEAR}jmp *%rax; {FAR}",
}


@pytest.mark.parametrize("body", KEPT.values(), ids=KEPT)
def test_other_jumps_stay(body: str) -> None:
    text = text_of(body)
    assert by_ways(text) == (print_unit(read_unit(text)), [])


def test_parts_in_other_sections_are_not_near() -> None:
    cold = "\t.section .text.unlikely\nf.cold:\n\tje .L1\n\tjmp .L1\n\t.text\n"
    text = text_of(f"je f.cold; {FAR}.L1:; ret") + cold
    new, _ = by_ways(text)
    assert _ends(new) == _ends(text)


def test_text_that_has_such_names_or_is_for_another_machine_stays() -> None:
    text = text_of(CHAINED["a condition"])
    once, _ = by_ways(text)
    assert by_ways(once)[1] == []
    unit = read_unit(text)
    other = Unit(Machine.AARCH64, unit.pieces, unit.atoms, unit.symbols, has_debug=False)
    assert relayed(other, Graph(other).functions, assemble) == (other, [])


@pytest.mark.parametrize(("compiler", "level"), COMPILERS)
@pytest.mark.parametrize("source", PROGRAMS, ids=lambda path: path.name)
def test_a_program_does_the_same(source: Path, compiler: str, level: str, tmp_path: Path) -> None:
    text = compiled(source, compiler, [level], tmp_path)
    new, found = by_ways(text)
    check_same(text, new, source, tmp_path)
    assert found or new == print_unit(read_unit(text))


@pytest.mark.long
@pytest.mark.parametrize(("compiler", "level"), COMPILERS)
@pytest.mark.parametrize("seed", range(40))
def test_random_programs_do_the_same(seed: int, compiler: str, level: str, tmp_path: Path) -> None:
    source = csmith(seed, tmp_path)
    text = compiled(source, compiler, [level, "-I/usr/include/csmith"], tmp_path)
    new, found = by_ways(text)
    check_same(text, new, source, tmp_path)
    assert found or new == print_unit(read_unit(text))
