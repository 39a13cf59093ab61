"""Unwind data by function, beside what pyelftools reads."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest
from elftools.dwarf.callframe import FDE
from elftools.elf.elffile import ELFFile

from cr1cc.records import Toolchain
from cr1cc.util.elf import NotElfError, ObjectFile
from cr1cc.util.unwind import unwind_bytes

SOURCE = """
int out(int, int *);
int leaf(int a) { return a * 3; }
static __attribute__((noinline)) int own(int a, int *b) { return out(a, b) + *b; }
int large(int a, int b, int c, int d) { int t[9] = {a, b}; out(c, t); out(a, t); out(b, t + d);
  return out(d, t) + own(a, t) + t[2] + a + b + c; }
int both(int a) { return leaf(a) + own(a, &a); }
"""
TARGETS = ("x86_64-linux-gnu", "i386-linux-gnu", "aarch64-linux-gnu")


def built(toolchain: Toolchain, folder: Path, *options: str) -> ObjectFile:
    (folder / "unit.c").write_text(SOURCE)
    command = [toolchain.driver, "-Oz", "-fasynchronous-unwind-tables", *options]
    command += ["-c", "unit.c", "-o", "unit.o"]
    done = subprocess.run(command, cwd=folder, capture_output=True)
    if done.returncode:
        pytest.skip(f"clang cannot build this: {done.stderr.decode()[:80]}")
    return ObjectFile((folder / "unit.o").read_bytes())


@pytest.mark.parametrize("target", TARGETS)
def test_each_function_has_what_pyelftools_gives_it(
    target: str, any_toolchain: Toolchain, tmp_path: Path
) -> None:
    found = built(any_toolchain, tmp_path, f"--target={target}")
    dwarf = ELFFile(io.BytesIO(found.data)).get_dwarf_info()
    entries = [entry for entry in dwarf.EH_CFI_entries() if isinstance(entry, FDE)]
    at = {symbol.value: symbol.name for symbol in found.symbols() if symbol.type == 2}
    # A length does not count the four bytes that hold it.
    expected = {at[e.header["initial_location"]]: e.header["length"] + 4 for e in entries}
    last = at[entries[-1].header["initial_location"]]
    sizes = unwind_bytes(found)
    assert expected[last] - sizes[last] in (0, 4)  # padding of the section
    assert sizes == expected | {last: sizes[last]}
    assert expected["large"] > expected["leaf"]
    assert expected.keys() == {"leaf", "own", "large", "both"}


def test_functions_in_sections_of_their_own_are_told_apart(
    any_toolchain: Toolchain, tmp_path: Path
) -> None:
    together = unwind_bytes(built(any_toolchain, tmp_path))
    apart = unwind_bytes(built(any_toolchain, tmp_path, "-ffunction-sections"))
    assert apart == together != {}


def test_without_unwind_data_there_is_none(any_toolchain: Toolchain, tmp_path: Path) -> None:
    assert unwind_bytes(built(any_toolchain, tmp_path, "-fno-asynchronous-unwind-tables")) == {}


def test_damage_is_told(any_toolchain: Toolchain, tmp_path: Path) -> None:
    found = built(any_toolchain, tmp_path)
    section = next(s for s in found.sections if s.name == ".eh_frame")
    damaged = bytearray(found.data)
    damaged[section.offset : section.offset + 4] = b"\xff\xff\xff\xff"
    with pytest.raises(NotElfError, match="damaged"):
        unwind_bytes(ObjectFile(bytes(damaged[: section.offset + 6])))
