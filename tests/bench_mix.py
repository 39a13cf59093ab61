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
from functools import cache
from itertools import product
from pathlib import Path

from cr1cc.asm.reader import read_unit
from cr1cc.donors.build import Clang, RealGcc
from cr1cc.donors.clang_options import clang_options, granted
from cr1cc.donors.clang_text import refusal
from cr1cc.donors.parts import Measured, parts_of
from cr1cc.donors.table import CLANG, DONORS, GCC, PASSES, Donor
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

_FRAME = ("-fno-omit-frame-pointer", "-momit-leaf-frame-pointer")


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench_mix", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--per-package", type=int, default=3, help="texts of each package")
    parser.add_argument("--smallest", type=int, default=2500, help="loadable bytes of a text")
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
    sets: list[tuple[str, ...]] = [(), ("-disable-lsr", "-disable-machine-licm", "-disable-cgp")]
    for recipe in recipes:
        text = " ".join(recipe.stages)
        sets.append((*recipe.options, *(o for o, name in PASSES.items() if name in text)))
    for options in sets:
        for level, driver in product(("-Oz", "-Os"), ((), _FRAME)):
            yield Donor(CLANG, level, driver, "a trial", llvm=options)


class Sizes:
    """Of one text: loadable bytes by plain gcc, of each valid donor whole, and all builds read."""

    def __init__(self, plain: int, wholes: dict[Donor, int], builds: dict[Donor, Measured]) -> None:
        self.plain, self.wholes, self.builds = plain, wholes, builds
        self._offers = cache(self._offered)

    def best(self, donors: list[Donor]) -> int:
        """The smallest valid donor with the smallest parts of all of them."""
        valid = [donor for donor in donors if donor in self.wholes]
        if not valid:
            return self.plain
        base = min(valid, key=lambda donor: self.wholes[donor])
        size, taken = self.wholes[base], set[str]()
        for loss, names in sorted(o for donor in donors for o in self._offers(base, donor)):
            if taken.isdisjoint(names):
                taken |= set(names)
                size += loss
        return min(self.plain, size)

    def _offered(self, base: Donor, donor: Donor) -> list[tuple[int, tuple[str, ...]]]:
        if donor not in self.builds:
            return []
        own, other = self.builds[base], self.builds[donor]
        offers = [(p.bytes_in(other) - p.bytes_in(own), p.names) for p in parts_of(own, other)]
        return [offer for offer in offers if offer[0] < 0]


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
    return Sizes(ObjectFile(baseline).loadable_bytes(), wholes, read) if wholes else None


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
