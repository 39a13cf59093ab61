"""The table of donor builds: vetted options only, in order, apart by compiler and target."""

from __future__ import annotations

import pytest

from cr1cc.donors.build import llvm_options
from cr1cc.donors.table import (
    CLANG,
    DONORS,
    GCC,
    PASSES,
    SMALLEST,
    Donor,
    affordable,
    donor_named,
    donor_of,
    donors_for,
)
from cr1cc.passes.options import find_option
from cr1cc.passes.table import find_pass
from cr1cc.records import Level, Recipe

# What changes the meaning of programs, what other objects see of this one, the instruction
# set, or what the user asked for beyond optimisation. No row may begin with these.
FORBIDDEN = (
    "-ffast-math", "-funsafe-math", "-fno-math-errno", "-fno-trapping-math", "-ffinite-math",
    "-fno-signed-zeros", "-fassociative-math", "-freciprocal-math", "-fcx-", "-ffp-contract",
    "-fexcess-precision", "-fsingle-precision", "-fwhole-program", "-fmerge-all-constants",
    "-fno-semantic-interposition", "-fno-stack-protector", "-fno-stack-clash", "-fcf-protection",
    "-fno-asynchronous-unwind-tables", "-fno-unwind-tables", "-fno-exceptions", "-fno-plt",
    "-fshort-enums", "-fshort-wchar", "-fpack-struct", "-fpcc-struct", "-freg-struct",
    "-fcommon", "-fno-common", "-fvisibility", "-fcall-", "-ffixed-", "-flto", "-fallow-store",
    "-ffinite-loops", "-fdelete-dead-exceptions", "-fstrict-enums", "-fno-rtti", "-fno-threadsafe",
    "-fno-optimize-sibling-calls", "-fprofile", "-march", "-mcpu", "-mregparm", "-mabi", "-mno-",
    "-m32", "-m64", "-mx32", "-malign-", "-mpreferred-stack", "-mincoming-stack", "-msse", "-mavx",
    "-O",
)  # fmt: skip


def test_every_row_keeps_the_meaning_of_programs() -> None:
    for row in DONORS:
        assert not [option for option in row.options if option.startswith(FORBIDDEN)]
        assert row.level == SMALLEST or row.level in ("-Os", "-Oz", "-O1", "-O2")
        assert row.family in (GCC, CLANG)
        assert row.good_for
        assert row.objectives


def test_no_row_stands_twice() -> None:
    assert len({row.text(12) for row in DONORS}) == len(DONORS)


def test_every_row_is_found_again_by_its_recipe() -> None:
    for major in (11, 12, 14):
        for row in DONORS:
            assert donor_of(row.recipe(major), major) == row
            assert donor_named(row.text(major), major) == row


def test_a_recipe_that_is_no_row_is_refused() -> None:
    for recipe in (
        Recipe(),
        Recipe(("gcc -Oz",), ("-ffast-math",)),
        Recipe(("sh -c",), DONORS[0].options),
        Recipe(("gcc -O3",), DONORS[0].options),
    ):
        with pytest.raises(ValueError, match="not a donor"):
            donor_of(recipe, 12)
        with pytest.raises(ValueError, match="not a donor"):
            donor_named(" ".join((*recipe.stages, *recipe.options)), 12)


def test_before_gcc_12_the_smallest_level_is_os() -> None:
    row = next(row for row in DONORS if row.family == GCC and row.level == SMALLEST)
    assert (row.level_option(11), row.level_option(12)) == ("-Os", "-Oz")


def test_clang_is_left_out_unless_there_is_one() -> None:
    without = donors_for(Level.OS, "x86_64-linux-gnu", (), with_clang=False)
    assert {row.family for row in without} == {GCC}
    assert all(row in DONORS for row in without)


def test_clang_takes_no_room_of_gcc() -> None:
    without, both = (
        donors_for(Level.OS, "x86_64-linux-gnu", (), with_clang=with_clang)
        for with_clang in (False, True)
    )
    for budget, of_gcc, of_clang in ((0, 0, 0), (1, 0, 0), (2, 1, 1), (8, 7, 4)):
        kept = affordable(both, budget)
        assert [row for row in kept if row.family == GCC] == list(without[:of_gcc])
        assert sum(row.family == CLANG for row in kept) == of_clang
        assert affordable(without, budget) == without[:of_gcc]
    assert affordable(both, 1000) == both


def test_rows_of_other_targets_are_left_out() -> None:
    for row in donors_for(Level.OZ, "aarch64-linux-gnu", (), with_clang=True):
        assert not row.targets or "aarch64-linux-gnu".startswith(row.targets)


def test_options_of_llvm_are_vetted_ones() -> None:
    for row in DONORS:
        assert not row.llvm or row.family == CLANG
        assert all(option in PASSES or find_option(option) for option in row.llvm)
    assert all(find_pass(name) for name in PASSES.values())


def test_a_clang_is_told_the_options_that_it_has() -> None:
    row = Donor(
        CLANG, "-Oz", (), "a test", llvm=("-aggressive-machine-cse", "-disable-lsr", "-ir-outliner")
    )
    assert llvm_options(row, 19) == list(row.llvm)
    assert llvm_options(row, 14) == ["-disable-lsr", "-ir-outliner"]
