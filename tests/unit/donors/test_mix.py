"""Functions of several donor builds in one object: the program does the same, nothing is larger."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cr1cc.asm.reader import read_unit
from cr1cc.donors.build import Build, Clang, RealGcc
from cr1cc.donors.clang_options import clang_options, granted
from cr1cc.donors.known import repeated
from cr1cc.donors.mix import mix, remix
from cr1cc.donors.parts import Measured, parts_of
from cr1cc.donors.search import best_donor
from cr1cc.donors.table import APART, GCC, Donor, donor_of, donors_for
from cr1cc.driver.argv import parse
from cr1cc.driver.gcc import GCC as DIALECT
from cr1cc.errors import AsmError, EvaluationError
from cr1cc.records import Decision, Plan
from cr1cc.toolchain.describe_gcc import describe_gcc
from cr1cc.util.elf import ObjectFile
from tests.unit.asm.conftest import PROGRAMS, compiler_for, run

# Its functions are smallest by different donors.
_CONTROL = next(path for path in PROGRAMS if path.name == "control.c")

_LONELY = """
static __attribute__((noinline)) int g(int x) { return x * x + 3; }
int f(int a, int b) { int c = g(a) + b, d = g(c) * a; return g(d) + c - b + (a > b); }
"""

_SHARING = """
int table(int x) {
    switch (x) { case 1: return 7; case 2: return 3; case 3: return 9; case 4: return 2;
                 case 5: return 8; case 6: return x * 3; case 7: return 1; default: return 0; }
}
int total(const int *p, int n) { int s = 0; for (int i = 0; i < n; i++) s += p[i] * 5; return s; }
long frame(long (*f)(int *), int k) {
    int a[64]; for (int i = 0; i < 64; i++) a[i] = i * k; return f(a) + f(a + a[3]) + a[7] + a[9];
}
static int shared(int x) { return x * x + 3; }
int first(int x) { return shared(x) + shared(x + 1) * shared(x - 4); }
int second(int x) { return shared(x) - shared(x * 9) % shared(2 - x); }
int (*address(void))(int) { return shared; }
"""


class Place:
    """A source in a folder of its own, and the gcc that compiles it."""

    def __init__(self, folder: Path, source: Path, options: str, driver: str, clang: str) -> None:
        self.folder, self.source = folder, source
        words = [*options.split(), "-c", str(source), "-o", str(folder / "made.o")]
        plan = parse(words, cxx=source.suffix != ".c", cwd=str(folder), dialect=DIALECT)
        assert isinstance(plan, Plan), plan
        toolchain = describe_gcc(driver, cache_dir=str(folder))
        told = clang_options(plan, toolchain) if clang else None
        helper = (
            Clang(clang, clang, _major(clang), told, granted(plan)) if told is not None else None
        )
        self.compiler = RealGcc(plan, toolchain, os.environ, helper)
        self.donors = donors_for(
            plan.level, toolchain.triple, plan.codegen, with_clang=helper is not None
        )
        self.text, _ = self.compiler.text()
        assert self.compiler.original() == (0, True)
        self.baseline = (folder / "made.o").read_bytes()
        self.pie = ["-no-pie"] if "-no-pie" in options.replace("-fno-pie", "-no-pie") else []

    def builds(self) -> dict[str, Build]:
        made = {}
        for donor in self.donors:
            try:
                made[donor.text(self.compiler.toolchain.major)] = self.compiler.build(
                    donor, self.text
                )
            except EvaluationError:
                continue
        return made

    def outcome(self, data: bytes) -> tuple[str, int]:
        (self.folder / "linked.o").write_bytes(data)
        program = self.folder / "program"
        linked = run(
            self.compiler.toolchain.driver, *self.pie, self.folder / "linked.o", "-o", program
        )
        assert linked.returncode == 0, linked.stderr
        done = run(program, cwd=self.folder)
        return done.stdout, done.returncode

    def decided(self) -> tuple[Decision, bytes | None]:
        return best_donor(self.compiler, self.text, self.baseline, self.donors)[:2]


def _major(clang: str) -> int:
    return int(clang.rpartition("-")[2])


Made = Callable[..., Place]


@pytest.fixture
def place(tmp_path: Path) -> Made:
    """`place(source, options, compiler, clang)`; a source that is text is C."""

    def make(
        source: Path | str, options: str = "-Os", compiler: str = "gcc", clang: str = ""
    ) -> Place:
        path = source if isinstance(source, Path) else tmp_path / "text.c"
        if isinstance(source, str):
            path.write_text(source)
        driver = shutil.which(compiler_for(path, compiler))
        if driver is None:
            pytest.skip(f"{compiler} is missing")
        return Place(tmp_path, path, options, driver, (clang and shutil.which(clang)) or "")

    return make


def granted_to(here: Place) -> frozenset[str]:
    return here.compiler.clang.granted if here.compiler.clang else frozenset()


def check_all(here: Place) -> int:
    """Every build, whole and with functions of the others, does the same; how many were mixed."""
    builds, mixed = here.builds(), 0
    assert len(builds) > 5
    expected = here.outcome(here.baseline)
    texts = {name: build.assembly for name, build in builds.items()}
    for name, build in builds.items():
        assert here.outcome(build.data) == expected, name
        made = mix(name, builds, granted_to(here))
        if made is None:
            continue
        choice, assembly = made
        assert here.outcome(here.compiler.assemble(assembly)) == expected, (name, choice)
        assert remix(name, texts, choice, granted_to(here)) == assembly
        mixed += 1
    return mixed


@pytest.mark.parametrize("source", PROGRAMS, ids=lambda path: path.name)
@pytest.mark.parametrize("clang", ["", "clang-19"], ids=["gcc", "gcc and clang"])
def test_a_program_does_the_same_whole_and_spliced(source: Path, clang: str, place: Made) -> None:
    assert check_all(place(source, clang=clang)) > 3


@pytest.mark.long
@pytest.mark.parametrize("source", PROGRAMS, ids=lambda path: path.name)
@pytest.mark.parametrize(
    ("compiler", "options"),
    [("gcc-11", "-Os"), ("gcc-12", "-Oz -fPIC"), ("gcc-12", "-Os -fno-pie -fomit-frame-pointer"),
     ("gcc-12", "-Os -ffunction-sections -fdata-sections -fvisibility=hidden"),
     ("gcc-12", "-Oz -fcf-protection -fstack-protector-strong"), ("gcc-13", "-Os"),
     ("gcc-14", "-Oz"), ("gcc-12", "-Os -fno-exceptions -fcommon -march=haswell")],
)  # fmt: skip
def test_it_does_by_other_compilers_and_options(
    source: Path, compiler: str, options: str, place: Made
) -> None:
    if source.suffix == ".cpp":
        options = options.replace("-fno-exceptions ", "")
    check_all(place(source, options, compiler, "clang-22"))


def test_a_mix_is_smaller_than_every_build_and_says_what_it_is_made_of(place: Made) -> None:
    here = place(_CONTROL, "-Oz")
    decision, data = here.decided()
    assert data is not None
    assert decision.tails
    sizes = [turn.after for turn in decision.trace if turn.after is not None]
    assert decision.bytes_after == ObjectFile(data).loadable_bytes() < min(sizes)
    builds = here.builds()
    assert {donor for _, donor in decision.tails} <= builds.keys()
    assert {change.name: change.tail for change in decision.functions if change.tail} == dict(
        decision.tails
    )
    assert "spliced" in decision.evidence


def test_a_known_mix_is_made_again_from_what_it_names(place: Made) -> None:
    here = place(_CONTROL, "-Oz")
    decision, data = here.decided()
    asked: list[str] = []
    assembly = here.compiler.assembly

    def counting(donor, text):  # type: ignore[no-untyped-def]
        asked.append(donor.text(here.compiler.toolchain.major))
        return assembly(donor, text)

    here.compiler.assembly = counting  # type: ignore[method-assign]
    again = repeated(here.compiler, here.text, here.baseline, here.donors, decision)
    assert again == data
    assert sorted(asked) == sorted(
        {" ".join((*decision.recipe.stages, *decision.recipe.options))}
        | {donor for _, donor in decision.tails}
    )


def test_a_build_that_gives_no_function_needs_no_options_for_that(place: Made) -> None:
    """With one global function there is nothing to put together, and its callers may rely on
    registers that a static one leaves alone."""
    here = place(_LONELY, "-Os")
    here.baseline = here.compiler.whole(Donor(GCC, "-O3", (), "is larger"), here.text)
    decision, data = here.decided()
    assert not decision.tails
    assert data is not None
    donor = donor_of(decision.recipe, here.compiler.toolchain.major)
    plain, apart = here.compiler.whole(donor, here.text), here.compiler.build(donor, here.text).data
    sizes = [ObjectFile(one).loadable_bytes() for one in (plain, apart)]
    assert sizes[0] < sizes[1]
    assert data == plain
    assert not set(APART[GCC]) & set(decision.recipe.options)
    args = (here.compiler, here.text, here.baseline, here.donors)
    assert repeated(*args, decision) == data
    recipe = donor.recipe(here.compiler.toolchain.major, APART[GCC])
    assert repeated(*args, replace(decision, recipe=recipe)) is None
    assert repeated(*args, replace(decision, recipe=recipe, bytes_after=sizes[1])) == apart


def test_a_mix_that_does_not_fit_the_text_is_not_made(place: Made) -> None:
    here = place(_CONTROL, "-Oz")
    decision, _ = here.decided()
    other = place("int table(int x) { return x; }\nint g(int x) { return x * 5; }\n", "-Oz")
    assert repeated(other.compiler, other.text, other.baseline, other.donors, decision) is None


def test_functions_that_share_a_static_one_move_together(place: Made) -> None:
    builds = measured_builds(place(_SHARING, "-Oz -fno-inline"))
    parts = {part.names for part in parts_of(builds[0], builds[1])}
    assert ("first", "second") in parts
    assert ("total",) in parts
    assert ("table",) in parts


def measured_builds(here: Place) -> list[Measured]:
    builds = here.builds().values()
    return [Measured(read_unit(build.assembly.decode()), build.data) for build in builds]


def test_what_the_parts_take_is_what_the_objects_have(place: Made) -> None:
    """All code, but for alignment and the header of .eh_frame."""
    here = place(_SHARING, "-Oz")
    for build, measured in zip(here.builds().values(), measured_builds(here), strict=True):
        total = sum(measured.functions.values())
        whole = ObjectFile(build.data).loadable_bytes()
        assert whole - 64 <= total <= whole


@pytest.mark.parametrize(
    "options", ["-Os -g", "-Os -m32", "-Os -fipa-ra", "-Os -masm=intel", "-Os -g1"]
)
def test_what_cannot_be_spliced_is_taken_whole(options: str, place: Made) -> None:
    source = "int f(int a) { return a * 7; }\nint g(int a) { return a / 3; }\n"
    here = place(source, options)
    assert not here.compiler.splices
    assert all(not build.assembly for build in here.builds().values())
    assert not here.decided()[0].tails


def test_assembly_that_is_not_understood_is_no_mix(place: Made) -> None:
    here = place(_CONTROL.read_text() + '__asm__(".macro m\\n.endm");', "-Oz")
    builds = here.builds()
    assert all(mix(name, builds) is None for name in builds)
    assert here.decided()[0].outcome.counter == "smaller"


def test_a_choice_that_cannot_be_is_an_error(place: Made) -> None:
    builds = place(_SHARING, "-Oz").builds()
    texts = {name: build.assembly for name, build in builds.items()}
    one, other, *_ = texts
    with pytest.raises(AsmError, match="missing"):
        remix(one, texts, {"missing": other})
    with pytest.raises(AsmError, match="no donor"):
        remix(one, texts, {"table": "nobody"})


def test_two_runs_decide_alike(place: Made) -> None:
    here = place(_CONTROL, "-Os")
    assert here.decided() == here.decided()
