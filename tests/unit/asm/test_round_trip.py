"""What is read and printed assembles to the same bytes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cr1cc.asm.printer import print_unit
from cr1cc.asm.reader import read_unit
from cr1cc.asm.statement import Machine
from tests.unit.asm.conftest import PROGRAMS, Assemble, Assembly, csmith, run

SOME_OPTIONS = ("-O0 -g", "-O2 -fPIC -fcf-protection -ffunction-sections", "-O3 -fno-pie -fcommon")
ALL_OPTIONS = (
    "-O0", "-O1", "-O2", "-O3", "-Os", "-O2 -fPIC", "-O2 -fPIC -fno-plt", "-O2 -fcf-protection",
    "-O2 -ffunction-sections -fdata-sections", "-O2 -g", "-O0 -g", "-O2 -g -gdwarf-4",
    "-O2 -fcommon", "-O2 -fno-pie -no-pie", "-O3 -funroll-loops -mavx2 -mfma", "-O2 -pg",
    "-O2 -fno-asynchronous-unwind-tables", "-O2 -mcmodel=large -fno-pie", "-O2 -mcmodel=medium",
    "-O2 -fstack-protector-strong", "-O2 -g -ffunction-sections", "-Os -fomit-frame-pointer",
    "-O2 -fvisibility=hidden", "-O3 -mavx512f -mavx512vl",
)  # fmt: skip


def check(text: str, assemble: Assemble, machine: Machine = Machine.X86_64) -> None:
    printed = print_unit(read_unit(text, machine))
    assert assemble(printed, machine) == assemble(text, machine)


@pytest.mark.parametrize("source", PROGRAMS, ids=lambda path: path.name)
@pytest.mark.parametrize("options", SOME_OPTIONS)
@pytest.mark.parametrize("compiler", ["gcc", "clang-19"])
def test_a_printed_unit_assembles_to_the_same_bytes(
    source: Path, compiler: str, options: str, assembly: Assembly, assemble: Assemble
) -> None:
    check(assembly(source, compiler, options), assemble)


@pytest.mark.long
@pytest.mark.parametrize("source", PROGRAMS, ids=lambda path: path.name)
@pytest.mark.parametrize("options", ALL_OPTIONS)
@pytest.mark.parametrize("compiler", ["gcc", "gcc-11", "clang-14", "clang-16", "clang-19"])
def test_it_does_with_many_compilers_and_options(
    source: Path, compiler: str, options: str, assembly: Assembly, assemble: Assemble
) -> None:
    check(assembly(source, compiler, options), assemble)


@pytest.mark.parametrize("options", ["-O0", "-O2", "-O3 -fPIC -g", "-Os"])
@pytest.mark.parametrize("name", ["control.c", "data.c", "strings.c", "objects.cpp"])
def test_aarch64_is_read_and_printed(
    name: str, options: str, assembly: Assembly, assemble: Assemble
) -> None:
    source = Path(__file__).parent / "programs" / name
    text = assembly(source, "aarch64-linux-gnu-gcc", options)
    check(text, assemble, Machine.AARCH64)


@pytest.mark.parametrize("seed", range(3))
def test_random_programs_come_back(
    seed: int, assembly: Assembly, assemble: Assemble, tmp_path: Path
) -> None:
    source = csmith(seed, tmp_path)
    for compiler, options in (("gcc", "-O3"), ("clang-19", "-O2")):
        check(assembly(source, compiler, "-I/usr/include/csmith " + options), assemble)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 140))
def test_many_random_programs_come_back(
    seed: int, assembly: Assembly, assemble: Assemble, tmp_path: Path
) -> None:
    source = csmith(seed, tmp_path)
    for compiler in ("gcc", "clang-19"):
        for options in ("-O0", "-O2 -fPIC", "-O3 -g", "-Os"):
            check(assembly(source, compiler, "-I/usr/include/csmith " + options), assemble)


def test_what_only_clang_itself_assembles_comes_back(assembly: Assembly, tmp_path: Path) -> None:
    if shutil.which("clang-19") is None:
        pytest.skip("clang-19 is missing")
    objects = []
    for source in PROGRAMS:
        out = run("clang-19", "-O2", "-w", "-S", source, "-o", "-")
        assert ".addrsig" in out.stdout
        for text in (out.stdout, print_unit(read_unit(out.stdout))):
            path = tmp_path / "text.s"
            path.write_text(text)
            made = run("clang-19", "-c", path, "-o", tmp_path / "text.o")
            assert made.returncode == 0, made.stderr
            objects.append((tmp_path / "text.o").read_bytes())
    assert objects[::2] == objects[1::2]
