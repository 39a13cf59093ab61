"""Reading dynamic sections, compared with readelf."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cr1cc.records import Toolchain
from cr1cc.util.elf_dynamic import read_dynamic


@pytest.mark.parametrize("which", ["compiler", "library", "shell"])
def test_needed_libraries_and_paths_are_those_that_readelf_prints(
    which: str, any_toolchain: Toolchain, need: Callable[[str], str]
) -> None:
    library = any_toolchain.libllvm
    assert library
    path = {"compiler": any_toolchain.driver, "library": library, "shell": "/bin/sh"}[which]
    out = subprocess.run([need("readelf"), "-dW", path], capture_output=True, text=True).stdout
    seen = read_dynamic(path)
    assert seen is not None
    assert list(seen.needed) == re.findall(r"\(NEEDED\).*\[(.*)\]", out)
    assert ":".join(seen.runpath) == "".join(re.findall(r"\(RUNPATH\).*\[(.*)\]", out))
    assert ":".join(seen.rpath) == "".join(re.findall(r"\(RPATH\).*\[(.*)\]", out))


def test_what_is_not_elf_or_is_cut_short_is_none(tmp_path: Path) -> None:
    file = tmp_path / "file"
    whole = Path("/bin/sh").read_bytes()
    for content in (b"", b"#!/bin/sh\n", whole[:4], whole[:20], whole[:100], whole[:3000]):
        file.write_bytes(content)
        assert read_dynamic(str(file)) is None
    assert read_dynamic(str(tmp_path / "missing")) is None
    assert read_dynamic(str(tmp_path)) is None


def test_damaged_files_never_raise(tmp_path: Path) -> None:
    file = tmp_path / "file"
    whole = Path("/bin/sh").read_bytes()
    for position in range(16, 900, 7):
        file.write_bytes(whole[:position] + b"\xff\x7f" + whole[position + 2 :])
        read_dynamic(str(file))
