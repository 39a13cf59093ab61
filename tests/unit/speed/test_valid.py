"""An object with second bodies is what was decided, and nothing else of it is new to a linker."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from cr1cc.driver.argv import parse
from cr1cc.driver.gcc import GCC
from cr1cc.records import Plan
from cr1cc.speed.build import Choice, Made
from cr1cc.speed.table import build_of
from cr1cc.speed.valid import complaint

PLAIN = ".text\n.globl f\n.type f,@function\nf: ret\n.size f,.-f\n"
STUB = ".text\n.globl f\n.type f,@function\nf: jmp *f.picked@GOTPCREL(%rip)\n.size f,.-f\n"
PICKED = ".type f.picked,@gnu_indirect_function\nf.picked: ret\n.size f.picked,.-f.picked\n"


@pytest.fixture
def assemble(tmp_path: Path):  # type: ignore[no-untyped-def]
    if shutil.which("gcc") is None:
        pytest.skip("gcc is missing")

    def made(text: str) -> bytes:
        command = ["gcc", "-c", "-x", "assembler", "-", "-o", str(tmp_path / "o")]
        subprocess.run(command, input=text.encode(), check=True)
        return (tmp_path / "o").read_bytes()

    return made


@pytest.mark.parametrize(
    ("text", "refused", "words"),
    [
        (STUB + PICKED, (), ""),
        (PLAIN, ("f",), ""),
        (PLAIN, (), "not those that were decided"),
        (STUB + PICKED, ("f",), "not those that were decided"),
        (STUB + PICKED + ".globl f.picked\n", (), "not those that were decided"),
        (STUB + PICKED + PICKED.replace("f.", "g."), (), "not those that were decided"),
        (PICKED.replace("f.picked", "f") + ".globl f\n", (), "not those that were decided"),
        (STUB + PICKED + "call other\n", (), "symbol other is needed anew"),
        (STUB + PICKED + ".globl g\n.type g,@function\ng: ret\n", (), "symbol g is defined anew"),
    ],
)
def test_an_object_with_second_bodies(
    assemble, tmp_path: Path, text: str, refused: tuple[str, ...], words: str
) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "a.c").touch()
    plan = parse(["-O3", "-c", "a.c"], cxx=False, cwd=str(tmp_path), dialect=GCC)
    assert isinstance(plan, Plan)
    own = build_of("gcc:own")
    choice = Choice(own, (), "x86-64-v3", (("f", own),))
    made = Made(assemble(text), dict.fromkeys(refused, "a reason"))
    found = complaint(plan, "gcc", choice, assemble(PLAIN), made)
    assert words in found if words else found == ""
