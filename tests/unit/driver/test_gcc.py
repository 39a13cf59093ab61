"""Command lines of gcc become plans, or reasons; its option table against itself and gcc."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cr1cc.driver.argv import environment_outcome, parse
from cr1cc.driver.dialect import spellings
from cr1cc.driver.gcc import GCC
from cr1cc.driver.option import Form, Meaning
from cr1cc.driver.words import UnknownOptionError, read
from cr1cc.outcome import Kind, Outcome
from cr1cc.records import Level, Passthrough, Plan

SPELLINGS = sorted(GCC.options.by_spelling)

# Rows that stand for a family of options, for other versions or other targets: alone, gcc 12
# for x86-64 knows none of them.
FAMILIES = frozenset(
    {"--print-", "-fpath-coverage", "-fenable-", "-fdisable-", "-fdump-", "-fplugin-arg-",
     "-flang-info-", "-finstrument-functions-exclude-", "-fno-sanitize", "-fsanitize-",
     "-fanalyzer-", "-fopt-info-", "-fprofile-", "-gbtf", "-gcoff", "-m", "-d", "-W"}
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.c", "b.c", "a.cc", "a.i", "a.s", "a.S", "a.h", "a.f90", "a.o"):
        (tmp_path / name).touch()
    (tmp_path / "dir.c").mkdir()
    return tmp_path


def parsed(folder: Path, words: str, *, cxx: bool = False) -> Plan | Passthrough:
    return parse(words.split(), cxx=cxx, cwd=str(folder), dialect=GCC)


def plan_of(folder: Path, words: str, *, cxx: bool = False) -> Plan:
    plan = parsed(folder, words, cxx=cxx)
    assert isinstance(plan, Plan), plan
    return plan


PASSED_THROUGH = [
    ("", Outcome.NO_INPUT),
    ("-Os -c -", Outcome.STDIN_INPUT),
    ("-Os -c a.c -o -", Outcome.STDOUT_OUTPUT),
    ("-Os -c a.c -o /dev/null", Outcome.STDOUT_OUTPUT),
    ("-Os -c a.c b.c", Outcome.SEVERAL_INPUTS),
    ("-Os a.c", Outcome.LINK),
    ("-Os -E a.c", Outcome.NOT_A_COMPILATION),
    ("-Os -c -M a.c", Outcome.NOT_A_COMPILATION),
    ("-Os -c -MM a.c", Outcome.NOT_A_COMPILATION),
    ("-Os -S a.c", Outcome.NOT_A_COMPILATION),
    ("-Os -c -fsyntax-only a.c", Outcome.NOT_A_COMPILATION),
    ("--version", Outcome.QUERY),
    ("-v -Os -c a.c", Outcome.QUERY),
    ("-### -Os -c a.c", Outcome.QUERY),
    ("-dumpmachine", Outcome.QUERY),
    ("-print-file-name=libc.a", Outcome.QUERY),
    ("--help=optimizers -Os", Outcome.QUERY),
    ("-c a.c", Outcome.NO_OPTIMISATION),
    ("-O2 -O1 -c a.c", Outcome.NO_OPTIMISATION),
    ("-Os -Og -c a.c", Outcome.NO_OPTIMISATION),
    ("-Ofast -c a.c", Outcome.NO_OPTIMISATION),
    ("-Os -c a.c -o conftest.o", Outcome.PROBE),
    ("-Os -c a.s", Outcome.LANGUAGE),
    ("-Os -c a.S", Outcome.LANGUAGE),
    ("-Os -c a.h", Outcome.LANGUAGE),
    ("-Os -c a.f90", Outcome.LANGUAGE),
    ("-Os -c -x assembler a.c", Outcome.LANGUAGE),
    ("-Os -c a.c -x c++", Outcome.UNSUPPORTED_OPTION),
    ("-Os -c missing.c", Outcome.MISSING_SOURCE),
    ("-Os -c dir.c", Outcome.MISSING_SOURCE),
    ("-Os -c -flto a.c", Outcome.LTO),
    ("-Os -c -flto=auto a.c", Outcome.LTO),
    ("-Os -c -fsanitize=address a.c", Outcome.SANITIZER),
    ("-Os -c --coverage a.c", Outcome.PROFILE),
    ("-Os -c -pg a.c", Outcome.PROFILE),
    ("-Os -c -fprofile-generate a.c", Outcome.PROFILE),
    ("-Os -c -finstrument-functions a.c", Outcome.PROFILE),
    ("-Os -c -save-temps=obj a.c", Outcome.SAVE_TEMPS),
    ("-Os -c -fplugin=x.so a.c", Outcome.PLUGIN),
    ("-Os -c -fmodules-ts a.c", Outcome.PRECOMPILED_HEADER),
    ("-Os -c -fopt-info a.c", Outcome.REMARKS),
    ("-Os -c -fopt-info-inline=x a.c", Outcome.REMARKS),
    ("-Os -c -fstack-usage a.c", Outcome.REMARKS),
    ("-Os -c -fcallgraph-info=su a.c", Outcome.REMARKS),
    ("-Os -c -fanalyzer a.c", Outcome.REMARKS),
    ("-Os -c -ftime-report a.c", Outcome.REMARKS),
    ("-Os -c -fopenacc a.c", Outcome.OFFLOAD),
    ("-Os -c -g3 a.c", Outcome.UNSUPPORTED_OPTION),
    ("-Os -c -g -gsplit-dwarf a.c", Outcome.UNSUPPORTED_OPTION),
    ("-Os -c -fdump-tree-all a.c", Outcome.UNSUPPORTED_OPTION),
    ("-Os -c -da a.c", Outcome.UNSUPPORTED_OPTION),
    ("-Os -c -dumpdir x a.c", Outcome.UNSUPPORTED_OPTION),
    ("-Os -c -fcompare-debug a.c", Outcome.UNSUPPORTED_OPTION),
    ("-Os -c -fdirectives-only a.c", Outcome.UNSUPPORTED_OPTION),
    ("-Os -c -fpreprocessed a.c", Outcome.UNSUPPORTED_OPTION),
    ("-Os -c -frecord-gcc-switches a.c", Outcome.UNSUPPORTED_OPTION),
    ("-Os -c -fdiagnostics-format=sarif-file a.c", Outcome.UNSUPPORTED_OPTION),
    ("-Os -c -finput-charset=latin1 a.c", Outcome.UNSUPPORTED_OPTION),
    ("-Os -c -Wa,-adhln=x a.c", Outcome.UNSUPPORTED_OPTION),
    ("-Os -c -Wp,-imacros,x a.c", Outcome.UNSUPPORTED_OPTION),
    ("-Os -c -Wp,-MD a.c", Outcome.UNSUPPORTED_OPTION),
    ("-Os -c -Wp,-MD,- a.c", Outcome.UNSUPPORTED_OPTION),
    ("-Os -c -wrapper x a.c", Outcome.UNSUPPORTED_OPTION),
    ("-Os -c -specs=x a.c", Outcome.UNSUPPORTED_OPTION),
    ("-Os -c -MD -MF - a.c", Outcome.UNSUPPORTED_OPTION),
    ("-Os -c -fno-such-option a.c", Outcome.UNKNOWN_OPTION),
    ("-Os -c -- a.c", Outcome.UNKNOWN_OPTION),
]


@pytest.mark.parametrize(("words", "outcome"), PASSED_THROUGH)
def test_a_command_passes_through_for_its_reason(
    words: str, outcome: Outcome, folder: Path
) -> None:
    reason = parsed(folder, words)
    assert isinstance(reason, Passthrough), reason
    assert reason.outcome is outcome


def test_a_plan_has_what_reads_the_source_and_what_makes_code_apart(folder: Path) -> None:
    plan = plan_of(
        folder, "-Os -g -Iinc -DX=1 -Wall -std=c99 -fPIC -mtune=generic -MMD -lm -c a.c -o b.o"
    )
    assert plan.level is Level.OS
    assert plan.codegen == ("-g", "-std=c99", "-fPIC", "-mtune=generic")
    assert plan.key == ("c", *plan.codegen)
    assert plan.messages == ("-Wall",)
    assert plan.dependency == ("-MMD", "-MF", "b.d", "-MQ", "b.o")
    assert plan.frontend == (
        "-Os", "-g", "-Iinc", "-DX=1", "-Wall", "-std=c99", "-fPIC", "-mtune=generic",
    )  # fmt: skip
    assert plan.debug


@pytest.mark.parametrize(
    ("words", "language"), [("a.c", "c"), ("a.cc", "c++"), ("-x c++ a.c", "c++"), ("a.i", "c")]
)
def test_the_language_is_that_of_the_driver(words: str, language: str, folder: Path) -> None:
    assert plan_of(folder, f"-Oz -c {words}").language == language


def test_dependencies_that_the_preprocessor_is_told_of_stay_its_own(folder: Path) -> None:
    plan = plan_of(folder, "-Os -c a.c -Wp,-MMD,dir/.a.d -MP -o dir/a.o")
    assert plan.frontend == ("-Os", "-Wp,-MMD,dir/.a.d", "-MP")
    assert plan.dependency == ()


def test_the_cxx_driver_takes_c_for_cxx(folder: Path) -> None:
    assert plan_of(folder, "-Oz -c a.c", cxx=True).language == "c++"


@pytest.mark.parametrize(
    ("words", "preprocessed"),
    [("a.i", True), ("a.c", False), ("-x cpp-output a.c", True), ("-x c a.i", False)],
)
def test_a_preprocessed_source_is_known(words: str, preprocessed: bool, folder: Path) -> None:
    assert plan_of(folder, f"-Os -c {words}").preprocessed is preprocessed


@pytest.mark.parametrize("name", GCC.variables)
def test_a_variable_that_changes_commands_is_a_reason(name: str) -> None:
    assert environment_outcome({name: "x"}, GCC) is not None
    assert environment_outcome({"CPATH": "x", "PATH": "/bin"}, GCC) is None


@pytest.mark.parametrize("name", sorted(GCC.options.tables))
def test_every_table_is_sorted_by_spelling(name: str) -> None:
    rows = [row[0] for row in GCC.options.tables[name]]
    assert rows == sorted(rows)


def test_no_spelling_stands_in_two_rows() -> None:
    every = [s for t in GCC.options.tables.values() for row in t for s in spellings(row)]
    assert len(every) == len(set(every))


def forms_of(spelling: str) -> list[list[str]]:
    form, _ = GCC.options.by_spelling[spelling]
    joined, separate = [spelling + "1"], [spelling, "1"]
    return {
        Form.FLAG: [[spelling]],
        Form.JOINED: [joined],
        Form.SEPARATE: [separate],
        Form.JOINED_OR_SEPARATE: [joined, separate],
        Form.COMMA_JOINED: [[spelling + "1,2"]],
    }[form]


def test_every_row_reads_in_every_form_that_it_allows() -> None:
    for spelling in SPELLINGS:
        for texts in forms_of(spelling):
            words = read([*texts, "input.c"], GCC)
            assert words[-1].value == "input.c", texts
            assert [text for word in words[:-1] for text in word.texts] == texts
            assert words[0].spelling == spelling, texts


def test_options_without_their_value_are_unknown() -> None:
    for spelling in SPELLINGS:
        if GCC.options.by_spelling[spelling][0] in (Form.SEPARATE, Form.JOINED_OR_SEPARATE):
            with pytest.raises(UnknownOptionError, match="missing"):
                read([spelling], GCC)


def test_reasons_are_reasons_to_pass_through() -> None:
    for _, meaning in GCC.options.by_spelling.values():
        assert not isinstance(meaning, Outcome) or meaning.kind is Kind.PASSTHROUGH


def test_no_row_has_a_meaning_that_no_run_has() -> None:
    repeated = GCC.front_end | GCC.emission
    apart = {Meaning.DEPENDENCY, Meaning.OUTPUT, Meaning.MODE, Meaning.LINKER, Meaning.LANGUAGE}
    used = {m for _, m in GCC.options.by_spelling.values() if isinstance(m, Meaning)}
    assert used <= repeated | apart


def test_nearly_every_flag_is_known_to_a_real_gcc(tmp_path: Path) -> None:
    """gcc names all options that it does not know at once; some are of other versions."""
    gcc = shutil.which("gcc")
    if gcc is None:
        pytest.skip("gcc is missing")
    flags = [
        spelling
        for spelling in SPELLINGS
        if GCC.options.by_spelling[spelling][0] is Form.FLAG
        and GCC.options.by_spelling[spelling][1] is not Outcome.QUERY
        and spelling not in FAMILIES
        and spelling not in ("-E", "-S", "-M", "-MM", "--preprocess", "--assemble")
    ]
    (tmp_path / "a.c").write_text("")
    said = subprocess.run(
        [gcc, "-c", "a.c", "-o", "a.o", *flags],
        cwd=tmp_path, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}, capture_output=True, text=True,
    ).stderr  # fmt: skip
    unknown = set(re.findall(r"unrecognized command-line option '([^']+)'", said))
    assert len(unknown) < len(flags) / 10, sorted(unknown)
