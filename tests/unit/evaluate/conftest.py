"""A module with something to optimise, and evaluators on it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cr1cc.evaluate.evaluator import Evaluator
from cr1cc.evaluate.limits import Limits
from cr1cc.evaluate.worker import Subject
from cr1cc.llvm.library import Library
from cr1cc.passes.macros import macros_for
from cr1cc.records import Level, Toolchain

SOURCE = """
struct node { struct node *next; int key, value; };
static int square(int x) { return x * x; }
extern int outside(int, const char *);
int sum(struct node *n) { int s = 0;
  for (; n; n = n->next) s += square(n->key) - n->value; return s; }
int pick(int x) {
  switch (x) { case 0: return 7; case 1: return outside(x, "one"); case 2: return 91;
    case 5: return x * 3; case 9: return outside(x + 2, "nine"); default: return square(x) % 17; }
}
void fill(int *a, int *b, int n) { for (int i = 0; i < n; i++) { a[i] = b[i] * i + n / 3; } }
int find(const char *s, int c) { int i = 0;
  while (s[i]) { if (s[i] == c) return i; i++; } return -1; }
int mixed(int a, int b) { int t = a & b; if (t > 4) t = outside(t, "t"); else t = outside(b, "t");
  return t ^ (a | b); }
"""

MakeEvaluator = Callable[..., Evaluator]


@cache
def load(path: str) -> Library:
    return Library(path)


def bitcode_of(toolchain: Toolchain, source: str, folder: Path) -> bytes:
    (folder / "unit.c").write_text(source)
    command = [toolchain.driver, "-Oz", "-c", "-emit-llvm", "-Xclang", "-disable-llvm-passes"]
    subprocess.run([*command, "unit.c", "-o", "unit.bc"], cwd=folder, check=True)
    return (folder / "unit.bc").read_bytes()


@pytest.fixture
def bitcode(toolchain: Toolchain, tmp_path: Path) -> bytes:
    return bitcode_of(toolchain, SOURCE, tmp_path)


@pytest.fixture
def evaluator(toolchain: Toolchain, bitcode: bytes) -> MakeEvaluator:
    """`evaluator(limits, bitcode=…, macros=…)`: a context manager."""
    assert toolchain.libllvm
    library = load(toolchain.libllvm)

    def make(limits: Limits | None = None, **changed: Any) -> Evaluator:
        macros = changed.get("macros", macros_for(toolchain.major, Level.OZ))
        return Evaluator(library, Subject(changed.get("bitcode", bitcode), macros), limits)

    return make
