"""Command lines become plans, or reasons."""

from __future__ import annotations

from pathlib import Path

import pytest

from cr1cc.driver.argv import environment_outcome, parse
from cr1cc.driver.clang import CLANG
from cr1cc.outcome import Outcome
from cr1cc.records import Level, Passthrough, Plan, Speed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.c", "b.c", "a.cc", "a.i", "a.ii", "a.s", "a.S", "a.ll", "a.bc", "a.h", "a.m"):
        (tmp_path / name).touch()
    for name in ("-odd.c", "a b.c", "a.txt", "a.o", "a.C", "noext", "a.f90", "a.cu"):
        (tmp_path / name).touch()
    (tmp_path / "dir.c").mkdir()
    (tmp_path / "out").mkdir()
    return tmp_path


def plan_of(folder: Path, *arguments: str, cxx: bool = False) -> Plan:
    plan = parse(arguments, cxx=cxx, cwd=str(folder))
    assert isinstance(plan, Plan), plan
    return plan


def reason_of(folder: Path, *arguments: str, cxx: bool = False) -> Outcome:
    reason = parse(arguments, cxx=cxx, cwd=str(folder))
    assert isinstance(reason, Passthrough), reason
    return reason.outcome


PASSED_THROUGH = [
    ("", Outcome.NO_INPUT),
    ("-Oz -c", Outcome.NO_INPUT),
    ("-Oz -c -", Outcome.STDIN_INPUT),
    ("-Oz -c -x c - -o x.o", Outcome.STDIN_INPUT),
    ("-Oz -c a.c -o -", Outcome.STDOUT_OUTPUT),
    ("-Oz -c a.c -o /dev/null", Outcome.STDOUT_OUTPUT),
    ("-Oz -c a.c -o out", Outcome.STDOUT_OUTPUT),
    ("-Oz -c a.c b.c", Outcome.SEVERAL_INPUTS),
    ("-Oz -c a.c a.o", Outcome.SEVERAL_INPUTS),
    ("-Oz a.c", Outcome.LINK),
    ("-Oz a.c -o prog -lm", Outcome.LINK),
    ("a.o -o prog", Outcome.LINK),
    ("-Oz -E a.c", Outcome.NOT_A_COMPILATION),
    ("-Oz -M a.c", Outcome.NOT_A_COMPILATION),
    ("-Oz -MM a.c", Outcome.NOT_A_COMPILATION),
    ("-Oz -S a.c", Outcome.NOT_A_COMPILATION),
    ("-Oz -c -S a.c", Outcome.NOT_A_COMPILATION),
    ("-Oz -c -emit-llvm a.c", Outcome.NOT_A_COMPILATION),
    ("-Oz -c -emit-ast a.c", Outcome.NOT_A_COMPILATION),
    ("-Oz -fsyntax-only a.c", Outcome.NOT_A_COMPILATION),
    ("--precompile -Oz a.c", Outcome.NOT_A_COMPILATION),
    ("--version", Outcome.QUERY),
    ("-v", Outcome.QUERY),
    ("-v -Oz -c a.c", Outcome.QUERY),
    ("-### -Oz -c a.c", Outcome.QUERY),
    ("-dumpversion", Outcome.QUERY),
    ("-dumpmachine", Outcome.QUERY),
    ("-print-search-dirs", Outcome.QUERY),
    ("-print-file-name=libc.a", Outcome.QUERY),
    ("--print-resource-dir", Outcome.QUERY),
    ("--help", Outcome.QUERY),
    ("-mcpu=help -Oz -c a.c", Outcome.QUERY),
    ("-c a.c", Outcome.NO_OPTIMISATION),
    ("-O -c a.c", Outcome.NO_OPTIMISATION),
    ("-O0 -c a.c", Outcome.NO_OPTIMISATION),
    ("-O1 -c a.c", Outcome.NO_OPTIMISATION),
    ("-O2 -O1 -c a.c", Outcome.NO_OPTIMISATION),
    ("-Ofast -c a.c", Outcome.NO_OPTIMISATION),
    ("-Og -c a.c", Outcome.NO_OPTIMISATION),
    ("-Os -O -c a.c", Outcome.NO_OPTIMISATION),
    ("-O1 -fsanitize=address -c a.c", Outcome.NO_OPTIMISATION),
    ("-O2 -fsanitize=address -c a.c", Outcome.SANITIZER),
    ("-Oz -c a.c -o conftest.o", Outcome.PROBE),
    ("-Oz -c a.c -o CMakeFiles/CMakeScratch/TryCompile-x/a.c.o", Outcome.PROBE),
    ("-Oz -c a.c -o CMakeFiles/3.25.1/CompilerIdC/a.o", Outcome.PROBE),
    ("-Oz -c a.c -o meson-private/tmp1/output.obj", Outcome.PROBE),
    ("-Oz -c a.s", Outcome.LANGUAGE),
    ("-Oz -c a.S", Outcome.LANGUAGE),
    ("-Oz -c a.ll", Outcome.LANGUAGE),
    ("-Oz -c a.bc", Outcome.LANGUAGE),
    ("-Oz -c a.h", Outcome.LANGUAGE),
    ("-Oz -c a.m", Outcome.LANGUAGE),
    ("-Oz -c a.f90", Outcome.LANGUAGE),
    ("-Oz -c a.cu", Outcome.LANGUAGE),
    ("-Oz -c a.o", Outcome.LANGUAGE),
    ("-Oz -c a.txt", Outcome.LANGUAGE),
    ("-Oz -c noext", Outcome.LANGUAGE),
    ("-Oz -c -x assembler a.c", Outcome.LANGUAGE),
    ("-Oz -c -x c-header a.h", Outcome.LANGUAGE),
    ("-Oz -c -xobjective-c a.c", Outcome.LANGUAGE),
    ("-Oz -c -x c -x none a.txt", Outcome.LANGUAGE),
    ("-Oz -c -ObjC a.c", Outcome.LANGUAGE),
    ("-Oz -c a.c -x c++", Outcome.UNSUPPORTED_OPTION),
    ("-Oz -c missing.c", Outcome.MISSING_SOURCE),
    ("-Oz -c dir.c", Outcome.MISSING_SOURCE),
    ("-Oz -c -flto a.c", Outcome.LTO),
    ("-Oz -c -flto=thin a.c", Outcome.LTO),
    ("-Oz -c -fsanitize=address a.c", Outcome.SANITIZER),
    ("-Oz -c -fsanitize-trap=all a.c", Outcome.SANITIZER),
    ("-Oz -c --coverage a.c", Outcome.PROFILE),
    ("-Oz -c -fprofile-generate=x a.c", Outcome.PROFILE),
    ("-Oz -c -fprofile-instr-use=x a.c", Outcome.PROFILE),
    ("-Oz -c -pg a.c", Outcome.PROFILE),
    ("-Oz -c -finstrument-functions a.c", Outcome.PROFILE),
    ("-Oz -c -save-temps a.c", Outcome.SAVE_TEMPS),
    ("-Oz -c --save-temps=obj a.c", Outcome.SAVE_TEMPS),
    ("-Oz -c -fplugin=x.so a.c", Outcome.PLUGIN),
    ("-Oz -c -fpass-plugin=x.so a.c", Outcome.PLUGIN),
    ("-Oz -c -Xclang -load -Xclang x.so a.c", Outcome.PLUGIN),
    ("-Oz -c -Rpass=inline a.c", Outcome.REMARKS),
    ("-Oz -c -fsave-optimization-record a.c", Outcome.REMARKS),
    ("-Oz -c -fstack-usage a.c", Outcome.REMARKS),
    ("-Oz -c -Wframe-larger-than=8 a.c", Outcome.REMARKS),
    ("-Oz -c -ftime-trace a.c", Outcome.REMARKS),
    ("-Oz -c -arch arm64 a.c", Outcome.OFFLOAD),
    ("-Oz -c -fopenmp-targets=nvptx64 a.c", Outcome.OFFLOAD),
    ("-Oz -c -fmodules a.c", Outcome.PRECOMPILED_HEADER),
    ("-Oz -c -include-pch a.pch a.c", Outcome.PRECOMPILED_HEADER),
    ("-Oz -c -Xclang -ast-dump a.c", Outcome.UNSUPPORTED_OPTION),
    ("-Oz -c -mllvm -stats a.c", Outcome.UNSUPPORTED_OPTION),
    ("-Oz -c -MD -MJ x.json a.c", Outcome.UNSUPPORTED_OPTION),
    ("-Oz -c -Wp,-MT,x a.c", Outcome.UNSUPPORTED_OPTION),
    ("-Oz -c -frecord-command-line a.c", Outcome.UNSUPPORTED_OPTION),
    ("-Oz -c -fno-integrated-as a.c", Outcome.UNSUPPORTED_OPTION),
    ("-Oz -c -fno-such-thing a.c", Outcome.UNKNOWN_OPTION),
    ("-Oz -c a.c -o", Outcome.UNKNOWN_OPTION),
    ("-Oz -c @loop", Outcome.RESPONSE_FILE),
]


