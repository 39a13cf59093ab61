"""`python -m tests.bench_gcc`: what cr1-gcc saves on the real projects, by level and donors.

Each project is built in one place by plain gcc and by cr1-gcc, with donors of gcc only and
with those of clang too, for -Os and for -Oz; its own test runs on each. Prints a table.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

from cr1cc.errors import ToolchainError
from tests.projects import compilers
from tests.projects.build import Compiler, build, check, compare
from tests.projects.errors import BuildError, FetchError
from tests.projects.table import ACCEPTANCE, PROJECTS

LEVELS = ("-Os", "-Oz")
DONORS = {"gcc": {"CR1_CLANG_DONORS": "false"}, "gcc and clang": {"CR1_CLANG_DONORS": "true"}}


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench_gcc", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--projects", default=",".join(ACCEPTANCE), help="names, with commas")
    parser.add_argument("--gcc", help="the real compiler (default: found by itself)")
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 8))
    parser.add_argument("--no-check", action="store_true", help="do not run the projects' tests")
    given = parser.parse_args()
    try:
        plain = compilers.plain_gcc(given.gcc)
    except ToolchainError as error:
        print(f"bench_gcc: {error}", file=sys.stderr)
        return 1
    sound = True
    saved: dict[tuple[str, str], list[float]] = {}
    print("project\tlevel\tdonors\tfiles\tmean %\ttotal %\tlarger\ttest", flush=True)
    with tempfile.TemporaryDirectory(prefix="cr1-bench-") as place:
        for name in given.projects.split(","):
            for level in LEVELS:
                try:
                    sound &= _measure(name, level, plain, given, Path(place), saved)
                except (BuildError, FetchError) as error:
                    print(f"{name}\t{level}\t{error}", flush=True)
    for (level, donors), shares in saved.items():
        mean = 100 * statistics.mean(shares)
        print(f"all\t{level}\t{donors}\t{len(shares)}\t{mean:.2f}")
    return 0 if sound else 1


def _measure(
    name: str,
    level: str,
    plain: Compiler,
    given: argparse.Namespace,
    place: Path,
    saved: dict[tuple[str, str], list[float]],
) -> bool:
    """One project at one level with all sets of donors; False if anything is wrong."""
    project, sound = PROJECTS[name], True
    before = build(project, plain, level, place / "work", given.jobs)
    for donors, settings in DONORS.items():
        home = place / donors.replace(" ", "-")
        ours = compilers.ours_gcc(plain, home, **settings)
        after = build(project, ours, level, place / "work", given.jobs)
        word = "not run" if given.no_check else "passed"
        if not given.no_check and not (result := check(project, after)).passed:
            word = f"FAILED: {result.detail}"
        pairs = compare(before, after)
        saved.setdefault((level, donors), []).extend(pairs.reductions)
        mean = 100 * statistics.mean(pairs.reductions)
        total = 100 * (1 - after.loadable / before.loadable)
        row = (name, level, donors, len(pairs.pairs), f"{mean:.2f}", f"{total:.2f}")
        print("\t".join(map(str, (*row, len(pairs.larger), word))), flush=True)
        sound &= not pairs.larger and not word.startswith("FAILED")
    return sound


if __name__ == "__main__":
    sys.exit(main())
