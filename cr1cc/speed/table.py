"""The donor builds for the levels of speed: a row each, in the order in which they are tried.

The rules are those of `donors/table.py`: an option is here only if the compiler documents it
as a choice of the optimiser that keeps the meaning of programs. Nothing that relaxes floating
point, assumes more of pointers or loops, or changes what other objects see has a row. Options
that the user names come behind those of the row, and the last one wins.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from cr1cc.donors.row import CLANG, GCC, Row

__all__ = ["BUILDS", "CLANG", "GCC", "OWN", "TRAINING", "Build", "build_of", "builds_for"]

OWN = "own"  # the user's own level and options

_X86 = ("x86_64",)

# Counts of several threads may not add up, which gcc then mends.
_PROFILE = ("-fprofile-use", "-fprofile-correction")


@dataclass(frozen=True)
class Build(Row):
    """One build: `level` is "" where it is the user's own; `profiled`: it needs the counts of
    a benchmark (`speed/training.py`); `recipe`: the passes that run instead of the level's, as
    text, "" for the level's own (`speed/recipe.py`)."""

    name: str = ""
    profiled: bool = False
    recipe: str = ""

    @property
    def digest(self) -> str:
        """What changes with what the build does, hexadecimal."""
        said = repr((self.level, self.options, *filter(None, [self.recipe])))
        return hashlib.blake2b(said.encode(), digest_size=4).hexdigest()

    @property
    def title(self) -> str:
        """What people and command lines call it."""
        return f"{self.family}:{self.name}"

    def in_words(self, level: str) -> str:
        """Compiler, options and recipe, for people; `level` is the option of the user's own."""
        passes = (f"by the passes {self.recipe}",) if self.recipe else ()
        return " ".join((self.family, self.level or level, *self.options, *passes))

    @property
    def label(self) -> str:
        """How a lockfile names it."""
        return f"{self.title}:{self.digest}"