@pytest.mark.parametrize(("command", "outcome"), PASSED_THROUGH)
def test_what_is_not_understood_goes_through_under_its_reason(
    folder: Path, command: str, outcome: Outcome
) -> None:
    (folder / "loop").write_text("@loop")
    assert reason_of(folder, *command.split()) is outcome


@pytest.mark.parametrize(
    ("command", "cxx", "language", "output"),
    [
        ("-Oz -c a.c", False, "c", "a.o"),
        ("-c a.c -Oz -o out/x.o", False, "c", "out/x.o"),
        ("-c a.c -Oz -oout/x.o", False, "c", "out/x.o"),
        ("-c a.c -Oz -o x.o -o y.o", False, "c", "y.o"),
        ("-c a.c -Oz --output=y.o", False, "c", "y.o"),
        ("-Oz -c out/../a.c", False, "c", "a.o"),
        ("-Oz -c a.cc", False, "c++", "a.o"),
        ("-Oz -c a.C", False, "c++", "a.o"),
        ("-Oz -c a.i", False, "c", "a.o"),
        ("-Oz -c a.ii", False, "c++", "a.o"),
        ("-Oz -c a.c", True, "c++", "a.o"),
        ("-Oz -c -x c a.c", True, "c", "a.o"),
        ("-Oz -c -xc++ a.txt", False, "c++", "a.o"),
        ("-Oz -c -x assembler -x none a.c", False, "c", "a.o"),
        ("-Oz -c -x c noext", False, "c", "noext.o"),
        ("-Oz -c -- -odd.c", False, "c", "-odd.o"),
        ("-O2 -Oz -c a.c", False, "c", "a.o"),
    ],
)
def test_language_and_output_are_the_drivers(
    folder: Path, command: str, cxx: bool, language: str, output: str
) -> None:
    plan = plan_of(folder, *command.split(), cxx=cxx)
    assert (plan.language, plan.output) == (language, output)


