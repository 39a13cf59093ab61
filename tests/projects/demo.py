"""`python -m tests.projects.demo`: a real C project, built with clang -Oz and with cr1-clang.

Runs the project's own test and prints what became of every object. Exit status 0 if
no object is larger, the same objects came out and the project's test passes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from cr1cc.errors import ToolchainError
from tests.projects import compilers, reasons
from tests.projects.build import Build, CheckResult, Comparison, build, check, compare
from tests.projects.errors import BuildError, FetchError
from tests.projects.fetch import CHECKOUT, fetch, missing
from tests.projects.table import PROJECTS, Project

# The first whose source can be had here; the last comes from the package index.
CHOICES = ("lua", "zlib", "bzip2", "brotli")


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        project = _first_available((options.project,) if options.project else CHOICES)
        return _demonstrate(project, options.clang, options.jobs, options.directory)
    except (FetchError, BuildError, ToolchainError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1


def _demonstrate(project: Project, clang: str | None, jobs: int, directory: Path) -> int:
    shutil.rmtree(directory, ignore_errors=True)
    plain = compilers.plain(clang)
    ours = compilers.ours(plain, directory / "home")
    print(f"{project.name} {fetch(project).version}, built by {project.system}, -Oz, -j{jobs}")
    print(f"compiler: {compilers.version(plain)}")
    # Both in one place, one after the other: source paths get into objects.
    place = directory / "work"
    print(f"CC={plain.cc}", flush=True)
    before = build(project, plain, "-Oz", place, jobs)
    expected = check(project, before)
    print(f"CC={ours.cc}", flush=True)
    after = build(project, ours, "-Oz", place, jobs)
    result = check(project, after)
    comparison = compare(before, after)
    print()
    print(table(comparison, reasons.by_object(ours, after)))
    print()
    print(f"build: {before.seconds:.1f} s with clang, {after.seconds:.1f} s with cr1-clang (cold)")
    return _verdict(project, comparison, before, after, expected, result)


def table(comparison: Comparison, why: Mapping[str, str]) -> str:
    """One line per object and one for all: bytes before and after, and the reason."""
    rows = [("object", "clang -Oz", "cr1-clang", "smaller by", "why")]
    before = after = 0
    for plain, ours in comparison.pairs:
        before, after = before + plain.loadable, after + ours.loadable
        rows.append(_row(plain.path, plain.loadable, ours.loadable, why.get(plain.path, "")))
    rows.append(_row("all", before, after, ""))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        f"{name:{widths[0]}}  {old:>{widths[1]}}  {new:>{widths[2]}}  "
        f"{share:>{widths[3]}}  {reason}"
        for name, old, new, share, reason in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def _row(name: str, before: int, after: int, why: str) -> tuple[str, str, str, str, str]:
    share = f"{100 * (1 - after / before):.1f} %" if before else ""
    return name, f"{before:,}", f"{after:,}", share, why


def _verdict(
    project: Project,
    comparison: Comparison,
    before: Build,
    after: Build,
    expected: CheckResult,
    result: CheckResult,
) -> int:
    """Print the last line; the exit status."""
    odd = (*comparison.only_plain, *comparison.only_ours)
    for path in comparison.larger:
        print(f"larger: {path}")
    for path in odd:
        print(f"not in both builds: {path}")
    if not expected.passed:
        print(f"the test of {project.name} fails with clang, too: {expected.detail}")
    if not result.passed:
        print(result.detail)
    same = result.outputs == expected.outputs
    share = 100 * (1 - after.loadable / before.loadable) if before.loadable else 0.0
    print(
        f"{project.name}: {before.loadable - after.loadable:,} of {before.loadable:,} loadable "
        f"bytes saved ({share:.1f} %), objects larger: {len(comparison.larger)}, "
        f"tests {'passed' if result.passed else 'FAILED'}, "
        f"outputs {'equal' if same else 'DIFFERENT'}"
    )
    return 0 if result.passed and same and not comparison.larger and not odd else 1


def _first_available(names: tuple[str, ...]) -> Project:
    problems = []
    for name in names:
        project = PROJECTS[name]
        try:
            lacking = missing(project)
            if not lacking:
                fetch(project)
                return project
            problems.append(lacking)
        except FetchError as error:
            problems.append(str(error))
    raise FetchError("; ".join(problems))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="demo", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--project", choices=sorted(PROJECTS))
    parser.add_argument("--clang", help="the real compiler (default: found by itself)")
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 8))
    parser.add_argument("--directory", type=Path, default=CHECKOUT / "build" / "demo")
    return parser


if __name__ == "__main__":
    sys.exit(main())
