from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cr1cc.ir.describe import describe
from cr1cc.ir.diagnostics import backend_diagnostics
from cr1cc.llvm.module import Module
from cr1cc.records import Toolchain

CompileC = Callable[..., Module]

_LOOP = """
void h(int);
void f(float *a, int n) {{
{0}
  for (int i = 0; i < n; i++) {{ if (a[i] > 3) return; h(i); }}
}}
"""
# Sources for which clang prints a warning after the front end, with their options.
SPEAKING: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("frame", "void g(char *); void f(void) { char b[9999]; g(b); }", ("-Wframe-larger-than=64",)),
    ("warning", '__attribute__((warning("no"))) void g(void); void f(void) { g(); }', ()),
    ("vectorize", _LOOP.format("#pragma clang loop vectorize(enable)"), ()),
    ("width", _LOOP.format("#pragma clang loop vectorize_width(4)"), ()),
    ("distribute", _LOOP.format("#pragma clang loop distribute(enable)"), ()),
    ("full unroll", _LOOP.format("#pragma clang loop unroll(full)"), ()),
    ("unroll and jam", _LOOP.format("#pragma unroll_and_jam"), ()),
)
# Sources that may make some version speak, and so count as speaking.
MAY_SPEAK = (
    _LOOP.format("#pragma unroll"),
    _LOOP.format("#pragma clang loop interleave_count(4)"),
    _LOOP.format("#pragma unroll 4"),
    '__attribute__((error("no"))) void g(void); void f(int a) { if (a > 3 && a < 2) g(); }',
)
SILENT = (
    "int f(int a) { return a + 1; }",
    _LOOP.format(""),
    _LOOP.format("#pragma nounroll"),
    _LOOP.format("#pragma clang loop vectorize(disable)"),
    _LOOP.format("#pragma clang loop vectorize_width(1)"),
    _LOOP.format("#pragma clang loop interleave_count(1)"),
    _LOOP.format("#pragma clang loop distribute(disable)"),
    '__asm__(".globl x\\nx:\\n"); int f(void) { return 0; }',
    'int f(int a) { __asm__ volatile("nop" : "+r"(a)); return a; }',
    'const char *f(void) { return "warn-stack-size llvm.loop.unroll.full dontcall-warn"; }',
    "double f(double *a, int n) { double s = 0; while (n--) s += a[n]; return s; }",
    "struct s { char c[64]; }; struct s f(struct s *p) { return *p; }",
    "__attribute__((noinline)) static int g(int x) { return x; } int f(int y) { return g(y); }",
    "int f(int a) { switch (a) { case 1: return 5; case 2: return 9; } __builtin_trap(); }",
)


def _says(toolchain: Toolchain, source: str, options: tuple[str, ...], folder: Path) -> str:
    (folder / "said.c").write_text(source)
    command = [toolchain.driver, "-Oz", *options, "-c", "said.c", "-o", "said.o"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stderr


@pytest.mark.parametrize("case", SPEAKING, ids=lambda case: case[0])
def test_a_module_about_which_clang_warns_is_known(
    case, compile_c: CompileC, toolchain: Toolchain, tmp_path: Path
) -> None:
    _, source, options = case
    assert _says(toolchain, source, options, tmp_path)
    module = compile_c(source, "-Oz", *options)
    assert backend_diagnostics(module.text())
    assert describe(module).backend_diagnostics


@pytest.mark.parametrize("source", MAY_SPEAK)
def test_a_demand_counts_even_where_it_can_be_met(source: str, compile_c: CompileC) -> None:
    module = compile_c(source)
    assert backend_diagnostics(module.text())
    assert describe(module).backend_diagnostics


@pytest.mark.parametrize("source", SILENT)
def test_an_ordinary_module_is_not_suspected(
    source: str, compile_c: CompileC, toolchain: Toolchain, tmp_path: Path
) -> None:
    assert not _says(toolchain, source, (), tmp_path)
    module = compile_c(source)
    assert not backend_diagnostics(module.text())
    assert not describe(module).backend_diagnostics


def test_a_description_puts_the_parts_together(compile_c: CompileC) -> None:
    module = compile_c("int g(int); int f(int a) { return g(a); }")
    info = describe(module)
    assert info.function_count == 1
    assert info.ic > 3
    assert len(info.features) == 56
    assert info.triple == module.triple
    assert describe(module) == info
