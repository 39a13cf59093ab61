"""The table of builds for speed: every row is taken by its compiler, and none changes meaning."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from functools import partial

import pytest

from cr1cc.passes.macros import SIZE
from cr1cc.passes.recipe import adapt, check_recipe, format_recipe, parse_recipe
from cr1cc.records import Toolchain
from cr1cc.speed.isa import NAMES, isa_options, problem, written
from cr1cc.speed.table import BUILDS, CLANG, GCC, OWN, Build, build_of, builds_for

# GCC's and clang's manuals: these let a program mean something else, or its objects differ in
# what others see of them.
MEANING = (
    "-Ofast", "-fallow-store-data-races", "-fassociative-math", "-ffast-math", "-ffinite-loops",
    "-ffinite-math-only", "-ffp-contract", "-fipa-icf", "-fno-math-errno", "-fno-semantic",
    "-fno-signed-zeros", "-fno-trapping-math", "-fshort", "-fstrict", "-funsafe", "-march", "-mavx",
    "-mfma", "-msse", "-freciprocal", "-fexcess", "-flto", "-fprofile", "-fno-signaling",
)  # fmt: skip
MAJORS = range(14, 24)
every = partial(builds_for, with_recipes=True)
COUNTS = ("-fprofile-use", "-fprofile-correction", "-fprofile-partial-training")


@pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.title)
def test_no_row_changes_what_a_program_means(build: Build) -> None:
    # Which side of a branch is usual is no presumption: the other side stays.
    words = [word for word in build.options if not (build.profiled and word.startswith(COUNTS))]
    assert not [word for word in words if word.startswith(MEANING)]
    assert build.level in ("", "-O2", "-O3")
    assert (build.level == "") == (build.name == OWN)


def test_titles_differ_and_lead_back_to_their_rows() -> None:
    assert len({build.title for build in BUILDS}) == len(BUILDS)
    for build in BUILDS:
        assert build_of(build.label) is build_of(build.title) is build
        assert not set(build.name) & set(":,= ")
    doing = [(build.family, build.level, build.options, build.recipe) for build in BUILDS]
    assert len(set(doing)) == len(doing)


def test_a_donor_of_another_table_is_refused() -> None:
    for label in ("gcc:nonsense", "gcc:o3:00000000", "o3", ""):
        with pytest.raises(ValueError):
            build_of(label)


@pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.title)
def test_its_compiler_takes_every_row(
    build: Build, usable_compilers: Mapping[int, Toolchain]
) -> None:
    clangs = [toolchain.driver for toolchain in usable_compilers.values()]
    gccs = [path for name in ("gcc", "gcc-11", "gcc-12") if (path := shutil.which(name))]
    compilers = gccs if build.family == GCC else clangs
    if not compilers:
        pytest.skip(f"{build.family} is missing")
    for compiler in compilers:
        silent = ("-Wno-missing-profile",) if build.profiled else ()
        command = [
            compiler,
            build.level or "-O3",
            *build.options,
            "-Werror",
            *silent,
            "-c",
            "-xc",
            "-",
        ]
        done = subprocess.run(
            [*command, "-o", "/dev/null"], input="int f(int a){return a+1;}", text=True,
            capture_output=True, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, ""), compiler


RECIPES = [build for build in BUILDS if build.recipe]


@pytest.mark.parametrize("build", RECIPES, ids=lambda build: build.title)
@pytest.mark.parametrize("major", MAJORS)
def test_recipes_are_of_vetted_passes_and_begin_with_a_level(build: Build, major: int) -> None:
    recipe = parse_recipe(build.recipe)
    assert format_recipe(recipe) == build.recipe
    assert (build.family, recipe.options) == (CLANG, ())
    check_recipe(adapt(recipe, major, "X86"), major, "X86")
    assert any(stage in ("@O1", "@O2", "@O3") for stage in recipe.stages)
    # Sizes are asked for by attributes, which the front end writes for its own levels only.
    assert not any(stage in (SIZE, "@Os", "@Oz") for stage in recipe.stages)


def test_rows_with_a_recipe_need_a_library() -> None:
    with_it, without = (
        builds_for(CLANG, "x86_64-linux-gnu", (), with_other=True, with_recipes=some)
        for some in (True, False)
    )
    assert [build for build in with_it if build not in without] == RECIPES != []


def test_rows_of_the_other_family_and_against_the_users_options_are_left_out() -> None:
    titles = {build.title for build in every(GCC, "x86_64-linux-gnu", (), with_other=False)}
    assert titles == {build.title for build in BUILDS if build.family == GCC}
    both = every(CLANG, "x86_64-linux-gnu", ("-mtune=znver3",), with_other=True)
    assert not any(build.name == "tuned" for build in both)
    assert [build.title for build in both if build.name == OWN] == ["clang:own"]
    arm = every(GCC, "aarch64-linux-gnu", (), with_other=False)
    assert "gcc:tuned" not in {build.title for build in arm}


def test_another_instruction_set_rounds_as_before_unless_the_user_decides() -> None:
    assert isa_options("", ()) == ()
    assert isa_options("x86-64-v3", ()) == ("-march=x86-64-v3", "-ffp-contract=off")
    assert isa_options("native:1", ("-ffp-contract=fast",)) == ("-march=native",)


def test_native_is_what_it_was_on_this_processor_only() -> None:
    for name in NAMES:
        assert problem(written(name), "x86_64-linux-gnu") == ""
    assert "another processor" in problem("native:0", "x86_64-linux-gnu")
    assert "no instruction set" in problem("x86-64-v9", "x86_64-linux-gnu")
    assert "no instruction set" in problem("x86-64-v3", "aarch64-linux-gnu")
