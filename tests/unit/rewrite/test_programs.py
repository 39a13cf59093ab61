"""Whole programs do the same after all rules."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

pytest.importorskip("triton")
pytest.importorskip("z3")
pytest.importorskip("bitwuzla")

from cr1cc.asm.printer import print_unit
from cr1cc.asm.reader import read_unit
from cr1cc.rewrite.change import Objective, Report
from cr1cc.rewrite.engine import Rewriter
from tests.unit.asm.conftest import PROGRAMS, compiler_for, csmith, run
from tests.unit.rewrite.functions import rewriter

COMPILERS = (
    ("gcc", "-Os"),
    ("gcc", "-Oz"),
    ("gcc", "-O2"),
    ("clang-19", "-Oz"),
    ("clang-19", "-O2"),
)


@pytest.fixture(scope="module", name="rewriter")
def rewriter_that_remembers() -> Rewriter:
    return rewriter(Objective.SMALLEST)


def compiled(source: Path, compiler: str, options: list[str], folder: Path) -> str:
    program = compiler_for(source, compiler)
    if shutil.which(program) is None:
        pytest.skip(f"{program} is missing")
    only = ["-fno-integrated-as"] if "clang" in program else []
    out = run(program, *only, *options, "-w", "-S", source, "-o", folder / "unit.s")
    assert out.returncode == 0, out.stderr
    return (folder / "unit.s").read_text(encoding="utf-8", errors="surrogateescape")


def outcome(text: str, source: Path, folder: Path) -> tuple[str, int]:
    """What the program prints, and its exit status."""
    (folder / "unit.s").write_text(text, encoding="utf-8", errors="surrogateescape")
    linker = compiler_for(source, "gcc")
    out = run(linker, folder / "unit.s", "-o", folder / "program", "-pthread", "-lm")
    assert out.returncode == 0, out.stderr
    ran = run("timeout", "10", folder / "program", cwd=folder)
    return ran.stdout, ran.returncode


def check(rewriter: Rewriter, source: Path, text: str, folder: Path) -> Report:
    new, report = rewriter.rewrite(read_unit(text))
    check_same(text, print_unit(new), source, folder)
    return report


def check_same(text: str, new: str, source: Path, folder: Path) -> None:
    """That the programs of two texts print the same and end alike."""
    expected = outcome(text, source, folder)
    if expected[1] == 124:
        pytest.skip("the program does not end soon")
    assert outcome(new, source, folder) == expected


@pytest.mark.parametrize(("compiler", "level"), COMPILERS)
@pytest.mark.parametrize("source", PROGRAMS, ids=lambda path: path.name)
def test_a_program_does_the_same(
    source: Path, compiler: str, level: str, rewriter: Rewriter, tmp_path: Path
) -> None:
    check(rewriter, source, compiled(source, compiler, [level], tmp_path), tmp_path)


def test_a_program_gets_smaller(rewriter: Rewriter, tmp_path: Path) -> None:
    source = next(one for one in PROGRAMS if one.name == "strings.c")
    report = check(rewriter, source, compiled(source, "gcc", ["-Os"], tmp_path), tmp_path)
    assert sum(one.saved for one in report.changes) > 0


@pytest.mark.long
@pytest.mark.parametrize(("compiler", "level"), COMPILERS)
@pytest.mark.parametrize("seed", range(40))
def test_random_programs_do_the_same(
    seed: int, compiler: str, level: str, rewriter: Rewriter, tmp_path: Path
) -> None:
    source = csmith(seed, tmp_path)
    text = compiled(source, compiler, [level, "-I/usr/include/csmith"], tmp_path)
    check(rewriter, source, text, tmp_path)
