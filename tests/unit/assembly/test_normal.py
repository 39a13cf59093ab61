"""Windows and their normal form: what is equal in it, and that the way back is exact."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from cr1cc.asm.printer import print_unit
from cr1cc.asm.reader import read_unit
from cr1cc.asm.statement import Statement
from cr1cc.asm.unit import Piece, Unit
from cr1cc.assembly.cut import Cut, windows_of
from cr1cc.assembly.names import compared, example_names, named, restored
from cr1cc.assembly.normal import Normal, normalised
from cr1cc.errors import AsmError
from cr1cc.prove.code import unit_of
from cr1cc.rewrite.instruction import Instruction, parsed
from cr1cc.rewrite.places import REGISTERS, flags
from cr1cc.rewrite.windows import statement_of
from cr1cc.util.elf import ObjectFile
from tests.unit.asm.conftest import PROGRAMS, run

COMPILERS = (("gcc", "-O3"), ("gcc", "-Os"), ("clang-19", "-Oz"), ("clang-19", "-O3"))
C_PROGRAMS = [path for path in PROGRAMS if path.suffix == ".c"]
DATA, STRINGS = (
    next(path for path in C_PROGRAMS if path.stem == name) for name in ("data", "strings")
)


def instructions(text: str) -> list[Instruction]:
    """Instructions that are divided by semicolons."""
    lines = [one.strip() for one in text.split(";")]
    return [parsed(statement_of("\t".join(one.split(None, 1)))) for one in lines]


def normal(text: str, *live: str) -> Normal:
    places = 0
    for name in live:
        places |= REGISTERS[name].read if name in REGISTERS else flags(name)
    found = normalised(instructions(text), places)
    assert found is not None, text
    return found


def compiled(source: Path, compiler: str, level: str, folder: Path) -> Unit:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is missing")
    out = run(compiler, level, "-w", "-S", source, "-o", folder / "unit.s")
    assert out.returncode == 0, out.stderr
    return read_unit((folder / "unit.s").read_text())


def apart(cuts: Iterable[Cut]) -> list[Cut]:
    """The longest windows from the left that do not overlap."""
    best = {cut.lines[0].at: cut for cut in cuts}  # longer ones of one start come later
    taken: set[tuple[int, int]] = set()
    found = []
    for cut in best.values():
        places = {line.at for line in cut.lines}
        if not places & taken:
            taken |= places
            found.append(cut)
    return found


def put_back(unit: Unit, cuts: Iterable[Cut]) -> Unit:
    """The unit with what becomes of windows on the way to the normal form and back."""
    change: dict[tuple[int, int], Statement] = {}
    for cut in cuts:
        back = restored(cut.normal.lines, cut.normal.names)
        for line, one in zip(cut.lines, back, strict=True):
            change[line.at] = statement_of(one.text)
    pieces = [
        Piece(piece.section, piece.atom, tuple(
            change.get((index, number), statement)
            for number, statement in enumerate(piece.statements)
        ))
        for index, piece in enumerate(unit.pieces)
    ]  # fmt: skip
    return Unit(unit.machine, tuple(pieces), unit.atoms, unit.symbols, unit.has_debug)


def code(text: str) -> list[bytes]:
    data = unit_of("text", text, os.environ).data
    sections = (one for one in ObjectFile(data).sections if one.kind == "code")
    return [data[one.offset : one.offset + one.size] for one in sections]


@pytest.mark.parametrize(("compiler", "level"), COMPILERS)
@pytest.mark.parametrize("program", C_PROGRAMS, ids=lambda path: path.stem)
def test_what_is_put_back_assembles_to_the_same_bytes(
    program: Path, compiler: str, level: str, tmp_path: Path
) -> None:
    unit = compiled(program, compiler, level, tmp_path)
    cuts = apart(windows_of(unit))
    assert len(cuts) > 20
    assert code(print_unit(put_back(unit, cuts))) == code(print_unit(unit))


@pytest.mark.parametrize(("compiler", "level"), COMPILERS)
def test_what_must_be_equal_is_never_less_on_the_way_back(
    compiler: str, level: str, tmp_path: Path
) -> None:
    for cut in windows_of(compiled(DATA, compiler, level, tmp_path)):
        assert not cut.places & ~compared(cut.normal.live, cut.normal.names)


@pytest.mark.parametrize(("compiler", "level"), COMPILERS)
def test_every_window_is_an_example_of_itself(compiler: str, level: str, tmp_path: Path) -> None:
    found = {cut.normal for cut in map(hashable, windows_of(
        compiled(STRINGS, compiler, level, tmp_path)
    ))}  # fmt: skip
    for lines, live, _ in found:
        names = example_names(lines)
        again = normalised(restored(lines, names), compared(live, names))
        assert again is not None
        assert again.lines == lines
        assert set(again.live) == set(live)


def hashable(cut: Cut) -> Cut:
    return cut._replace(normal=cut.normal._replace(names=frozenset(cut.normal.names)))  # type: ignore[arg-type]


def test_windows_that_differ_only_in_names_are_equal() -> None:
    one = normal("movl 8(%rsp), %ecx; addl %esi, %ecx; cmpl $1000, x(%rip); je .L3", "ecx", "zf")
    other = normal("movl 8(%rsp), %edi; addl %edx, %edi; cmpl $3333, y(%rip); je .L9", "edi", "zf")
    assert one[:2] == other[:2]
    assert one.lines == (
        "movl 8(%rsp), %n0d", "addl %n1d, %n0d", "cmpl $N0, S0(%rip)", "je L0",
    )  # fmt: skip
    assert one.live == ("n0d", "zf")


@pytest.mark.parametrize(("one", "other"), [
    ("movl %ecx, %esi", "movl %eax, %esi"),
    ("movl %ecx, %esi", "movl %r9d, %esi"),
    ("movl %ecx, %esi", "movl %ecx, %ecx"),
    ("movl $255, %esi", "movl $65535, %esi"),
    ("movl $1000, %esi", "movl $-1000, %esi"),
    ("movabsq $1000, %rsi", "movabsq $10000000000, %rsi"),
    ("shll %cl, %esi", "shll $1, %esi"),
    ("pxor %xmm1, %xmm2", "pxor %xmm1, %xmm9"),
    ("movl x(%rip), %esi; movl x(%rip), %edi", "movl x(%rip), %esi; movl y(%rip), %edi"),
    ("movq x@GOTPCREL(%rip), %rsi", "movq x(%rip), %rsi"),
])  # fmt: skip
def test_windows_that_differ_in_more_than_names_do_not_become_equal(one: str, other: str) -> None:
    assert normal(one).lines != normal(other).lines


def test_registers_that_instructions_name_implicitly_keep_their_names() -> None:
    assert normal("shll %cl, %edx; movl %ecx, %esi").lines == (
        "shll %cl, %n0d", "movl %ecx, %n1d",
    )  # fmt: skip
    assert normal("cltd; xorl %edx, %eax; subl %ecx, %eax").lines == (
        "cltd", "xorl %edx, %eax", "subl %n0d, %eax",
    )  # fmt: skip
    assert normal("movb %dh, %cl").lines == ("movb %dh, %n0b",)


def test_other_spellings_of_an_instruction_become_the_same() -> None:
    text = "sall $3, %eax; cmpl %eax, %ecx; cmovnae %ecx, %eax; jz .L1"
    same = "shll $3, %eax; cmpl %eax, %ecx; cmovbl %ecx, %eax; je .L1"
    assert normal(text) == normal(same)
    names = normal(same).names
    assert named(instructions(text), names) == normal(same).lines


def test_of_a_register_the_part_that_is_live_is_named() -> None:
    live = {name: normal("movq %rcx, %rax", name).live for name in ("rax", "eax", "ax", "al", "ah")}
    assert live == {
        "rax": ("rax",), "eax": ("eax",), "ax": ("ax",), "al": ("al",), "ah": ("ax",),
    }  # fmt: skip
    assert normal("movq %rcx, %rax", "ecx", "cf").live == ("n0d", "cf")


@pytest.mark.parametrize("text", [
    "call f", "ret", "jmp .L1", "je .L1; movl %eax, %ecx", "cpuid", "mull %ecx", "jmp *%rax",
    "je 1f", 'movl "a b"(%rip), %eax', "movl %eax, %ecx; " * 6 + "nop", "lock addl $1, (%rdi)",
])  # fmt: skip
def test_some_have_no_normal_form(text: str) -> None:
    assert normalised(instructions(text), 0) is None


@pytest.mark.parametrize("line", [
    "movl %n1d, %n0d", "movl %edx, %n0d", "movl $N7, %n0d", "frobnicate %n0d", "movl S0, %n0d",
])  # fmt: skip
def test_a_name_that_the_window_does_not_have_cannot_be_put_back(line: str) -> None:
    names = normal("movl %ecx, %eax").names
    with pytest.raises(AsmError):
        restored([line], names)


def test_more_registers_than_there_are_have_no_example() -> None:
    with pytest.raises(AsmError):
        example_names(["shll %cl, %n5d"])
