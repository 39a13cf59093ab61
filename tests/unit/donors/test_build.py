"""Donor builds by the real gcc: the same object by the same options, no words, no traces."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from cr1cc.donors.build import RealGcc, donor_command
from cr1cc.donors.table import APART, GCC, Donor
from cr1cc.driver.argv import parse
from cr1cc.driver.gcc import GCC as DIALECT
from cr1cc.errors import EvaluationError
from cr1cc.records import Plan
from cr1cc.toolchain.describe_gcc import describe_gcc
from tests.e2e.gcc_forms import GCC_FILES

SAME = Donor(GCC, "-Os", (), "the user's own options")


@pytest.fixture
def gcc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    found = shutil.which("gcc")
    if found is None:
        pytest.skip("gcc is missing")
    monkeypatch.chdir(tmp_path)
    for name, text in GCC_FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return found


def real(gcc: str, words: str) -> RealGcc:
    plan = parse(words.split(), cxx=False, cwd=os.getcwd(), dialect=DIALECT)
    assert isinstance(plan, Plan), plan
    return RealGcc(plan, describe_gcc(gcc, cache_dir="cache"), os.environ)


@pytest.mark.parametrize(
    "words",
    ["plain.c", "linkage.c", "place.c", "pragmas.c", "nested.c", "optimize.c", "inline_asm.c",
     "dir/plain.c -fPIC", "lines.i", "plain.c -fno-inline -ffunction-sections", "throws.cc"],
)  # fmt: skip
def test_the_same_options_make_the_same_object_of_the_text(gcc: str, words: str) -> None:
    compiler = real(gcc, f"-Os {' '.join(APART[GCC])} -c {words} -o x.o")
    text, silent = compiler.text()
    made = compiler.build(SAME, text)
    assert compiler.original() == (0, True)
    assert silent
    assert made.assembly
    assert Path("x.o").read_bytes() == made.data
    assert not list(Path().glob("*.tmp"))


def test_the_options_of_the_user_come_last(gcc: str) -> None:
    compiler = real(gcc, "-Os -fno-tree-ter -std=c99 -DX -Wall -c plain.c")
    donor = Donor(GCC, "-Oz", ("-ftree-ter",), "a test")
    command = donor_command(compiler.plan, compiler.toolchain, donor)
    assert command[:4] == ["-Oz", "-ftree-ter", "-fno-tree-ter", "-std=c99"]
    assert "-DX" not in command
    assert "-Wall" not in command


@pytest.mark.parametrize("options", [("-fno-such-option",), ("--param=no-such-parameter=1",)])
def test_a_build_that_complains_is_no_donor(gcc: str, options: tuple[str, ...]) -> None:
    compiler = real(gcc, "-Os -c plain.c")
    text, _ = compiler.text()
    with pytest.raises(EvaluationError, match="ended with status 1"):
        compiler.build(Donor(GCC, "-Os", options, "a test"), text)
    assert not list(Path().glob("*.tmp"))


def test_a_compiler_that_is_gone_is_no_donor(gcc: str, tmp_path: Path) -> None:
    compiler = real(gcc, "-Os -c plain.c")
    text, _ = compiler.text()
    compiler.toolchain = type(compiler.toolchain)("/nowhere/gcc", (12, 2, 0), "", "")
    with pytest.raises(EvaluationError, match="/nowhere/gcc"):
        compiler.build(SAME, text)


def test_a_warning_is_noticed(gcc: str) -> None:
    assert real(gcc, "-Os -Wall -c warns.c").original() == (0, False)


def test_the_dependency_file_is_that_of_gcc(gcc: str) -> None:
    compiler = real(gcc, "-Os -MMD -MP -Iinc -include header.h -c uses.c -o sub.o")
    compiler.text()
    ours = Path("sub.d").read_text()
    words = "-Os -MMD -MP -Iinc -include header.h -c uses.c -o sub.o"
    subprocess.run([gcc, *words.split()], check=True)
    assert Path("sub.d").read_text() == ours
