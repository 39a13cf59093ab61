"""The tables of passes and options: in order, without repetition, true of every LLVM."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from cr1cc.passes import TABLE_VERSION
from cr1cc.passes.grammar import check_pipeline, parse_pipeline
from cr1cc.passes.macros import MACROS, expand
from cr1cc.passes.options import OPTIONS, REFUSED_OPTIONS, find_option, options_for
from cr1cc.passes.pipeline import nest
from cr1cc.passes.rows import NEWEST, OLDEST, Pass, forms_for, parameter_problem
from cr1cc.passes.table import PASSES, REFUSED, find_pass, passes_for
from cr1cc.records import Level, Toolchain

Accepts = Callable[[list[str]], dict[str, str]]


@pytest.mark.parametrize(
    "names",
    [
        [row.name for row in PASSES],
        [row.name for row in REFUSED],
        [row.text for row in OPTIONS if not row.tunes],
        [row.text for row in OPTIONS if row.tunes],
        [row.name for row in REFUSED_OPTIONS],
    ],
    ids=["passes", "refused passes", "options", "tuning options", "refused options"],
)
def test_rows_are_sorted_and_unique(names: list[str]) -> None:
    assert names == sorted(set(names))


def test_no_refused_pass_is_vetted() -> None:
    assert not {row.name for row in REFUSED} & {row.name for row in PASSES}
    refused = {row.name for row in REFUSED_OPTIONS}
    assert not [row for row in OPTIONS if row.text in refused or row.text.split("=")[0] in refused]


def test_nothing_that_drops_debug_data_is_vetted() -> None:
    assert not [row.name for row in PASSES if row.name.startswith(("strip", "debugify"))]


@pytest.mark.parametrize("row", PASSES, ids=lambda row: row.name)
def test_a_row_says_why_and_its_forms_and_parameters_hold_somewhere(row: Pass) -> None:
    assert row.trust
    assert OLDEST <= row.since <= row.until <= NEWEST
    parameters = [parameter.name for parameter in row.parameters]
    assert parameters == sorted(set(parameters))
    for form in row.forms:
        majors = range(row.since, row.until + 1)
        assert any(not parameter_problem(row, form, major) for major in majors), form
    for major in range(row.since, row.until + 1):
        assert forms_for(row, major), f"no form holds for LLVM {major}"


def test_every_pass_form_is_accepted_by_llvm(toolchain: Toolchain, accepts: Accepts) -> None:
    major = toolchain.major
    pipelines = [
        nest([form]) for row in passes_for(major, size_only=False) for form in forms_for(row, major)
    ]
    assert len(pipelines) > 60
    assert accepts(pipelines) == {}


def test_every_parameter_is_accepted_by_llvm(toolchain: Toolchain, accepts: Accepts) -> None:
    pipelines = []
    for row in passes_for(toolchain.major, size_only=False):
        for parameter in row.parameters:
            if not parameter.since <= toolchain.major <= parameter.until:
                continue
            if parameter.low is not None:
                texts = [f"{parameter.name}={parameter.low}", f"{parameter.name}={parameter.high}"]
            else:
                texts = [parameter.name] + ["no-" + parameter.name] * parameter.negatable
            required = row.required[0] if row.required else ""
            texts = [";".join({text: 0, required: 0}).strip(";") for text in texts]
            pipelines += [nest([f"{row.name}<{text}>"]) for text in texts]
    assert pipelines
    assert accepts(pipelines) == {}


def test_every_pass_is_accepted_at_every_level_that_its_row_names(
    toolchain: Toolchain,
    accepts: Accepts,
) -> None:
    pipelines = []
    for row in passes_for(toolchain.major, size_only=False):
        for level in row.levels:
            text = forms_for(row, toolchain.major)[0]
            for manager in {
                "loop": ["loop", "function"],
                "loop-mssa": ["loop-mssa", "function"],
            }.get(level.value, [level.value]):
                text = f"{manager}({text})"
            check_pipeline(parse_pipeline(text), toolchain.major)
            pipelines.append(text)
    assert accepts(pipelines) == {}


def test_every_macro_is_accepted_by_llvm(toolchain: Toolchain, accepts: Accepts) -> None:
    texts = {expand(macro, toolchain.major, level) for macro in MACROS for level in Level}
    assert accepts(sorted(texts)) == {}


def _clang_takes(toolchain: Toolchain, option: str) -> bool:
    # In process an unknown option is ignored in silence; the driver says so.
    command = [toolchain.driver, "-Oz", "-x", "c", "-", "-c", "-o", "/dev/null", "-mllvm", option]
    made = subprocess.run(command, input=b"int f(int x) { return x; }", capture_output=True)
    return made.returncode == 0


def test_every_option_is_accepted_by_clang(toolchain: Toolchain) -> None:
    rows = options_for(toolchain.major, "X86")
    assert [row.text for row in rows if not _clang_takes(toolchain, row.text)] == []


def test_an_option_unknown_to_clang_would_be_noticed(toolchain: Toolchain) -> None:
    assert not _clang_takes(toolchain, "-no-such-option-of-llvm")


def test_lookups_find_rows_and_nothing_else() -> None:
    assert find_pass("gvn") is not None
    assert find_pass("newgvn") is None
    assert find_option("-disable-lsr") is not None
    assert find_option("-disable-lsr=false") is None


def test_the_table_version_names_the_tables() -> None:
    assert len(TABLE_VERSION) == 16
    int(TABLE_VERSION, 16)
