"""What is copied from a held-out package is not learnt from."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from cr1cc.llvm.library import Library
from cr1cc.llvm.module import Module
from cr1cc.records import Toolchain
from cr1cc.train.census import census
from cr1cc.train.corpus import FUNCTIONS, KINDS, samples
from cr1cc.train.duplicates import find
from cr1cc.train.functions import split
from cr1cc.train.packages import HELD_OUT
from cr1cc.train.tasks import Task

COPIED = (
    "int {0}(int a, int b) {{ while (b) {{ int t = a % b; a = b; b = t + {1}; }} return a; }}\n"
)
OWN = (
    "int own(int *p, int n) { int s = 0; for (int i = 0; i < n; i++) s ^= p[i] << 2; return s; }\n"
)
LONG = OWN + OWN.replace("own", "more").replace("^=", "+=") + OWN.replace("own", "most")
MODULES = {
    HELD_OUT[0].name: {"gcd": COPIED.format("gcd", 0)},
    "a": {
        "touched": COPIED.format("divisor", 1),
        "own": OWN,
        "mixed": LONG + COPIED.format("d", 2),
    },
}


def quietly(rows: Iterable[Any], _step: str, _total: int) -> Iterable[Any]:
    return rows


@pytest.fixture
def folder(tmp_path: Path, any_toolchain: Toolchain) -> Path:
    for package, texts in MODULES.items():
        for name, text in texts.items():
            (tmp_path / "m.c").write_text(text)
            for kind, level in zip(KINDS, ("-Oz", "-O0"), strict=True):
                place = tmp_path / kind / package
                place.mkdir(parents=True, exist_ok=True)
                command = [any_toolchain.driver, level, "-c", "-emit-llvm", "-Xclang"]
                command += ["-disable-llvm-passes", "m.c", "-o", str(place / f"{name}.bc")]
                subprocess.run(command, cwd=tmp_path, check=True)
    split(Task.of(any_toolchain), tmp_path, 1, quietly)
    return tmp_path


def test_near_duplicates_stay_on_one_side(folder: Path, any_toolchain: Toolchain) -> None:
    task = Task.of(any_toolchain)
    assert len(samples(folder)) == 3
    find(task, folder, 2, quietly)
    for kind in KINDS:
        assert [one.name for one in samples(folder, kind)] == ["a/mixed.bc", "a/own.bc"]
        assert len(samples(folder, kind, held_out=True)) == 1
        assert {one.package for one in samples(folder, kind + FUNCTIONS)} == {"a"}
    find(task, folder, 1, quietly)
    counted = census(folder)
    assert counted["packages"]["a"] == {
        "version": "", "licence": "", "held_out": False, "packages": 3, "paper": 3,
        "packages-functions": counted["total"]["packages-functions"] - 1,
        "paper-functions": counted["total"]["paper-functions"] - 1,
    }  # fmt: skip
    assert counted["packages"][HELD_OUT[0].name]["held_out"]
    for kind, count in counted["total"].items():  # one is held out, and its copies go
        copies = 2 if kind.endswith(FUNCTIONS) else 1
        assert counted["learnt"][kind] == count - 1 - copies
    assert json.loads((folder / "corpus.json").read_text()) == counted


def test_a_module_can_be_read_for_a_while(any_toolchain: Toolchain, folder: Path) -> None:
    assert any_toolchain.libllvm
    library = Library(any_toolchain.libllvm)
    data = (folder / "paper" / "a" / "own.bc").read_bytes()
    for _ in range(50):
        with Module.read(library, data) as module:
            assert len(module.defined_functions()) == 1
