"""The donor builds for commands of gcc: a row each, in the order in which they are tried.

An option is here only if gcc documents it as a choice of the optimiser that keeps the
meaning of programs, and if objects made with and without it can be linked: calling
conventions, layout of data, the instruction set and what the user asked for beyond
optimisation (unwind tables, stack protection, errno, floating point) stay as they are.
Options that the user names come behind those of the row, and the last one wins.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cr1cc.donors.row import CLANG, GCC, Row
from cr1cc.records import Level, Recipe

__all__ = [
    "APART", "CLANG", "DONORS", "GCC", "OWN", "PASSES", "SMALLEST", "Donor",
    "digest", "donor_named", "donor_of", "donors_for",
]  # fmt: skip

# The level of a donor that is the smallest one that the compiler has.
SMALLEST = "smallest"

_OZ_SINCE = 12  # gcc; with 11 the smallest level is -Os

# What a build is told besides so that functions may be taken from it. Callers by gcc otherwise
# rely on registers and on a stack that a callee of the same build leaves as they are; clang
# otherwise writes some tables that only its own assembler knows.
APART = {
    GCC: ("-fno-ipa-ra", "-fno-ipa-stack-alignment"),
    CLANG: ("-fno-integrated-as",),
}

SIZE = (Level.OS, Level.OZ)


@dataclass(frozen=True)
class Donor(Row):
    """One build, for commands with one of `objectives`. `llvm` is what clang is told with
    `-mllvm`: options that the clang at hand has no row for in `passes/options.py` are left out."""

    objectives: tuple[Level, ...] = SIZE
    llvm: tuple[str, ...] = ()

    def level_option(self, major: int) -> str:
        """The option of the level, for gcc of that major version."""
        if self.level != SMALLEST:
            return self.level
        return "-Oz" if self.family == CLANG or major >= _OZ_SINCE else "-Os"

    def recipe(self, major: int, more: tuple[str, ...] = ()) -> Recipe:
        """The build as a decision holds it: compiler and level, then the options, and `more`."""
        options = self.options + self.llvm + more
        return Recipe((f"{self.family} {self.level_option(major)}",), options)

    def text(self, major: int) -> str:
        """The same in words, as a decision says it of a function."""
        return " ".join((self.family, self.level_option(major), *self.options, *self.llvm))


# A frame pointer where there is a frame; functions that call nothing do without.
_FRAME = ("-fno-omit-frame-pointer", "-momit-leaf-frame-pointer")

# What LLVM is told that no row of `passes/options.py` says: to run a pass that is vetted.
PASSES = {"-enable-merge-functions": "mergefunc", "-ir-outliner": "iroutliner"}

# In the order of greedy covers of the gains on open packages (docs/gcc.md), so any budget
# has a good beginning. A frame pointer makes addresses on the stack shorter and leaves less
# to say to the unwinder; passes that compute a value early, or in two places, cost registers
# that are saved and restored. What LLVM is told are sets that were found for clang's coreset.
DONORS: tuple[Donor, ...] = (
    Donor(
        GCC,
        SMALLEST,
        (
            "-fno-omit-frame-pointer", "--param=case-values-threshold=16", "-fno-code-hoisting",
            "-fno-tree-loop-im", "-fno-forward-propagate", "-fno-thread-jumps", "-fno-tree-ch",
            "-fno-move-loop-invariants", "-fno-delete-null-pointer-checks",
        ),
        "large frames, loops and small switches",
    ),
    Donor(
        CLANG,
        "-Oz",
        _FRAME,
        "functions that are alike, long ones with many branches",
        not_with=("-fomit-frame-pointer",),
        llvm=(
            "-disable-lsr", "-disable-machine-cse", "-disable-machine-licm",
            "-dom-tree-reachability-max-bbs-to-explore=2", "-enable-ext-tsp-block-placement",
            "-grow-region-complexity-budget=0", "-indvars-widen-indvars=false",
            "-inline-call-penalty=2", "-max-speculation-depth=2", "-min-jump-table-entries=8",
            "-phi-elim-split-all-critical-edges", "-scalar-evolution-huge-expr-threshold=0",
            "-sink-insts-to-avoid-spills", "-enable-merge-functions",
        ),
    ),
    Donor(
        GCC,
        SMALLEST,
        (
            "-fno-omit-frame-pointer", "-fno-gcse", "-fno-guess-branch-probability",
            "-fno-tree-ter", "-fno-tree-sra", "-fno-tree-vrp", "-fno-rerun-cse-after-loop",
            "-fno-tree-slsr", "-fno-move-loop-invariants", "-fno-tree-scev-cprop",
        ),
        "large frames with structures on the stack",
    ),
    Donor(
        CLANG,
        "-Oz",
        _FRAME,
        "code that is there more than once",
        not_with=("-fomit-frame-pointer",),
        llvm=(
            "-aggressive-machine-cse", "-disable-block-placement", "-disable-lftr", "-disable-lsr",
            "-disable-machine-licm", "-enable-load-in-loop-pre=false", "-inline-instr-cost=2",
            "-join-splitedges", "-memdep-block-scan-limit=2", "-min-jump-table-entries=8",
            "-sink-common-insts=true", "-tail-merge-size=1", "-ir-outliner",
        ),
    ),
    Donor(
        GCC,
        SMALLEST,
        (
            "-fno-tree-loop-im", "-fno-cse-follow-jumps", "-fno-tree-sink", "-fno-ivopts",
            "-fno-tree-ch", "--param=max-inline-insns-auto=4", "-fno-move-loop-invariants",
        ),
        "loops with few values",
    ),
    Donor(
        CLANG,
        "-Oz",
        _FRAME,
        "addresses and branches as they stand in the source",
        not_with=("-fomit-frame-pointer",),
        llvm=(
            "-disable-machine-licm", "-disable-lsr", "-pre-RA-sched=list-burr",
            "-min-jump-table-entries=8", "-disable-cgp", "-tail-merge-size=1",
        ),
    ),
    Donor(
        CLANG,
        "-Oz",
        (),
        "small frames, code that is there more than once",
        llvm=(
            "-disable-lftr", "-disable-lsr", "-disable-machine-cse", "-disable-machine-licm",
            "-enable-load-in-loop-pre=false", "-enable-misched=false", "-inline-instr-cost=2",
            "-memdep-block-scan-limit=2", "-min-jump-table-entries=1000",
            "-pre-RA-sched=list-hybrid", "-sink-common-insts=true", "-use-mbpi=false",
            "-ir-outliner",
        ),
    ),
    Donor(
        GCC,
        SMALLEST,
        (
            "-fno-caller-saves", "-fno-tree-dominator-opts", "--param=gcse-unrestricted-cost=0",
            "-fno-tree-loop-im", "-fno-forward-propagate", "-fno-thread-jumps",
            "-fno-move-loop-invariants", "-fno-delete-null-pointer-checks",
        ),
        "long functions with many conditions",
    ),
    Donor(
        GCC,
        SMALLEST,
        (
            "-fno-omit-frame-pointer", "-fno-shrink-wrap", "-fno-guess-branch-probability",
            "-fno-expensive-optimizations", "-fno-tree-slsr",
        ),
        "large frames with several returns",
    ),
    Donor(
        GCC,
        SMALLEST,
        (
            "--param=case-values-threshold=16", "-fno-code-hoisting", "-fno-gcse",
            "-fno-inline-small-functions", "-fno-tree-sink", "-fno-expensive-optimizations",
            "--param=max-inline-insns-auto=4", "-fno-ipa-sra", "-fno-ipa-modref",
        ),
        "small functions that are called more than once",
    ),
    Donor(
        GCC,
        SMALLEST,
        (
            "-fno-caller-saves", "--param=case-values-threshold=16",
            "--param=gcse-unrestricted-cost=0", "-fno-shrink-wrap", "-fno-rerun-cse-after-loop",
            "-fno-expensive-optimizations", "-fno-split-wide-types", "-fno-move-loop-invariants",
            "-fno-ipa-cp",
        ),
        "wide integers, small switches",
    ),
    Donor(
        GCC,
        SMALLEST,
        (
            "-fno-omit-frame-pointer", "--param=gcse-unrestricted-cost=0", "-fno-tree-ter",
            "-fno-tree-sra", "-fno-expensive-optimizations", "-fno-thread-jumps",
            "--param=max-inline-insns-auto=4",
        ),
        "large frames and small functions",
    ),
    Donor(
        GCC,
        SMALLEST,
        (
            "-fno-omit-frame-pointer", "-fno-caller-saves", "-fno-shrink-wrap", "-fno-tree-loop-im",
            "-fno-cse-follow-jumps", "-fno-inline-functions-called-once",
            "-fno-rerun-cse-after-loop", "-fno-expensive-optimizations",
        ),
        "static functions that are better left alone",
    ),
)  # fmt: skip


# The user's own command once more, by level: what windows are replaced in where no other build is
# smaller. It is never tried by itself.
OWN = {level: Donor(GCC, f"-O{level.value}", (), "as it is") for level in Level}


def donors_for(
    level: Level, triple: str, user: Sequence[str], *, with_clang: bool
) -> tuple[Donor, ...]:
    """The rows for a command of gcc with that level and the options `user`, in order."""
    return tuple(
        donor
        for donor in DONORS
        if level in donor.objectives
        and (with_clang or donor.family != CLANG)
        and donor.suits(triple, user)
    )


def affordable(donors: Sequence[Donor], budget: int) -> tuple[Donor, ...]:
    """The first donors of each compiler: of gcc what the budget has besides the user's own object,
    and of clang half the budget. So what clang adds is added: no donor of gcc makes room for it."""
    room = {True: budget // 2, False: max(0, budget - 1)}
    kept = []
    for donor in donors:
        is_clang = donor.family == CLANG
        if room[is_clang]:
            room[is_clang] -= 1
            kept.append(donor)
    return tuple(kept)


def donor_of(recipe: Recipe, major: int) -> Donor:
    """The row that `recipe` came from, with `APART` or without; a stored one may be anything.
    Raises ValueError."""
    return _row(
        lambda donor: recipe in (donor.recipe(major), donor.recipe(major, APART[donor.family]))
    )


def donor_named(text: str, major: int) -> Donor:
    """The row that prints as `text`. Raises ValueError if there is none."""
    return _row(lambda donor: donor.text(major) == text)


def _row(fits: Callable[[Donor], bool]) -> Donor:
    for donor in (*DONORS, *OWN.values()):
        if fits(donor):
            return donor
    raise ValueError("not a donor of the table")


def digest() -> str:
    """What changes with the table, hexadecimal; it is part of every key."""
    rows = [
        (donor.family, donor.level, donor.options, donor.llvm, donor.targets, donor.not_with,
         [level.value for level in donor.objectives])
        for donor in DONORS
    ]  # fmt: skip
    return hashlib.blake2b(repr(rows).encode(), digest_size=8).hexdigest()
