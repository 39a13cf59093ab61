"""`python -m tests.bench_mix FOLDER`: in which order donors of gcc and clang are tried.

FOLDER is what `python -m tests.bench_donors collect` left. Every row of the table and every
candidate below is built for a sample of the texts; then a greedy cover orders them by what they
add to each other, as the best build with the best parts of all the others in it. That is an
estimate: whether parts can be spliced is not tried.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cr1cc.asm.reader import read_unit
from cr1cc.donors.build import Clang, RealGcc
from cr1cc.donors.clang_options import clang_options, granted
from cr1cc.donors.clang_text import refusal
from cr1cc.donors.parts import Measured, parts_of
from cr1cc.donors.table import CLANG, DONORS, GCC, Donor
from cr1cc.donors.valid import foreign_complaint
from cr1cc.driver.argv import parse
from cr1cc.driver.gcc import GCC as DIALECT
from cr1cc.errors import AsmError, EvaluationError
from cr1cc.passes.coreset import known
from cr1cc.records import Metric, Plan
from cr1cc.toolchain.describe import describe
from cr1cc.toolchain.describe_gcc import describe_gcc
from cr1cc.toolchain.find import find_compiler
from cr1cc.util.elf import ObjectFile
from tests.bench_donors import sample

_FRAME = ("-fno-omit-frame-pointer",)
# The options by which clang runs two passes of the recipes that it has no pipeline text for.
_PASSES = {"iroutliner": "-ir-outliner", "mergefunc": "-enable-merge-functions"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench_mix", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--per-package", type=int, default=3, help="texts of each package")
    parser.add_argument("--recipes", type=int, default=7, help="recipes of clang's coreset")
    parser.add_argument("--count", type=int, default=9, help="rows of the cover")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    donors = list(dict.fromkeys([*DONORS, *candidates(given.recipes)]))
    found = [row for path in sample(given) if (row := measured(path, donors)) is not None]
    print(f"{len(found)} texts", flush=True)
    chosen: list[Donor] = []
    for _ in range(given.count):
        rest = [donor for donor in donors if donor not in chosen]
        chosen.append(max(rest, key=lambda donor: mean_saved(found, [*chosen, donor])))
        print(f"{100 * mean_saved(found, chosen):.2f} %  {chosen[-1].text(12)}", flush=True)
    return 0


def candidates(count: int) -> Iterable[Donor]:
    """clang as it is, and with the options of the first recipes that begin with plain -Oz."""
    recipes = [r for r in known().recipes[Metric.BYTES] if r.stages[0] == "@size"][:count]
    sets: list[tuple[str, ...]] = [()]
    for recipe in recipes:
        text = " ".join(recipe.stages)
        sets.append((*recipe.options, *(o for name, o in _PASSES.items() if name in text)))
    for options in sets:
        for driver in ((), _FRAME):
            yield Donor(CLANG, "-Oz", driver, "a trial", llvm=options)


@dataclass(frozen=True)
class Sizes:
    """Of one text: by plain gcc, of each valid donor whole, of each donor by part."""

    plain: int
    wholes: dict[Donor, int]
    parts: dict[Donor, list[int | None]]

    def best(self, donors: list[Donor]) -> int:
        """The smallest valid donor with the smallest parts of all of them."""
        valid = [donor for donor in donors if donor in self.wholes]
        if not valid:
            return self.plain
        base = min(valid, key=lambda donor: self.wholes[donor])
        saved = 0
        for position, before in enumerate(self.parts[base]):
            there = [self.parts[donor][position] for donor in donors if donor in self.parts]
            sizes = [size for size in there if size is not None]
            saved += before - min(sizes) if before is not None else 0
        return min(self.plain, self.wholes[base] - saved)


def measured(path: Path, donors: list[Donor]) -> Sizes | None:
    """None if clang is not given the text, or no donor is valid."""
    compiler, text = _compiler(path), path.read_bytes()
    if compiler.clang is None or refusal(text):
        return None
    baseline = compiler.build(Donor(GCC, "-Oz", (), "plain"), text).data
    wholes: dict[Donor, int] = {}
    read: dict[Donor, Measured] = {}
    for donor in donors:
        try:
            build = compiler.build(donor, text)
            read[donor] = Measured(read_unit(build.assembly.decode()), build.data)
        except (EvaluationError, AsmError):
            continue
        if not foreign_complaint(baseline, build.data, compiler.clang.granted):
            wholes[donor] = ObjectFile(build.data).loadable_bytes()
    if not wholes:
        return None
    parts = parts_of(read[min(wholes, key=lambda donor: wholes[donor])], list(read.values()))
    sizes = {
        donor: [p.bytes_in(build) if all(map(build.has, p.names)) else None for p in parts]
        for donor, build in read.items()
    }
    return Sizes(ObjectFile(baseline).loadable_bytes(), wholes, sizes)


def mean_saved(found: list[Sizes], donors: list[Donor]) -> float:
    """What a set of donors saves, mean over the texts."""
    return sum(1 - sizes.best(donors) / sizes.plain for sizes in found) / len(found)


def _compiler(path: Path) -> RealGcc:
    gcc = find_compiler("gcc", setting=None, environ=os.environ, own="")
    words = [*json.loads(path.with_suffix(".json").read_text()), "-Oz", "-c", str(path)]
    plan = parse([*words, "-o", str(path.with_suffix(".o"))], cxx=False, cwd=os.getcwd(),
                 dialect=DIALECT)  # fmt: skip
    assert isinstance(plan, Plan), plan
    toolchain = describe_gcc(gcc, cache_dir=str(path.parent))
    driver = find_compiler("clang", setting=None, environ=os.environ, own="")
    clang = describe(driver, cache_dir=str(path.parent), environ=os.environ)
    told = clang_options(plan, toolchain)
    helper = None
    if told is not None:
        helper = Clang(driver, clang.identity, clang.major, told, granted(plan))
    return RealGcc(plan, toolchain, os.environ, helper)


if __name__ == "__main__":
    sys.exit(main())
