"""The standard pipeline as a recipe: it does what the standard pipeline does."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cr1cc.model.vocabulary import decode, encode
from cr1cc.passes.macros import SIZE, START
from cr1cc.passes.recipe import canonical, check_recipe
from cr1cc.passes.standard import seeds
from cr1cc.records import Recipe, Score, Toolchain
from cr1cc.train.corpus import Sample
from cr1cc.train.tasks import Task

PROGRAM = """
#include <stddef.h>
struct list { struct list *next; int value; };
static int square(int x) { return x * x; }
int sum(const int *p, size_t n) { int s = 0; for (size_t i = 0; i < n; i++) s += square(p[i]); return s; }
int find(struct list *l, int v) { for (; l; l = l->next) if (l->value == v) return 1; return 0; }
int name(int k) { switch (k) { case 1: return 10; case 2: return 20; case 3: return 33; default: return 0; } }
void copy(char *to, const char *from, size_t n) { while (n--) *to++ = *from++; }
int twice(int a, int b) { int c = a * b + 1; if (c > 4) return c + a * b; return a * b - c; }
"""  # noqa: E501


@pytest.mark.parametrize("target", ["X86", "AArch64"])
@pytest.mark.parametrize("major", [14, 16, 19, 22, 23])
def test_every_standard_recipe_is_vetted_and_they_differ(major: int, target: str) -> None:
    found = seeds(major, target)
    for recipe in found:
        check_recipe(recipe, major, target)
        assert recipe.stages[0] == START
        assert canonical(recipe) == recipe
    assert len(set(found)) == len(found) > 6


def test_pass_by_pass_it_makes_what_the_pipeline_makes(
    any_toolchain: Toolchain, tmp_path: Path
) -> None:
    (tmp_path / "m.c").write_text(PROGRAM)
    command = [any_toolchain.driver, "-Oz", "-Xclang", "-disable-llvm-passes", "-emit-llvm", "-c"]
    subprocess.run([*command, "m.c", "-o", "m.bc"], cwd=tmp_path, check=True)
    task = Task.of(any_toolchain)
    with task.evaluator(Sample("own", tmp_path / "m.bc")) as evaluator:
        recipes = [Recipe((SIZE,)), Recipe((START,)), *seeds(task.major, task.target)]
        size, start, standard, *thinner = evaluator.measure(recipes)
    assert isinstance(size, Score)
    assert isinstance(start, Score)
    assert isinstance(standard, Score)
    assert start.ic > 2 * size.ic  # it optimises nothing
    assert abs(standard.ic - size.ic) <= 0.05 * size.ic
    assert standard.exports == size.exports
    assert all(isinstance(one, Score) and one.exports == size.exports for one in thinner)


def test_what_a_recipe_of_our_own_must_not_leave_out(
    any_toolchain: Toolchain, tmp_path: Path
) -> None:
    """Calls that -finstrument-functions asks for, and functions that must be inlined."""
    (tmp_path / "m.c").write_text(
        "static inline __attribute__((always_inline)) int in(int x) { return x + 1; }\n"
        "int out(int x) { return in(x) * 2; }\n"
    )
    command = [any_toolchain.driver, "-Oz", "-finstrument-functions", "-Xclang"]
    command += ["-disable-llvm-passes", "-emit-llvm", "-c", "m.c", "-o", "m.bc"]
    subprocess.run(command, cwd=tmp_path, check=True)
    task = Task.of(any_toolchain)
    with task.evaluator(Sample("own", tmp_path / "m.bc")) as evaluator:
        bitcode = evaluator.apply(Recipe((START, "globaldce")), ())
    (tmp_path / "after.bc").write_bytes(bitcode)
    text = subprocess.run(
        [any_toolchain.driver, "-S", "-emit-llvm", "-Xclang", "-disable-llvm-passes", "-x", "ir",
         "after.bc", "-o", "-"], cwd=tmp_path, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "__cyg_profile_func_enter" in text
    assert "call i32 @in(" not in text


@pytest.mark.parametrize("major", [14, 19, 23])
def test_the_model_has_words_for_them(major: int) -> None:
    for recipe in seeds(major, "X86"):
        assert decode(encode(recipe)) == recipe
