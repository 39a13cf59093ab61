"""Random mixes of compilations do what the baseline does."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from cr1cc.asm.graph import Graph
from cr1cc.asm.printer import print_unit
from cr1cc.asm.splice import splice
from cr1cc.asm.unit import Unit
from cr1cc.errors import AsmError
from tests.unit.asm.conftest import PROGRAMS, compiler_for, csmith, run

GCC = "-fno-ipa-ra -fno-ipa-stack-alignment"
DONORS = {
    "gcc -O3": ("gcc", f"-O3 {GCC}"),
    "gcc -O2": ("gcc", f"-O2 {GCC}"),
    "gcc -O3 -funroll-loops": ("gcc", f"-O3 -funroll-loops {GCC}"),
    "gcc -Os": ("gcc", f"-Os {GCC}"),
    "clang -O2": ("clang-19", "-O2"),
    "clang -O3": ("clang-19", "-O3"),
}
FEW = ("gcc -O3", "gcc -Os", "clang -O2")
Units = Callable[..., Unit]


def made(unit: Units, source: Path, options: str, names: tuple[str, ...]) -> dict[str, Unit]:
    return {name: unit(source, DONORS[name][0], f"{DONORS[name][1]} {options}") for name in names}


def global_functions(unit: Unit) -> list[str]:
    graph = Graph(unit)
    entries = dict.fromkeys(entry for one in graph.functions for entry in one.entries)
    return [entry for entry in entries if not graph.symbol(entry).is_local]


def random_choice(
    base: Unit, donors: Mapping[str, Unit], generator: random.Random
) -> tuple[dict[str, str], Unit]:
    """Functions from random donors, as many as are taken, and the unit that they give."""
    choice: dict[str, str] = {}
    result = base
    names = global_functions(base)
    for name in generator.sample(names, min(len(names), 25)):
        donor = generator.choice(sorted(donors))
        try:
            result = splice(base, donors, {**choice, name: donor})
        except AsmError:
            continue
        choice[name] = donor
    return choice, result


def outcome(unit: Unit, source: Path, folder: Path, options: str = "") -> tuple[str, int]:
    """What the program prints, and its exit status."""
    (folder / "unit.s").write_text(print_unit(unit), encoding="utf-8", errors="surrogateescape")
    linker = compiler_for(source, "gcc")
    out = run(linker, *options.split(), folder / "unit.s", "-o", folder / "program")
    assert out.returncode == 0, out.stderr
    ran = run(folder / "program", cwd=folder)  # -pg writes a file there
    return ran.stdout, ran.returncode


def check_mixes(
    unit: Units, source: Path, folder: Path, options: str, names: tuple[str, ...], mixes: int
) -> None:
    donors = made(unit, source, options, names)
    for base_name in ("gcc -O3", "clang -O2"):
        base = donors[base_name]
        expected = outcome(base, source, folder, options)
        for seed in range(mixes):
            others = {name: donor for name, donor in donors.items() if name != base_name}
            choice, result = random_choice(base, others, random.Random(seed))
            assert len(choice) > 2 or "csmith" in source.name
            assert outcome(result, source, folder, options) == expected, choice


@pytest.mark.parametrize("source", PROGRAMS, ids=lambda path: path.name)
def test_a_mix_of_compilations_does_what_the_baseline_does(
    source: Path, unit: Units, tmp_path: Path
) -> None:
    check_mixes(unit, source, tmp_path, "", FEW, 1)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("symbols.c", "-fPIC"),
        ("control.c", "-fcf-protection"),
        ("data.c", "-fcommon -fno-pie -no-pie"),
        ("symbols.c", "-pg"),
    ],
)
def test_it_does_with_other_kinds_of_programs(
    name: str, options: str, unit: Units, tmp_path: Path
) -> None:
    check_mixes(unit, Path(__file__).parent / "programs" / name, tmp_path, options, FEW, 1)


@pytest.mark.long
@pytest.mark.parametrize("source", PROGRAMS, ids=lambda path: path.name)
@pytest.mark.parametrize(
    "options",
    ["", "-fPIC", "-fcf-protection", "-fno-pie -no-pie", "-ffunction-sections -fdata-sections",
     "-fcommon", "-pg", "-mavx2 -mfma", "-fno-asynchronous-unwind-tables",
     "-fstack-protector-strong", "-fvisibility=hidden"],
)  # fmt: skip
def test_many_mixes_do(source: Path, options: str, unit: Units, tmp_path: Path) -> None:
    if source.suffix == ".cpp" and "unwind" in options:
        options = ""
    check_mixes(unit, source, tmp_path, options, tuple(DONORS), 3)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(20))
def test_mixes_of_random_programs_do(seed: int, unit: Units, tmp_path: Path) -> None:
    source = csmith(seed, tmp_path)
    # Without `static` every function and variable of the program itself can be chosen.
    text = source.read_text().replace("\nstatic ", "\n")
    source.write_text(text)
    options = "-I/usr/include/csmith"
    base = unit(source, "gcc", f"-O1 {GCC} {options}")
    (tmp_path / "unit.s").write_text(print_unit(base))
    assert run("gcc", tmp_path / "unit.s", "-o", tmp_path / "program").returncode == 0
    if shutil.which("timeout") and run("timeout", "5", tmp_path / "program").returncode == 124:
        pytest.skip("the program does not end soon")
    check_mixes(unit, source, tmp_path, options, tuple(DONORS), 2)


def test_a_mix_can_be_a_part_of_a_shared_library(unit: Units, tmp_path: Path) -> None:
    source = Path(__file__).parent / "programs" / "data.c"
    donors = made(unit, source, "-fPIC -fsemantic-interposition", FEW)
    _, result = random_choice(donors["gcc -O3"], donors, random.Random(1))
    (tmp_path / "unit.s").write_text(print_unit(result))
    out = run("gcc", "-shared", "-Wl,-z,text", tmp_path / "unit.s", "-o", tmp_path / "mix.so")
    assert out.returncode == 0, out.stderr


def test_the_same_call_gives_the_same_text(unit: Units) -> None:
    source = Path(__file__).parent / "programs" / "control.c"
    donors = made(unit, source, "", FEW)
    choice = {"main": "clang -O2", "choose": "gcc -Os", "interpret": "clang -O2"}
    texts = {print_unit(splice(donors["gcc -O3"], donors, choice)) for _ in range(2)}
    assert len(texts) == 1


def test_nothing_chosen_is_the_base(unit: Units) -> None:
    base = unit(Path(__file__).parent / "programs" / "data.c", "gcc", "-O2")
    assert print_unit(splice(base, {}, {})) == print_unit(base)
