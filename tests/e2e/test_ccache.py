"""ccache in front of our compiler."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from cr1cc.config import state_home
from cr1cc.records import Toolchain
from cr1cc.storage import journal
from tests.e2e.wrapped import run

OBJECTS = ("words.o", "main.o")
CHECK = "%compiler% --version"  # what docs/make.md recommends


class Builder:
    """The small project's objects, and what ccache and our journal say of each build."""

    def __init__(self, project: Path, compilers: Path, ccache: str, store: Path) -> None:
        self.project, self.compilers, self.ccache, self.store = project, compilers, ccache, store

    def objects(self, launcher: str = "", **settings: str) -> list[bytes]:
        run("make", "clean", cwd=self.project)
        words = [
            f"{variable}={launcher} {self.compilers}/{name}".replace("= ", "=")
            for variable, name in (("CC", "cr1-clang"), ("CXX", "cr1-clang++"))
        ]
        environ = {"CCACHE_DIR": str(self.store), **settings}
        run("make", *words, *OBJECTS, cwd=self.project, **environ)
        return [(self.project / name).read_bytes() for name in OBJECTS]

    def counts(self) -> tuple[int, int, int]:
        """Hits and misses of ccache, compiles that wrote an object by our journal."""
        lines = run(self.ccache, "--print-stats", cwd=self.project, CCACHE_DIR=str(self.store))
        n = {name: int(n) for name, n in re.findall(r"^(\w+)\t(\d+)$", lines, re.MULTILINE)}
        hits = n["direct_cache_hit"] + n["preprocessed_cache_hit"]
        compiles = [e for e in journal.read(state_home(os.environ)) if e.output.endswith(".o")]
        return hits, n["cache_miss"], len(compiles)


@pytest.fixture
def builder(project: Path, compilers: Path, tmp_path: Path, need: Callable[[str], str]) -> Builder:
    need("make")
    return Builder(project, compilers, need("ccache"), tmp_path / "ccache")


def test_ccache_answers_the_second_build_with_the_very_same_objects(builder: Builder) -> None:
    alone = builder.objects()
    _, _, before = builder.counts()
    assert builder.objects(builder.ccache) == alone
    hits, misses, compiles = builder.counts()
    assert (hits, misses) == (0, len(OBJECTS))
    assert compiles == before + len(OBJECTS), "a miss is compiled by us"
    assert builder.objects(builder.ccache) == alone
    assert builder.counts() == (len(OBJECTS), misses, compiles)


def test_ccache_notices_another_compiler_behind_ours_if_told_how(
    builder: Builder, usable_compilers: dict[int, Toolchain]
) -> None:
    if len(usable_compilers) < 2:
        pytest.skip("a second clang with its libLLVM is missing")
    for found in (usable_compilers[min(usable_compilers)], usable_compilers[max(usable_compilers)]):
        builder.objects(builder.ccache, CR1_CLANG=found.driver, CCACHE_COMPILERCHECK=CHECK)
    assert builder.counts()[:2] == (0, 2 * len(OBJECTS))
