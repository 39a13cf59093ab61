"""Objects of other builds stand in only for what links the same."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cr1cc.donors.valid import complaint, foreign_complaint

Make = Callable[..., bytes]

_NONE: frozenset[str] = frozenset()
_PLAIN = "int table[5] = {1, 2, 3}; int f(int a) { return a + table[1]; }"


@pytest.fixture
def made(tmp_path: Path) -> Make:
    gcc = shutil.which("gcc")
    if gcc is None:
        pytest.skip("gcc is missing")

    def make(text: str, *options: str) -> bytes:
        (tmp_path / "a.c").write_text(text)
        subprocess.run([gcc, "-Os", "-w", *options, "-c", "a.c"], cwd=tmp_path, check=True)
        return (tmp_path / "a.o").read_bytes()

    return make


def test_the_same_object_is_valid(made: Make) -> None:
    assert complaint(made(_PLAIN), made(_PLAIN, "-O1")) == ""
    assert foreign_complaint(made(_PLAIN), made(_PLAIN, "-O1"), _NONE) == ""


def test_a_changed_property_note_is_not(made: Make) -> None:
    before = made(_PLAIN, "-fcf-protection=full")
    after = made(_PLAIN, "-fcf-protection=branch")
    assert complaint(before, before) == ""
    assert complaint(before, after) == "a note has changed"
    assert complaint(before, made(_PLAIN, "-fcf-protection=none"))


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ("int table[5] = {1, 2, 4}; int f(int a) { return a; }", "holds something else"),
        ("int f(int a) { return a; } int table[5];", "holds something else"),
        ("int table[6] = {1, 2, 3}; int f(int a) { return a; }", "is another"),
    ],
)
def test_foreign_data_must_be_the_same(made: Make, other: str, words: str) -> None:
    assert words in foreign_complaint(made(_PLAIN), made(other), _NONE)


def test_foreign_data_must_be_aligned_as_well(made: Make) -> None:
    text = "struct s {{ char c[6]; }} v {} = {{ {{1}} }}; int f(void) {{ return v.c[0]; }}"
    loose, tight = made(text.format("")), made(text.format("__attribute__((aligned(8)))"))
    assert "less aligned" in foreign_complaint(tight, loose, _NONE)
    assert foreign_complaint(loose, tight, _NONE) == ""


def test_what_every_environment_has_may_be_needed_anew(made: Make) -> None:
    before = made("void f(char *p) { p[0] = 0; }")
    text = "void *memset(void *, int, unsigned long); void f(char *p) { memset(p, 0, 99999); }"
    after = made(text, "-O2", "-fno-builtin")
    assert "memset is needed anew" in foreign_complaint(before, after, _NONE)
    assert foreign_complaint(before, after, frozenset({"memset"})) == ""


def test_what_the_linker_defines_may_be_needed_anew(made: Make) -> None:
    direct = made("extern int v; int f(void) { return v; }", "-fPIE")
    by_table = made("extern int v; int f(void) { return v; }", "-fPIC")
    assert "_GLOBAL_OFFSET_TABLE_" in complaint(direct, by_table)
    assert foreign_complaint(direct, by_table, _NONE) == ""
