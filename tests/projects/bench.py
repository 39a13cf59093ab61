"""`python -m tests.projects.bench`: what cr1-clang costs and saves on the real projects.

For each project: plain builds, one cold build and warm builds take turns with the same
-j in the same place; the project's own test runs on the plain and on the cold build.
Writes bench/projects.json and bench/projects.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import statistics
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cr1cc.errors import ToolchainError
from cr1cc.resident import survey
from tests.projects import compilers, reasons, report
from tests.projects.build import Build, Compiler, build, check, compare
from tests.projects.errors import BuildError, FetchError
from tests.projects.fetch import CHECKOUT, fetch, missing
from tests.projects.measure import MeasureError, overhead, peak_memory
from tests.projects.table import ACCEPTANCE, PROJECTS, Project

_PASSED_THROUGH_RUNS = 50


@dataclass(frozen=True)
class Options:
    """The command line."""

    projects: tuple[str, ...]
    clang: str | None
    jobs: int
    repeat: int
    output: Path


def main(arguments: list[str] | None = None) -> int:
    options = _parse(arguments)
    try:
        plain = compilers.plain(options.clang)
    except ToolchainError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    result: dict[str, Any] = {
        "machine": machine(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "compiler": compilers.version(plain),
        "jobs": options.jobs,
        "repeat": options.repeat,
        "skipped": [],
        "broken": [],
        "figures": {},
        "costs": {},
        "projects": [],
    }
    with tempfile.TemporaryDirectory(prefix="cr1-bench-") as place:
        for name in options.projects:
            print(name, file=sys.stderr, flush=True)
            _add(result, PROJECTS[name], options, plain, Path(place))
        if not result["projects"]:
            why = "; ".join(result["skipped"] + result["broken"])
            print(f"bench: no project was measured: {why}", file=sys.stderr)
            return 1
        stop_residents({"XDG_RUNTIME_DIR": place})
        print("passed-through commands, memory", file=sys.stderr, flush=True)
        result["costs"] = _costs(options, plain, Path(place), result["broken"])
    report.write(result, options.output)
    print(report.markdown(result))
    return 0 if report.sound(result) else 1


def stop_residents(environ: Mapping[str, str]) -> None:
    """End all resident processes that compiles with `environ` would meet."""
    for process in survey.running(environ):
        survey.stop(process)


def machine() -> str:
    """Processor, cores and system, as one line."""
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    except OSError:
        pass
    return f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}"


def _add(
    result: dict[str, Any], project: Project, options: Options, plain: Compiler, place: Path
) -> None:
    """Measure one project and write what there is: a run that is stopped keeps its rows."""
    try:
        lacking = missing(project)
        if lacking:
            result["skipped"].append(lacking)
            return
        fetch(project)
        result["projects"].append(_measure(project, options, plain, place))
    except FetchError as error:
        result["skipped"].append(str(error))
        return
    except BuildError as error:
        result["broken"].append(str(error))
        return
    result["figures"] = report.figures(result["projects"])
    report.write(result, options.output)


def _measure(project: Project, options: Options, plain: Compiler, place: Path) -> dict[str, Any]:
    """Build in turns; the row of one project."""
    # Resident processes of this benchmark alone: the first project starts them.
    ours = compilers.ours(plain, place / f"home-{project.name}", XDG_RUNTIME_DIR=str(place))
    work = place / "work"

    def run(compiler: Compiler) -> Build:
        return build(project, compiler, "-Oz", work, options.jobs)

    baseline = run(plain)
    expected = check(project, baseline)
    cold = run(ours)
    outcomes = reasons.counts(ours)
    handled = reasons.decided(ours, cold)
    result = check(project, cold)
    plains: list[Build] = [baseline]
    warms: list[Build] = []
    unhandled: set[str] = set()
    for turn in range(options.repeat):
        if turn:
            plains.append(run(plain))
        before = len(reasons.events(ours))
        warms.append(run(ours))
        unhandled |= handled - reasons.decided(ours, warms[-1], before)
    comparison = compare(baseline, cold)
    return {
        "name": project.name,
        "version": fetch(project, warn=lambda _: None).version,
        "system": project.system,
        "files": len(comparison.pairs),
        "bytes_plain": sum(old.loadable for old, _ in comparison.pairs),
        "bytes_ours": sum(new.loadable for _, new in comparison.pairs),
        "reductions": list(comparison.reductions),
        "larger": list(comparison.larger),
        "unmatched": [*comparison.only_plain, *comparison.only_ours],
        "warm_differs": [path for warm in warms for path in _differing(cold, warm)],
        "warm_unhandled": sorted(unhandled),
        "test_passed": result.passed,
        "test_passed_plain": expected.passed,
        "test_detail": result.detail,
        "outputs_differ": result.outputs != expected.outputs,
        "seconds_plain": statistics.median(item.seconds for item in plains),
        "seconds_cold": cold.seconds,
        "seconds_warm": statistics.median(item.seconds for item in warms),
        "outcomes": outcomes,
    }


def _differing(one: Build, other: Build) -> Iterable[str]:
    """Objects whose bytes differ between two builds, or that only one has."""
    before = {item.path: item.sha256 for item in one.objects}
    after = {item.path: item.sha256 for item in other.objects}
    return sorted(path for path in before | after if before.get(path) != after.get(path))


def _costs(options: Options, plain: Compiler, place: Path, broken: list[str]) -> dict[str, Any]:
    """Time of passed-through commands, memory of a cold compile with its workers.

    What fails is added to `broken`, so that it costs no other figure.
    """
    ours = compilers.ours(plain, place / "home-costs")
    source = place / "small.c"
    source.write_text("int twice(int number) { return 2 * number; }\n")
    costs: dict[str, Any] = {}
    for name, words in {
        "-O0 -c": ["-O0", "-c", str(source), "-o", str(place / "small.o")],
        "--version": ["--version"],
    }.items():
        commands = [[*shlex.split(item.cc), *words] for item in (plain, ours)]
        taken = overhead(commands[0], commands[1], ours.environ, _PASSED_THROUGH_RUNS)
        costs[name] = {"plain_ms": taken.plain, "ours_ms": taken.ours, "above_ms": taken.above}
    costs["memory"] = _memory(options, plain, place, broken)
    return costs


def _memory(
    options: Options, plain: Compiler, place: Path, broken: list[str]
) -> dict[str, dict[str, int]]:
    """Peak PSS of `-Oz -c` of an ordinary and of the largest file, without any decision."""
    peaks = {}
    for name, file in (("lua", "src/lvm.c"), ("sqlite", "sqlite3.c")):
        project = PROJECTS[name]
        try:
            if name not in options.projects or missing(project):
                continue
            tree = build(project, plain, "-Oz", place / "work", 1).tree
        except (FetchError, BuildError):
            continue
        words = ["-Oz", "-c", str(tree / file), "-o", str(place / "memory.o")]
        # Resident processes are no descendants, so the workers have to be the compile's own.
        ours = compilers.ours(plain, place / f"home-memory-{name}", CR1_DAEMON="false")
        try:
            peaks[f"{name} {file}"] = {
                key: peak_memory([*shlex.split(item.cc), *words], item.environ)
                for key, item in (("plain", plain), ("ours", ours))
            }
        except MeasureError as error:
            broken.append(f"memory: {error}")
    return peaks


def _parse(arguments: list[str] | None) -> Options:
    parser = argparse.ArgumentParser(prog="bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--projects", default=",".join(ACCEPTANCE), help="names, with commas")
    parser.add_argument("--clang", help="the real compiler (default: found by itself)")
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 8))
    parser.add_argument("--repeat", type=int, default=3, help="plain and warm builds each")
    parser.add_argument("--output", type=Path, default=CHECKOUT / "bench", help="folder")
    given = parser.parse_args(arguments)
    names = tuple(name for name in given.projects.split(",") if name)
    unknown = [name for name in names if name not in PROJECTS]
    if unknown or not names:
        parser.error(f"unknown projects: {', '.join(unknown) or 'none named'}")
    if given.repeat < 1 or given.jobs < 1:
        parser.error("--repeat and --jobs must be at least 1")
    return Options(names, given.clang, given.jobs, given.repeat, given.output)


if __name__ == "__main__":
    sys.exit(main())