@pytest.mark.parametrize(
    ("last", "level"),
    [("-Os", Level.OS), ("-Oz", Level.OZ), ("-O2", Speed.O2), ("-O3", Speed.O3)],
)
def test_the_last_level_counts_and_all_are_repeated(
    folder: Path, last: str, level: Level | Speed
) -> None:
    plan = plan_of(folder, "-O3", "-c", "a.c", last)
    assert plan.level is level
    assert plan.codegen == ("-O3", last)


def test_options_go_to_the_runs_that_need_them(folder: Path) -> None:
    command = (
        "-Oz -c -Iinc -D X=1 -std=c99 -fPIC -ffunction-sections -g -Wall -w -Wa,--noexecstack "
        "-Wl,-z,now -lm -march=x86-64 --target=x86_64-linux-gnu -fno-exceptions a.c -o x.o"
    )
    plan = plan_of(folder, *command.split())
    assert plan.text == (
        *("-std=c99", "-fPIC", "-ffunction-sections", "-g", "-Wa,--noexecstack"),
        *("-march=x86-64", "--target=x86_64-linux-gnu", "-fno-exceptions"),
    )
    assert plan.codegen == (
        *("-Oz", "-fPIC", "-ffunction-sections", "-g", "-Wa,--noexecstack"),
        *("-march=x86-64", "--target=x86_64-linux-gnu", "-fno-exceptions"),
    )
    assert plan.key == ("c", *plan.codegen)
    assert plan.frontend == (
        *("-Oz", "-Iinc", "-D", "X=1", "-std=c99", "-fPIC", "-ffunction-sections", "-g"),
        *("-Wall", "-w", "-Wl,-z,now", "-lm", "-march=x86-64", "--target=x86_64-linux-gnu"),
        "-fno-exceptions",
    )
    assert plan.triple == "x86_64-linux-gnu"
    assert plan.debug


