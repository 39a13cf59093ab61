"""Functions of the corpus stand alone, and on one side of the split."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from cr1cc.llvm.library import Library
from cr1cc.llvm.module import Module, name_of
from cr1cc.records import Toolchain
from cr1cc.train.corpus import FUNCTIONS, KINDS, samples
from cr1cc.train.functions import split
from cr1cc.train.packages import HELD_OUT
from cr1cc.train.tasks import Task

PROGRAM = """
struct point { int x, y; };
static const int table[4] = {3, 1, 4, 1};
int shared = 7;
static int calls;
int outside(struct point *);
static int inner(int i) { int s = 0; while (i--) s += table[i & 3] * i + s; return ++calls + s; }
int middle(struct point *p) { return inner(p->x) + inner(p->y) * shared + outside(p) - p->x; }
int tiny(void) { return 1; }
"""
MORE = "int other(int a, int b) { while (b) { int t = a % b; a = b; b = t; } return a + b; }\n"


def quietly(rows: Iterable[Any], _step: str, _total: int) -> Iterable[Any]:
    return rows


def functions_in(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{FUNCTIONS}/*/*.bc"))


@pytest.fixture
def folder(tmp_path: Path, any_toolchain: Toolchain) -> Path:
    for package, text in (("own", PROGRAM + MORE), (HELD_OUT[0].name, MORE)):
        for kind in KINDS:
            place = tmp_path / kind / package
            place.mkdir(parents=True)
            (tmp_path / "m.c").write_text(text)
            command = [any_toolchain.driver, "-Oz", "-g", "-c", "-emit-llvm", "-Xclang"]
            command += ["-disable-llvm-passes", "m.c", "-o", str(place / f"{package}.bc")]
            subprocess.run(command, cwd=tmp_path, check=True)
    return tmp_path


def test_functions_stand_alone(folder: Path, any_toolchain: Toolchain) -> None:
    task = Task.of(any_toolchain)
    split(task, folder, 2, quietly)
    assert len(functions_in(folder)) == 2 * 4  # `tiny` is too small
    library = Library(task.library)
    found: dict[str, list[str]] = {}
    for path in (folder / f"packages{FUNCTIONS}" / "own").glob("*.bc"):
        with Module.parse_bitcode(library, path.read_bytes()) as module:
            assert not module.invalid()
            (name,) = [name_of(library, f) for f in module.defined_functions()]
            variables = [v for v in module.variables() if not library.IsDeclaration(v)]
            found[name] = sorted(name_of(library, v) for v in variables)
    assert found == {"inner": ["calls", "table"], "middle": [], "other": []}


def test_a_function_of_a_package_that_is_held_out_is_not_learnt_from(
    folder: Path, any_toolchain: Toolchain
) -> None:
    split(Task.of(any_toolchain), folder, 1, quietly)
    kind = f"{KINDS[0]}{FUNCTIONS}"
    learning, held = samples(folder, kind), samples(folder, kind, held_out=True)
    assert [len(learning), len(held)] == [2, 1]
    assert not {one.path.name for one in learning} & {one.path.name for one in held}


def test_it_is_done_once(folder: Path, any_toolchain: Toolchain) -> None:
    task = Task.of(any_toolchain)
    split(task, folder, 1, quietly)
    found = functions_in(folder)
    (folder / KINDS[0] / "own" / "own.bc").unlink()
    split(task, folder, 1, quietly)
    assert found
    assert functions_in(folder) == found
