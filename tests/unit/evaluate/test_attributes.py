"""Attributes as tails: measured as they are emitted, and only where they belong."""

from __future__ import annotations

import subprocess
from pathlib import Path

from cr1cc.passes.attributes import ATTRIBUTES
from cr1cc.records import Recipe, Toolchain
from tests.unit.evaluate.conftest import MakeEvaluator, bitcode_of
from tests.unit.evaluate.test_scores import emitted, with_unwind

SIZE = Recipe(("@size",))
NAMES = tuple(row.name for row in ATTRIBUTES)
SOURCE = """
int out(int, int *);
int large(int a, int b, int c, int d) { int t[9] = {a, b}; out(c, t); out(a, t); out(b, t + d);
  return out(d, t) + out(7, t + 1) + t[2] + a + b + c; }
int leaf(int a) { return a * 3; }
int stores(int *p) { int i; for (i = 0; i < 5; i++) out(100, p + i); return out(3, p); }
int assembles(int a, int b, int c) { int t[9] = {a, b}; __asm__("" : "+r"(a)); out(a, t);
  return out(b, t) + out(c, t); }
"""
RECURSIVE = """
struct node { struct node *next; };
int length(struct node *n) { return n ? 1 + length(n->next) : 0; }
"""
DRIVER = """
#include <stdlib.h>
struct node { struct node *next; };
int length(struct node *);
enum { COUNT = 3000000 };
int main(void) {
  struct node *nodes = calloc(COUNT, sizeof *nodes);
  for (int i = 0; i < COUNT - 1; i++) nodes[i].next = nodes + i + 1;
  return length(nodes) != COUNT;
}
"""


def test_what_is_measured_is_what_the_real_compiler_emits(
    evaluator: MakeEvaluator, toolchain: Toolchain, tmp_path: Path
) -> None:
    with evaluator(bitcode=bitcode_of(toolchain, SOURCE, tmp_path)) as fresh:
        names = sorted(fresh.function_fingerprints(SIZE))
        base, measured = fresh.measure_tails(SIZE, NAMES, names)
        assert base == with_unwind(emitted(toolchain, fresh.apply(SIZE)))
        for tail, found in zip(NAMES, measured, strict=True):
            applied = fresh.apply(SIZE, [(name, tail) for name in names])
            assert found == with_unwind(emitted(toolchain, applied))
            assert found != base
            some = emitted(toolchain, fresh.apply(SIZE, [("large", tail)]))
            assert isinstance(found, dict)
            assert with_unwind(some) == {**base, "large": found["large"]}


def test_a_frame_pointer_saves_something_where_a_stack_is_used(
    evaluator: MakeEvaluator, toolchain: Toolchain, tmp_path: Path
) -> None:
    with evaluator(bitcode=bitcode_of(toolchain, SOURCE, tmp_path)) as fresh:
        names = sorted(fresh.function_fingerprints(SIZE))
        base, (framed,) = fresh.measure_tails(SIZE, ["@frame"], names)
    assert isinstance(framed, dict)
    assert framed["large"] < base["large"]
    assert framed["leaf"] > base["leaf"]
    assert framed["assembles"] == base["assembles"]  # it may name any register


def test_a_function_that_is_marked_already_does_not_change(
    evaluator: MakeEvaluator, toolchain: Toolchain, tmp_path: Path
) -> None:
    bitcode = bitcode_of(toolchain, SOURCE, tmp_path)
    with evaluator(bitcode=bitcode) as fresh:
        once = fresh.apply(Recipe(("@size", "@frame")))
        assert once != fresh.apply(SIZE)
        assert fresh.apply(Recipe(("@size", "@frame", "@frame"))) == once


def test_recursion_that_plain_oz_makes_a_loop_takes_no_stack(
    evaluator: MakeEvaluator, toolchain: Toolchain, tmp_path: Path
) -> None:
    (tmp_path / "driver.c").write_text(DRIVER)
    bitcode = bitcode_of(toolchain, RECURSIVE, tmp_path)
    with evaluator(bitcode=bitcode) as fresh:
        for recipe in (SIZE, Recipe(("@start",)), Recipe(("@start", "function(sroa)"))):
            made = emitted(toolchain, fresh.apply(recipe), recipe.options)
            (tmp_path / "length.o").write_bytes(made.data)
            command = [toolchain.driver, "driver.c", "length.o", "-o", "driver"]
            subprocess.run(command, cwd=tmp_path, check=True)
            assert subprocess.run([tmp_path / "driver"]).returncode == 0, recipe