def test_paths_and_macros_are_not_in_the_key(folder: Path) -> None:
    bare = plan_of(folder, "-Oz", "-c", "a.c")
    full = plan_of(
        folder, "-Oz", "-c", "-I/x", "-DX", "-Wall", "-MD", "-ffile-prefix-map=/x=y", "a.c", "-oz.o"
    )
    assert full.key == bare.key


def test_a_response_file_is_read_and_the_words_are_kept_as_given(folder: Path) -> None:
    (folder / "outer").write_text("-Oz @inner")
    (folder / "inner").write_text("-c 'a b.c'")
    plan = plan_of(folder, "@outer")
    assert plan.source == "a b.c"
    assert plan.arguments == ("@outer",)


@pytest.mark.parametrize(
    ("options", "dependency"),
    [
        ("", ()),
        ("-MP", ()),
        ("-MD", ("-MD", "-MF", "out/x.d", "-MQ", "out/x.o")),
        ("-MMD -MP", ("-MMD", "-MP", "-MF", "out/x.d", "-MQ", "out/x.o")),
        ("-MD -MFy.d", ("-MD", "-MFy.d", "-MQ", "out/x.o")),
        ("-MD -MT t -MQ u", ("-MD", "-MT", "t", "-MQ", "u", "-MF", "out/x.d")),
        ("-Wp,-MD,z.d", ("-MD", "-MF", "z.d", "-MQ", "out/x.o")),
        ("-Wp,-MMD,z.d", ("-MMD", "-MF", "z.d", "-MQ", "out/x.o")),
        ("-Wp,-MD", ("-MD", "-MF", "out/x.d", "-MQ", "out/x.o")),
    ],
)
def test_dependency_options_are_stated_in_full(
    folder: Path, options: str, dependency: tuple[str, ...]
) -> None:
    plan = plan_of(folder, *f"-Oz -c a.c {options} -o out/x.o".split())
    assert plan.dependency == dependency
    assert ("-MP" in plan.frontend) == (options == "-MP")


def test_without_an_output_side_files_lie_in_the_working_directory(folder: Path) -> None:
    plan = plan_of(folder, *["-Oz", "-c", "-MD", "-g", "-gsplit-dwarf", "out/../a.c"])
    assert plan.dependency == ("-MD", "-MF", "a.d", "-MQ", "a.o")
    assert plan.split_dwarf == "a.dwo"


@pytest.mark.parametrize(
    ("options", "debug", "split"),
    [
        ("", False, ""),
        ("-g", True, ""),
        ("-g -g0", False, ""),
        ("-gz", False, ""),
        ("-ggdb3", True, ""),
        ("-gline-tables-only", True, ""),
        ("-gdwarf-4 -gno-column-info", True, ""),
        ("-gsplit-dwarf", False, ""),
        ("-gsplit-dwarf -g", True, "out/x.dwo"),
        ("-g -gsplit-dwarf=split", True, "out/x.dwo"),
        ("-g -gsplit-dwarf=single", True, ""),
        ("-g -gsplit-dwarf -gno-split-dwarf", True, ""),
        ("-g -gsplit-dwarf -g0", False, ""),
    ],
)
def test_the_last_debug_option_counts(folder: Path, options: str, debug: bool, split: str) -> None:
    plan = plan_of(folder, *f"-Oz -c a.c {options} -o out/x.o".split())
    assert (plan.debug, plan.split_dwarf) == (debug, split)


@pytest.mark.parametrize("name", CLANG.variables)
def test_variables_that_change_the_command_are_a_reason(name: str) -> None:
    reason = environment_outcome({name: "x", "CPATH": "/y"})
    assert reason is not None
    assert reason.outcome is Outcome.UNSUPPORTED_OPTION
    assert name in reason.detail


def test_other_variables_are_no_reason() -> None:
    assert environment_outcome({"CPATH": "/x", "SOURCE_DATE_EPOCH": "0", "PATH": "/bin"}) is None
