"""`python -m tests.bench_gcc`: what cr1-gcc saves on the real projects, by level and donors.

Each project is built in one place by plain gcc and by cr1-gcc, with donors of gcc only and
with those of clang too, for -Os and for -Oz; its own test runs on each. Prints a table. What was
measured is kept in the folder, so it goes on where it was ended.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

from cr1cc.errors import ToolchainError
from tests.projects import compilers
from tests.projects.build import Build, Compiler, build, check, compare
from tests.projects.errors import BuildError, FetchError
from tests.projects.fetch import CHECKOUT
from tests.projects.table import ACCEPTANCE, PROJECTS

LEVELS = ("-Os", "-Oz")
DONORS = {"gcc": {"CR1_CLANG_DONORS": "false"}, "gcc and clang": {"CR1_CLANG_DONORS": "true"}}


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench_gcc", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--projects", default=",".join(ACCEPTANCE), help="names, with commas")
    parser.add_argument("--gcc", help="the real compiler (default: found by itself)")
    parser.add_argument("--budget", type=int, help="builds of a source (default: the setting's)")
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 8))
    parser.add_argument("--folder", type=Path, default=CHECKOUT / "build" / "bench-gcc")
    parser.add_argument("--no-check", action="store_true", help="do not run the projects' tests")
    given = parser.parse_args()
    try:
        plain = compilers.plain_gcc(given.gcc)
    except ToolchainError as error:
        print(f"bench_gcc: {error}", file=sys.stderr)
        return 1
    given.folder.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    print("\t".join(Row._fields), flush=True)
    with tempfile.TemporaryDirectory(prefix="cr1-bench-") as place:
        for name in given.projects.split(","):
            for level in LEVELS:
                try:
                    for row in _measured(name, level, plain, given, Path(place)):
                        print(row.text, flush=True)
                        rows.append(row)
                except (BuildError, FetchError) as error:
                    print(f"{name}\t{level}\t{error}", flush=True)
    for line in _together(rows):
        print(line)
    return 0 if all(row.sound for row in rows) else 1


class Row(NamedTuple):
    """A project at a level: percent of loadable bytes saved, mean over its objects and in total,
    objects that became larger, and what its own test said."""

    project: str
    level: str
    donors: str
    files: int
    mean: float
    total: float
    larger: int
    test: str

    @property
    def sound(self) -> bool:
        return not self.larger and not self.test.startswith("FAILED")

    @property
    def text(self) -> str:
        """A line of the table."""
        return "\t".join(f"{one:.2f}" if isinstance(one, float) else str(one) for one in self)


def _together(rows: Sequence[Row]) -> Iterator[str]:
    """The mean over the objects of all projects, by level and donors."""
    for level, donors in product(LEVELS, DONORS):
        those = [row for row in rows if (row.level, row.donors) == (level, donors)]
        if files := sum(row.files for row in those):
            mean = sum(row.mean * row.files for row in those) / files
            yield f"all\t{level}\t{donors}\t{files}\t{mean:.2f}"


def _measured(
    name: str, level: str, plain: Compiler, given: argparse.Namespace, place: Path
) -> Iterator[Row]:
    """One project at one level with all sets of donors; what is kept is not built again."""
    before: Build | None = None
    budget = {"CR1_BUDGET": str(given.budget)} if given.budget else {}
    for donors, settings in DONORS.items():
        kept = given.folder / f"{name}{level} {' '.join((donors, *budget.values()))}.json"
        if kept.exists():
            yield Row(*json.loads(kept.read_text()))
            continue
        if before is None:
            before = build(PROJECTS[name], plain, level, place / "work", given.jobs)
        ours = compilers.ours_gcc(plain, place / donors.replace(" ", "-"), **settings, **budget)
        after = build(PROJECTS[name], ours, level, place / "work", given.jobs)
        word = "not run"
        if not given.no_check:
            result = check(PROJECTS[name], after)
            word = "passed" if result.passed else f"FAILED: {result.detail}"
        pairs = compare(before, after)
        mean = 100 * statistics.mean(pairs.reductions)
        total = 100 * (1 - after.loadable / before.loadable)
        row = Row(name, level, donors, len(pairs.pairs), mean, total, len(pairs.larger), word)
        temporary = kept.with_suffix(".tmp")
        temporary.write_text(json.dumps(row))
        temporary.rename(kept)
        yield row


if __name__ == "__main__":
    sys.exit(main())
