"""Source → bitcode → object is the real compile, as long as no pass runs on either side."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from cr1cc.driver.argv import parse
from cr1cc.driver.commands import emission_command, emitted_split_dwarf, front_end_command
from cr1cc.records import Plan, Toolchain

VERSIONS = (14, 19, 23)

C_SOURCE = """
#define NAME weak_one
extern int callee(int);
extern _Thread_local int counter;
static const double table[] = {1.5, 2.5};
int zero, one = 1;
__attribute__((weak)) int NAME(int a) { return callee(a) + 1; }
static int inner(int a) { int room[32]; room[a & 31] = a; return callee(room[3]) + a; }
int outer(int a, float b) {
  counter++;
  switch (a) { case 0: return 5; case 1: return callee(9); case 2: return 7; case 3: return one;
               case 4: return zero; case 5: return (int)(b / 3.0f + table[a & 1]); }
  for (int i = 0; i < a; i++) zero += inner(i);
  return inner(a) + NAME(a);
}
"""

CXX_SOURCE = """
struct Base { virtual ~Base(); virtual int f(int); };
struct Guard { ~Guard(); };
int may_throw(int);
template <class T> T twice(T x) { return x + x; }
#ifdef NO_THROW
int f(int a) { Guard g; return twice(may_throw(a)); }
#else
int f(int a) { Guard g; try { return may_throw(a); } catch (int e) { return twice(e); } }
#endif
int Base::f(int a) { static int once = may_throw(1); return once + a; }
Base::~Base() {}
"""

PORTABLE = (
    "",
    "-fPIC",
    "-fpic -fvisibility=hidden",
    "-fPIE -fno-plt",
    "-ffunction-sections -fdata-sections",
    "-std=c99 -pedantic",
    "-fno-asynchronous-unwind-tables -fno-unwind-tables",
    "-fexceptions",
    "-fstack-protector-strong",
    "-fstack-protector-all -fstack-clash-protection",
    "-fno-omit-frame-pointer -fno-optimize-sibling-calls",
    "-fno-jump-tables",
    "-fno-zero-initialized-in-bss",
    "-fcommon",
    "-ffast-math",
    "-fno-strict-aliasing -fwrapv -fno-delete-null-pointer-checks",
    "-fno-builtin -ffreestanding",
    "-fno-inline",
    "-ftls-model=initial-exec",
    "-femulated-tls",
    "-fno-ident",
    "-fno-addrsig",
    "-ftrivial-auto-var-init=pattern",
    "-fpatchable-function-entry=2",
    "-funsigned-char -fshort-enums",
    "-g",
    "-g3 -gdwarf-4",
    "-gline-tables-only",
    "-g -gz",
    "-g -fdebug-prefix-map=/=/x/",
    "-g -gdwarf-aranges -ggnu-pubnames -gstrict-dwarf",
    "-g -fdebug-types-section",
    "-g -gsplit-dwarf=single",
    "-gsplit-dwarf",
    "-g -gsplit-dwarf -gno-split-dwarf",
    "-Wa,--noexecstack -Wl,-z,now -lm",
    "-DNAME2=1 -UNAME3 -pthread -pipe",
    "-O3 -Os",
)
X86 = (
    "-march=x86-64-v3 -mtune=generic",
    "-mno-red-zone -mno-sse2 -mno-sse -msoft-float",
    "-mcmodel=large",
    "-m32",
    "-mavx2 -mfma",
    "-fcf-protection=full",
    "-mretpoline",
    "-mstackrealign -mno-omit-leaf-frame-pointer",
)
CROSS = (
    ("AArch64", "--target=aarch64-linux-gnu -mbranch-protection=standard"),
    ("ARM", "--target=arm-linux-gnueabihf -mthumb -mcpu=cortex-a8"),
    ("RISCV", "-target riscv64-linux-gnu -march=rv64gc -mabi=lp64d"),
)
CXX = (
    "",
    "-fno-exceptions -DNO_THROW",
    "-fno-rtti -fno-exceptions -DNO_THROW",
    "-std=c++20 -g",
    "-fvisibility-inlines-hidden -fno-threadsafe-statics -ffunction-sections",
)


def run(toolchain: Toolchain, arguments: Sequence[str], cwd: Path) -> str:
    done = subprocess.run([toolchain.driver, *arguments], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stderr


def plan_of(arguments: Sequence[str], cwd: Path) -> Plan:
    plan = parse(arguments, cxx=False, cwd=str(cwd))
    assert isinstance(plan, Plan), plan
    return plan


@pytest.fixture(params=VERSIONS, ids=lambda version: f"clang {version}")
def toolchain(
    request: pytest.FixtureRequest, usable_compilers: Mapping[int, Toolchain]
) -> Toolchain:
    if request.param not in usable_compilers:
        pytest.skip(f"clang {request.param}")
    return usable_compilers[request.param]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.c").write_text(C_SOURCE)
    (tmp_path / "a.cc").write_text(CXX_SOURCE)
    return tmp_path


def check_unoptimised_objects_are_equal(toolchain: Toolchain, folder: Path, words: str) -> None:
    """Compare with the real command, its own passes switched off: then both ways hand the
    same module, attributes and all, to the back end, and the bytes must be the same."""
    arguments = ["-Oz", "-c", *words.split(), "-o", "real.o"]
    plan = plan_of(arguments, folder)
    real = run(toolchain, [*arguments, "-Xclang", "-disable-llvm-passes"], folder)
    front = run(toolchain, front_end_command(plan, "a.bc", with_dependencies=True), folder)
    assert front == real
    assert run(toolchain, emission_command(plan, "a.bc", "ours.o", ()), folder) == ""
    assert (folder / "ours.o").read_bytes() == (folder / "real.o").read_bytes()


@pytest.mark.parametrize(("target", "options"), CROSS)
def test_cross_compiled_objects_are_equal(
    toolchain: Toolchain, folder: Path, target: str, options: str
) -> None:
    if target not in toolchain.targets:
        pytest.skip(f"LLVM target {target} in clang {toolchain.major}")
    check_unoptimised_objects_are_equal(toolchain, folder, f"{options} a.c")


@pytest.mark.parametrize("options", PORTABLE)
def test_c_objects_are_equal(toolchain: Toolchain, folder: Path, options: str) -> None:
    check_unoptimised_objects_are_equal(toolchain, folder, f"{options} a.c")


@pytest.mark.parametrize("options", X86)
def test_x86_objects_are_equal(toolchain: Toolchain, folder: Path, options: str) -> None:
    check_unoptimised_objects_are_equal(
        toolchain, folder, f"--target=x86_64-linux-gnu {options} a.c"
    )


@pytest.mark.parametrize("options", CXX)
def test_cxx_objects_are_equal(toolchain: Toolchain, folder: Path, options: str) -> None:
    check_unoptimised_objects_are_equal(toolchain, folder, f"{options} a.cc")


@pytest.mark.parametrize("output", ["", "-o out/x.y.o"])
def test_split_debug_data_is_equal_under_the_final_name(
    toolchain: Toolchain, folder: Path, output: str
) -> None:
    (folder / "out").mkdir()
    arguments = ["-Oz", "-c", "-g", "-gsplit-dwarf", "a.c", *output.split()]
    plan = plan_of(arguments, folder)
    run(toolchain, [*arguments, "-Xclang", "-disable-llvm-passes"], folder)
    before = {path.name for path in folder.iterdir()}
    run(toolchain, front_end_command(plan, "a.bc", with_dependencies=True), folder)
    run(toolchain, emission_command(plan, "a.bc", "new.o", ()), folder)
    added = {path.name for path in folder.iterdir()} - before
    assert added == {"a.bc", "new.o", emitted_split_dwarf("new.o")}
    assert (folder / "new.o").read_bytes() == (folder / plan.output).read_bytes()
    split = folder / emitted_split_dwarf("new.o")
    assert split.read_bytes() == (folder / plan.split_dwarf).read_bytes()


@pytest.mark.parametrize(
    "options",
    [
        "-MD",
        "-MMD -MP",
        "-MD -o out/x.o",
        "-MD -o 'out/a b.o'",
        "-MD -o 'out/a$b#c.o'",
        "-MD -MT 'a b' -MT '$x' -MQ 'c d#$' -o x.o",
        "-MMD -MF out/y.d -o x.o",
        "-MD -MFout/y.d -o noext",
        "-Wp,-MD,out/y.d -o x.o",
        "-Wp,-MMD,out/y.d,z -o x.o",
        "-Wp,-MMD,out/.y.d -MP -o x.o",
        "-MD -MMD -MV -o x.y.o",
    ],
)
def test_the_dependency_file_has_the_same_name_and_bytes(
    toolchain: Toolchain, folder: Path, options: str
) -> None:
    (folder / "out").mkdir()
    (folder / "my head.h").touch()
    (folder / "a.c").write_text('#include <stddef.h>\n#include "my head.h"\nint x;\n')
    arguments = ["-Oz", "-c", "a.c", *shlex.split(options)]
    plan = plan_of(arguments, folder)
    run(toolchain, arguments, folder)
    files = {path: path.read_bytes() for path in folder.rglob("*.d")}
    assert files or ",z" in options
    for path in files:
        path.unlink()
    run(toolchain, front_end_command(plan, "a.bc", with_dependencies=False), folder)
    assert not list(folder.rglob("*.d"))
    run(toolchain, front_end_command(plan, "a.bc", with_dependencies=True), folder)
    assert {path: path.read_bytes() for path in folder.rglob("*.d")} == files


def test_the_emission_takes_back_end_options_and_the_user_keeps_their_level(folder: Path) -> None:
    plan = plan_of(["-Os", "-c", "a.c"], folder)
    command = emission_command(plan, "in.bc", "out.o", ("-x=1", "-y"))
    assert command[-9:-5] == ["-mllvm", "-x=1", "-mllvm", "-y"]
    assert command[-5:] == ["-x", "ir", "in.bc", "-o", "out.o"]
    assert "-Os" in command


def test_a_source_that_looks_like_an_option_stays_a_source(folder: Path) -> None:
    (folder / "-odd.c").touch()
    plan = plan_of(["-Oz", "-c", "--", "-odd.c"], folder)
    assert front_end_command(plan, "x.bc", with_dependencies=False)[-2:] == ["--", "-odd.c"]
