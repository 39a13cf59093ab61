"""Real projects build with cr1-gcc, pass their own tests and never get a larger object."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.e2e.test_projects import SOURCES, available, check_project
from tests.projects import compilers
from tests.projects.build import Compiler, build, compare
from tests.projects.table import ACCEPTANCE

JOBS = min(os.cpu_count() or 1, 8)

# Levels, and whether clang makes donors too.
WAYS = {
    "-Os": ("-Os", {}),
    "-Oz": ("-Oz", {}),
    "-Os with clang": ("-Os", {"CR1_CLANG_DONORS": "true"}),
}

pytestmark = [pytest.mark.long, pytest.mark.timeout(1500)]


# One way for each project, in turn: three ways for each would take too long for CI. So would
# libpng, which builds zlib first; cr1-clang builds it in `test_projects.py`.
NAMES = [name for name in ACCEPTANCE if name != "libpng"]
CASES = [(name, tuple(WAYS)[i % len(WAYS)]) for i, name in enumerate(NAMES)]


@pytest.mark.parametrize(("name", "way"), CASES)
def test_a_project_passes_its_own_test_and_no_object_is_larger(
    name: str, way: str, plain_gcc: Compiler, tmp_path: Path
) -> None:
    project = available(name)
    level, settings = WAYS[way]
    ours = compilers.ours_gcc(plain_gcc, tmp_path / "home", **settings)
    place = tmp_path / "work"
    check_project(project, plain_gcc, ours, level, place)


def test_a_project_is_built_by_a_cross_compiler(tmp_path: Path) -> None:
    gcc = shutil.which("aarch64-linux-gnu-gcc")
    if gcc is None or shutil.which("aarch64-linux-gnu-g++") is None:
        pytest.skip("aarch64-linux-gnu-gcc or aarch64-linux-gnu-g++ is missing")
    project = available("lua")
    plain = compilers.plain_gcc(gcc)
    ours = compilers.ours_gcc(plain, tmp_path / "home")
    before = build(project, plain, "-Os", tmp_path / "work", JOBS, SOURCES)
    after = build(project, ours, "-Os", tmp_path / "work", JOBS, SOURCES)
    comparison = compare(before, after)
    assert comparison.pairs
    assert not comparison.larger
    assert after.loadable < before.loadable
