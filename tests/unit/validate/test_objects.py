"""Every complaint about an object that may not replace the baseline, and silence."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cr1cc.records import Toolchain
from cr1cc.validate.objects import complaint

Build = Callable[..., bytes]

F = "int f(int x) { return x + 1; }"
NAMED = '__attribute__((section("mine"), used)) static int x[%d] = {1};'

# name, baseline and its options, candidate and its options, part of the complaint
COMPLAINTS: tuple[tuple[str, str, str, str, str, str], ...] = (
    ("gone", F + "int g(void) { return 2; }", "", F, "", "symbol g is not defined any more"),
    ("new", F, "", F + "int g(void) { return 2; }", "", "symbol g is defined anew"),
    ("binding", F, "", "__attribute__((weak))" + F, "", "symbol f is another"),
    ("visibility", F, "", F, "-fvisibility=hidden", "symbol f is another"),
    ("type", "int f = 1;", "", F, "", "symbol f is another"),
    ("read-only", "int x = 1;", "", "const int x = 1;", "", "symbol x is another"),
    ("thread-local", "int x = 1;", "", "__thread int x = 1;", "", "symbol x is another"),
    ("size", "int x[2] = {1};", "", "int x[3] = {1};", "", "symbol x is another"),
    ("common", "int x;", "-fcommon", "int x;", "-fno-common", "symbol x is another"),
    (
        "needed", F, "", "int g(int); int f(int x) { return g(x) + 1; }", "",
        "symbol g is needed anew",
    ),
    ("unwind", F, "", F, "-fno-asynchronous-unwind-tables", "section .eh_frame is gone"),
    ("debug", F, "-g", F, "", "section .debug_"),
    ("named", NAMED % 2, "", NAMED % 3, "", "a section that the source names has changed"),
    ("machine", F, "", F, "--target=aarch64-linux-gnu", "another machine"),
)  # fmt: skip

# name, baseline and its options, candidate and its options
SILENT: tuple[tuple[str, str, str, str, str], ...] = (
    ("equal", F, "-g", F, "-g"),
    ("smaller", "int f(int x) { return x * x / 7; }", "", "int f(int x) { return x; }", ""),
    (
        "no static function",
        "static __attribute__((used)) int g(void) { return 1; }" + F, "", F, "",
    ),
    ("needs less", "int g(int); int f(int x) { return g(x) + 1; }", "", F, ""),
    ("zeroes", "int x = 0;", "-fno-zero-initialized-in-bss", "int x = 0;", ""),
    ("sections", F, "-ffunction-sections", F, ""),
)  # fmt: skip


@pytest.fixture
def build(any_toolchain: Toolchain, tmp_path: Path) -> Build:
    def run(source: str, options: str) -> bytes:
        (tmp_path / "unit.c").write_text(source)
        command = [any_toolchain.driver, "-Oz", *options.split(), "-c", "unit.c", "-o", "unit.o"]
        subprocess.run(command, cwd=tmp_path, check=True)
        return (tmp_path / "unit.o").read_bytes()

    return run


@pytest.mark.parametrize("case", COMPLAINTS, ids=lambda case: case[0])
def test_a_difference_that_a_linker_can_see_is_a_complaint(
    case: tuple[str, ...], build: Build
) -> None:
    _, old, old_options, new, new_options, expected = case
    assert expected in complaint(build(old, old_options), build(new, new_options))


@pytest.mark.parametrize("case", SILENT, ids=lambda case: case[0])
def test_an_object_that_links_the_same_is_taken(case: tuple[str, ...], build: Build) -> None:
    _, old, old_options, new, new_options = case
    assert complaint(build(old, old_options), build(new, new_options)) == ""


def test_what_is_no_object_is_a_complaint(build: Build) -> None:
    good = build(F, "")
    assert complaint(good, b"") == "not an ELF file" or "ELF" in complaint(good, b"")
    assert "ELF" in complaint(b"nothing", good)
    assert "ELF" in complaint(good, good[: len(good) // 2])
