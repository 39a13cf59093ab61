"""Which commands and texts clang is trusted with."""

from __future__ import annotations

from pathlib import Path

import pytest

from cr1cc.donors.clang_options import OPTIONS, clang_options, granted
from cr1cc.donors.clang_text import for_clang, refusal
from cr1cc.driver.argv import parse
from cr1cc.driver.gcc import GCC
from cr1cc.records import GccToolchain, Plan

X86_64 = GccToolchain(
    "/usr/bin/gcc", (12, 2, 0), "gcc", "x86_64-linux-gnu",
    ("__ELF__", "__PIC__", "__PIE__", "__x86_64__"),
)  # fmt: skip


def told(folder: Path, words: str, toolchain: GccToolchain = X86_64) -> tuple[str, ...] | None:
    (folder / "a.c").touch()
    (folder / "a.cc").touch()
    source = "" if "a.cc" in words else "a.c"
    plan = parse([*words.split(), "-Os", "-c", *source.split()], cxx=False, cwd=str(folder),
                 dialect=GCC)  # fmt: skip
    assert isinstance(plan, Plan), plan
    return clang_options(plan, toolchain)


def test_what_gcc_does_unasked_is_said(tmp_path: Path) -> None:
    options = told(tmp_path, "")
    assert options is not None
    assert {"-fPIE", "-std=gnu17", "-fasynchronous-unwind-tables", "--target=x86_64-linux-gnu"} <= {
        *options
    }


def test_what_the_user_says_is_not_said_otherwise(tmp_path: Path) -> None:
    options = told(tmp_path, "-fno-pie -std=c99 -fno-asynchronous-unwind-tables -mtune=generic")
    assert options is not None
    assert {"-fno-pie", "-std=c99", "-fno-asynchronous-unwind-tables"} <= {*options}
    assert not {"-fPIE", "-std=gnu17", "-fasynchronous-unwind-tables", "-mtune=generic"} & {
        *options
    }


@pytest.mark.parametrize(
    ("words", "direct"), [("", True), ("-fPIE", True), ("-fPIC", False), ("-fno-pie", False)]
)
def test_a_program_reaches_data_of_others_as_gcc_does(
    tmp_path: Path, words: str, direct: bool
) -> None:
    assert ("-fdirect-access-external-data" in (told(tmp_path, words) or ())) is direct


@pytest.mark.parametrize(
    "words",
    ["-fno-tree-ter", "-fstack-protector-strong", "-fcf-protection", "-march=native", "-mavx2",
     "-m32", "-ffast-math", "-fno-trapping-math", "-fopenmp", "--param=max-inline-insns-size=1",
     "-fpack-struct", "-fshort-enums", "-fzero-call-used-regs=used", "-fno-plt", "-masm=intel",
     "-ftrivial-auto-var-init=zero", "-fpatchable-function-entry=2", "-Wa,-mx86-used-note=yes",
     "-fsso-struct=big-endian", "-x c++ a.cc", "a.cc"],
)  # fmt: skip
def test_an_option_without_a_row_means_no_donor(tmp_path: Path, words: str) -> None:
    assert told(tmp_path, words) is None


@pytest.mark.parametrize("macro", ["__CET__", "__SSP_STRONG__", "_FORTIFY_SOURCE", "__ILP32__"])
def test_a_gcc_that_defends_unasked_gets_no_donor(tmp_path: Path, macro: str) -> None:
    defaults = (*X86_64.defaults, macro)
    hardened = GccToolchain("/usr/bin/gcc", (12, 2, 0), "gcc", X86_64.triple, defaults)
    assert told(tmp_path, "", hardened) is None


def test_another_machine_gets_no_donor(tmp_path: Path) -> None:
    arm = GccToolchain("/usr/bin/gcc", (12, 2, 0), "gcc", "aarch64-linux-gnu", ("__ELF__",))
    assert told(tmp_path, "", arm) is None


def test_the_rows_are_sorted_and_unique() -> None:
    rows = [spelling for spelling, _ in OPTIONS]
    assert rows == sorted(set(rows))


