"""Donors by a recipe: clang's front end, passes in another order, clang's code generator."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cr1cc.errors import EvaluationError
from cr1cc.records import Toolchain
from cr1cc.speed.recipe import optimised
from cr1cc.speed.table import BUILDS, build_of
from cr1cc.util.elf import ObjectFile
from tests.e2e.locking import LANGUAGE, O3, Locking, chosen

RECIPES = [build.title for build in BUILDS if build.recipe]


@pytest.mark.parametrize("title", RECIPES)
def test_it_does_the_same_and_is_repeated(locking: Locking, title: str) -> None:
    locking.write(chosen(locking.record(*O3), title))
    data, outcome, detail = locking.build(*O3, CR1_CACHE="0", CR1_FROZEN="1")
    assert (outcome, detail) == ("locked", build_of(title).label)
    assert data == locking.build(*O3)[0]
    assert ObjectFile(data).exports() == ObjectFile(locking.real(*O3)).exports()
    assert locking.output(locking.name) == locking.plain_output(*O3)


def test_functions_may_come_from_a_recipe(locking: Locking) -> None:
    functions = (("pick", build_of(RECIPES[0]).label),)
    locking.write(chosen(locking.record(*O3), f"{locking.name}:own", functions=functions))
    _, outcome, detail = locking.build(*O3)
    assert outcome == "locked", detail
    assert locking.output(locking.name) == locking.plain_output(*O3)


def test_another_order_of_passes_makes_another_object(locking: Locking) -> None:
    (locking.place.folder / "program.c").write_text(
        "void f(float *a, const float *b, int n, int m) {\n"
        "  for (int i = 0; i < n; i++)\n"
        "    for (int j = 1; j < m; j++) a[i * m + j] += b[j - 1] * b[j] + b[i];\n}\n"
    )
    decision = locking.record(*O3)
    made = []
    for title in ("clang:o3", *RECIPES):
        locking.write(chosen(decision, title))
        data, outcome, detail = locking.build(*O3)
        assert outcome == "locked", detail
        made.append(data)
    assert made[0] not in made[1:]


def test_explain_says_its_passes(locking: Locking) -> None:
    build = build_of(RECIPES[0])
    locking.write(chosen(locking.record(*O3), build.title))
    locking.build(*O3)
    said = subprocess.run(
        [sys.executable, "-m", "cr1cc.cli.main", "explain", "program.c"],
        cwd=locking.place.folder, env=locking.place.environ(), capture_output=True, text=True,
        check=True,
    ).stdout  # fmt: skip
    assert f"clang -O3 by the passes {build.recipe}\n" in said


def test_without_a_libllvm_there_is_none(any_toolchain: Toolchain) -> None:
    alone = replace(any_toolchain, libllvm=None, libllvm_problem="libLLVM is missing")
    with pytest.raises(EvaluationError, match="libLLVM is missing"):
        optimised(b"", "@O3", alone, ())


@pytest.mark.long
@pytest.mark.parametrize("source", LANGUAGE, ids=lambda path: path.name)
def test_all_of_the_language_does_the_same(locking: Locking, source: Path) -> None:
    """Exceptions, setjmp, varargs, threads, computed goto and their like, by each recipe."""
    cxx = source.suffix != ".c"
    if cxx and locking.name == "gcc":
        pytest.skip("clang makes objects for C alone there")
    name = {"gcc": "g++", "clang": "clang++"}[locking.name] if cxx else locking.name
    (locking.place.folder / source.name).write_bytes(source.read_bytes())
    words = ("-O3", "-w", "-pthread", "-c", source.name)
    decision = locking.record(*words, name=name)
    expected = locking.plain_output(*words, name=name)
    followed = 0
    for title in RECIPES:
        locking.write(chosen(decision, title))
        _, outcome, detail = locking.build(*words, name=name)
        assert outcome in ("locked", "lock_failed"), detail
        followed += outcome == "locked"
        assert locking.output(name) == expected, title
    assert followed or locking.name == "gcc"
