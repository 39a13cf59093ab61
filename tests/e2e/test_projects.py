"""Real projects build with cr1-clang, pass their own tests and never get a larger object."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from cr1cc.errors import ToolchainError
from cr1cc.outcome import Kind, Outcome
from tests.projects import compilers, reasons
from tests.projects.build import Build, Compiler, build, check, compare, with_environ
from tests.projects.errors import FetchError
from tests.projects.fetch import cache_directory, fetch, missing
from tests.projects.table import ACCEPTANCE, PROJECTS, Project

# Looked up before the tests' private home is set up: the archives stay from run to run.
SOURCES = cache_directory()
JOBS = min(os.cpu_count() or 1, 8)

pytestmark = [pytest.mark.long, pytest.mark.timeout(1500), pytest.mark.usefixtures("by_default")]


@pytest.fixture
def plain() -> Compiler:
    try:
        return compilers.plain()
    except ToolchainError as error:
        pytest.skip(str(error))


def available(name: str) -> Project:
    """The project, or a skip with the name of what is missing."""
    project = PROJECTS[name]
    for needed in (*(PROJECTS[used] for used in project.uses), project):
        if lacking := missing(needed):
            pytest.skip(lacking)
        try:
            fetch(needed, SOURCES)
        except FetchError as error:
            pytest.skip(str(error))
    return project


def check_project(
    project: Project, plain: Compiler, ours: Compiler, level: str, place: Path
) -> None:
    """Built by both it passes its own test, prints the same, and no object of ours is larger."""
    before = build(project, plain, level, place, JOBS, SOURCES)
    expected = check(project, before)
    assert expected.passed, f"with plain {plain.name}, too: {expected.detail}"
    after = build(project, ours, level, place, JOBS, SOURCES)
    result = check(project, after)
    assert result.passed, result.detail
    assert result.outputs == expected.outputs
    comparison = compare(before, after)
    assert not comparison.only_plain
    assert not comparison.only_ours
    assert not comparison.larger
    assert after.loadable < before.loadable
    assert reasons.counts(ours).get(Outcome.INTERNAL_ERROR.counter, 0) == 0, internal_errors(ours)
    assert reasons.decided(ours, after), f"no object came from {ours.name}"


@pytest.mark.parametrize("name", ACCEPTANCE)
def test_a_project_passes_its_own_test_and_no_object_is_larger(
    name: str, plain: Compiler, tmp_path: Path
) -> None:
    project = available(name)
    ours = compilers.ours(plain, tmp_path / "home")
    place = tmp_path / "work"
    check_project(project, plain, ours, "-Oz", place)
    outcomes = reasons.counts(ours)
    understood = {item.counter for item in Outcome if item.kind is not Kind.PASSTHROUGH}
    assert understood & outcomes.keys()


def test_every_cache_state_and_parallelism_gives_the_same_bytes(
    plain: Compiler, tmp_path: Path
) -> None:
    project = available("bzip2")
    home = tmp_path / "home"
    ours = compilers.ours(plain, home)

    def digests(compiler: Compiler, jobs: int = 1) -> dict[str, str]:
        built = build(project, compiler, "-Oz", tmp_path / "work", jobs, SOURCES)
        return {item.path: item.sha256 for item in built.objects}

    without = digests(with_environ(ours, CR1_CACHE="0"))
    assert not list((home / "cache").glob("**/*.db")), "CR1_CACHE=0 keeps no decision"
    assert digests(ours) == without, "cold"
    assert digests(ours) == without, "warm"
    assert known_from_before(ours), "the warm build found its decisions"
    assert spoil(home / "cache"), "there is a cache to spoil"
    assert digests(ours) == without, "corrupted cache"
    shutil.rmtree(home / "cache")
    assert digests(ours, jobs=8) == without, "cold, -j8"
    assert digests(ours, jobs=8) == without, "warm, -j8"


def test_the_bench_compares_builds_of_the_same_place(plain: Compiler, tmp_path: Path) -> None:
    project = available("bzip2")
    builds: list[Build] = [
        build(project, plain, "-Oz", tmp_path / "work", JOBS, SOURCES) for _ in range(2)
    ]
    assert builds[0].objects == builds[1].objects


def known_from_before(compiler: Compiler) -> bool:
    return any(event.hit for event in reasons.events(compiler))


def internal_errors(compiler: Compiler) -> list[str]:
    wanted = Outcome.INTERNAL_ERROR.counter
    return [event.detail for event in reasons.events(compiler) if event.outcome == wanted]


def spoil(folder: Path) -> int:
    """Overwrite the middle of every file under `folder`; the number of files."""
    count = 0
    for path in folder.rglob("*"):
        if path.is_file() and path.stat().st_size:
            with path.open("r+b") as file:
                size = path.stat().st_size
                file.seek(size // 3)
                file.write(b"\xa5" * max(1, size // 3))
            count += 1
    return count