def test_a_program_without_a_library_is_granted_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.c").touch()
    for words, least in (("", 4), ("-ffreestanding", 0), ("-fno-builtin", 0)):
        plan = parse([*words.split(), "-Os", "-c", "a.c"], cxx=False, cwd=str(tmp_path),
                     dialect=GCC)  # fmt: skip
        assert isinstance(plan, Plan)
        assert len(granted(plan)) == least


HEAD = b'# 0 "a.c"\n'
SYSTEM = b'# 1 "/usr/include/x.h" 1 3 4\n'


@pytest.mark.parametrize(
    "text",
    [
        b"int f(int a) { return a; }",
        b'extern int scan(void) __asm__ ("" "__scan") __attribute__ ((__nothrow__ , __leaf__));',
        b"extern void *get(int) __attribute__ ((__malloc__)) __attribute__ ((__malloc__ (put)));",
        b'const char *s = "asm(x) __attribute__((optimize(3))) [[";',
        b'extern int sigpause (int __sig) __asm__ ("__xpg_sigpause") __attribute__ ((pure));',
        b'void f(int *p) { *p = 1; __asm__ __volatile__ ("": : :"memory"); *p = 2; }',
        b'void f(int *p) { *p = 1; asm volatile ("" ::: "memory"); *p = 2; }',
        b"[[__nodiscard__]] int f(void);\nvoid g(int a) { switch (a) { case 1: g(2); "
        b"[[fallthrough]]; default: g(3); } }",
        b'[[deprecated("with a reason")]] int f(void);',
        b"struct s { int a; } __attribute__((packed, aligned (4)));",
        SYSTEM + b"extern _Float128 f128(_Float128);\n# 2 \"a.c\" 2\nint g(void);",
        b"#pragma pack(push, 1)\nstruct s { char c; int i; };\n#pragma pack(pop)",
    ],
)  # fmt: skip
def test_ordinary_text_is_clangs_too(text: bytes) -> None:
    assert refusal(HEAD + text + b"\n") == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b'int f(void) { __asm__ volatile ("nop"); return 1; }', "assembler"),
        (b'void f(void) { __asm__ ("nop"); }', "assembler"),
        (b'void f(long a) { __asm__ volatile ("" : : "r"(a) : "memory"); }', "assembler"),
        (b"[[gnu::section(x)]] int v;", "brackets"),
        (b"[[__section__]] int v;", "section"),
        (b'register long sp asm ("rsp");', "assembler"),
        (b'asm(".symver a,b@C");', "assembler"),
        (b'int f(int) __attribute__((optimize("O3")));', "optimize"),
        (b"int v __attribute__((vector_size(16)));", "vector_size"),
        (b'struct s { int a; } __attribute__((scalar_storage_order("big-endian")));', "scalar"),
        (b'int v __attribute__((aligned(4), section("x")));', "section"),
        (b'#pragma GCC optimize ("O3")', "optimize"),
        (b"#pragma omp parallel", "omp"),
        (b"__int128 v;", "__int128"),
        (b"_Float64 v;", "_Float64"),
        (b"_Complex double v;", "_Complex"),
        (b"_Decimal64 v;", "_Decimal64"),
        (b"_Atomic int v;", "_Atomic"),
        (b"[[gnu::packed]] struct s { int a; };", "brackets"),
        (b"int n = __builtin_object_size(p, 0);", "__builtin_object_size"),
        (SYSTEM + b"__inline int f(int n) { return __builtin_va_arg_pack_len(); }", "arg_pack"),
    ],
)
def test_what_the_two_may_understand_differently_is_refused(text: bytes, why: str) -> None:
    assert why in refusal(HEAD + text + b"\n")


def test_the_text_for_clang_has_the_sized_types_and_no_deallocators() -> None:
    text = (
        HEAD + b"extern _Float64 f(void);\nvoid *g(void) __attribute__ ((__malloc__ (free, 1)));\n"
    )
    changed = for_clang(text)
    assert changed.startswith(HEAD + b"typedef float _Float32;")
    assert b"free" not in changed
    assert for_clang(HEAD + b"int *p = malloc (4);\n") == HEAD + b"int *p = malloc (4);\n"