BUILDS: tuple[Build, ...] = (
    Build(GCC, "", (), "the user's own choices, as the base for single functions", name=OWN),
    Build(GCC, "-O3", (), "more inlining and vectors than -O2", name="o3"),
    Build(GCC, "-O2", (), "code where -O3 only costs cache", name="o2"),
    Build(GCC, "-O3", ("-funroll-loops",), "short loops whose count is not known", name="unroll"),
    Build(GCC, "-O2", ("-funroll-loops",), "the same without wide inlining", name="o2-unroll"),
    Build(
        GCC, "-O3", ("-fno-tree-vectorize",),
        "loops that run a few times only, for which vectors cost more than they gain",
        name="scalar",
    ),
    Build(
        GCC, "-O3", ("-fno-tree-vectorize", "-funroll-loops"),
        "the same, with short bodies", name="scalar-unroll",
    ),
    Build(
        GCC, "-O3", ("-fvect-cost-model=unlimited",),
        "loops that the cost model wrongly leaves alone", name="vector",
    ),
    Build(
        GCC, "-O3",
        ("--param=max-inline-insns-auto=120", "--param=inline-unit-growth=200",
         "--param=early-inlining-insns=60", "--param=large-function-growth=400"),
        "call chains through small functions", name="inline",
    ),
    Build(
        GCC, "-O3",
        ("--param=max-inline-insns-auto=120", "--param=inline-unit-growth=200",
         "--param=early-inlining-insns=60", "--param=large-function-growth=400",
         "-funroll-loops", "-fpeel-loops"),
        "the same with loops in them", name="inline-unroll",
    ),
    Build(
        GCC, "-O3", ("-fno-if-conversion", "-fno-if-conversion2",
                                   "-fno-tree-loop-if-convert"),
        "conditions that are easy to predict: interpreters, parsers", name="branches",
    ),
    Build(
        GCC, "-O3", ("-fno-gcse", "-fno-crossjumping", "-fno-tree-tail-merge"),
        "computed goto: each instruction keeps its own jump (GCC's manual on -fno-gcse)",
        name="dispatch",
    ),
    Build(
        GCC, "-O3",
        ("-fschedule-insns", "-fsched-pressure", "-frename-registers", "-fira-loop-pressure"),
        "long dependent computations", name="registers",
    ),
    Build(
        GCC, "-O3", ("-falign-functions=64", "-falign-loops=32", "-falign-jumps=16"),
        "small hot loops across lines of the cache", name="aligned",
    ),
    Build(
        GCC, "-O3", ("-fipa-pta", "-fgcse-las", "-fgcse-sm", "-ftree-loop-im"),
        "loops through several pointers", name="aliases",
    ),
    Build(
        GCC, "-O3",
        ("-floop-nest-optimize", "-ftree-loop-distribution", "-floop-interchange",
         "-floop-unroll-and-jam"),
        "nested loops over matrices", name="loops",
    ),
    Build(
        GCC, "-O3", ("-mtune=skylake-avx512", "-funroll-loops"),
        "processors whose costs differ from the generic ones",
        targets=_X86, not_with=("-mtune=", "-mcpu=", "-march="), name="tuned",
    ),
    Build(
        GCC, "-O3", ("-mtune=znver3",), "the same for another family of processors",
        targets=_X86, not_with=("-mtune=", "-mcpu=", "-march="), name="tuned-zen",
    ),
    Build(
        GCC, "-O3", ("-mprefer-vector-width=512",),
        "long loops, where 512 bits are allowed",
        targets=_X86, not_with=("-mprefer-vector-width=",), name="wide",
    ),
    Build(
        GCC, "-O3", (*_PROFILE, "-fprofile-partial-training"),
        "branches whose usual side the benchmark shows; what it does not run stays as it is",
        name="profile", profiled=True,
    ),
    Build(
        GCC, "-O3", _PROFILE, "the same, and what the benchmark does not run becomes small",
        name="profile-whole", profiled=True,
    ),
    Build(
        GCC, "-O3", (*_PROFILE, "-fno-tree-vectorize"), "the same, loops that run a few times",
        name="profile-scalar", profiled=True,
    ),
    Build(
        GCC, "-O2", _PROFILE, "the same without wide inlining", name="profile-o2", profiled=True
    ),
    Build(CLANG, "", (), "the user's own choices, as the base for single functions", name=OWN),
    Build(CLANG, "-O3", (), "another compiler's vectors, unrolling and selection", name="o3"),
    Build(CLANG, "-O2", (), "the same with less inlining", name="o2"),
    Build(
        CLANG, "-O3", ("-fno-vectorize", "-fno-slp-vectorize"),
        "loops that run a few times only", name="scalar",
    ),
    Build(
        CLANG, "-O3", ("-mllvm", "-inline-threshold=1000"),
        "call chains through small functions", name="inline",
    ),
    Build(
        CLANG, "-O3", ("-mllvm", "-unroll-threshold=600", "-mllvm", "-unroll-runtime"),
        "short loops", name="unroll",
    ),
    Build(
        CLANG, "-O3", ("-fno-unroll-loops",),
        "large loops of few iterations", name="no-unroll",
    ),
    Build(
        CLANG, "-O3", ("-mprefer-vector-width=512",),
        "long loops, where 512 bits are allowed",
        targets=_X86, not_with=("-mprefer-vector-width=",), name="wide",
    ),
    Build(
        CLANG, "-O3", ("-mtune=skylake-avx512",),
        "processors whose costs differ from the generic ones",
        targets=_X86, not_with=("-mtune=", "-mcpu=", "-march="), name="tuned",
    ),
    Build(
        CLANG, "-O3", ("-mtune=znver3",), "the same for another family of processors",
        targets=_X86, not_with=("-mtune=", "-mcpu=", "-march="), name="tuned-zen",
    ),
    Build(
        CLANG, "-O3", (), "loops that only a first round makes fit for vectors and unrolling",
        recipe="@O3; @O3", name="twice",
    ),
    Build(
        CLANG, "-O3", (), "the same without more inlining",
        recipe="@O3; function-simplification<O3>; function(slp-vectorizer,instcombine)",
        name="simplified",
    ),
    Build(
        CLANG, "-O3", (), "loops that were simplified before anything was inlined for speed",
        recipe="@O1; @O3", name="o1-o3",
    ),
    Build(
        CLANG, "-O3", (), "short loops whose bodies fold into each other",
        recipe="@O3; function(loop-unroll<O3;runtime;partial>); function-simplification<O3>",
        name="unrolled",
    ),
)  # fmt: skip

# Counts for the profiled ones; no decision has it.
TRAINING = Build(
    GCC, "-O3", ("-fprofile-generate", "-fprofile-update=prefer-atomic"),
    "counting how often each branch is taken", name="training", profiled=True,
)  # fmt: skip

_BY_TITLE = {build.title: build for build in (*BUILDS, TRAINING)}


def builds_for(
    family: str, triple: str, user: Sequence[str], *, with_other: bool, with_recipes: bool
) -> tuple[Build, ...]:
    """The rows for a command of that family with the options `user`, in order."""
    return tuple(
        build
        for build in BUILDS
        if (build.family == family or (with_other and build.name != OWN))
        and (with_recipes or not build.recipe)
        and build.suits(triple, user)
    )


def build_of(label: str) -> Build:
    """The row that a lockfile, or a person, names. Raises ValueError if there is none now."""
    family, _, rest = label.partition(":")
    name, _, digest = rest.partition(":")
    build = _BY_TITLE.get(f"{family}:{name}")
    if build is None:
        raise ValueError(f"there is no donor {label}")
    if digest and digest != build.digest:
        raise ValueError(f"the donor {build.title} is another one in this version of cr1")
    return build
