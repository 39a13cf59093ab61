"""Builds are measured by the objects they leave, and steps end as they should."""

from __future__ import annotations

import io
import shutil
import tarfile
import time
from dataclasses import replace
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from tests.projects import build as building
from tests.projects.build import Build, Compiler, ObjectFile, build, check, compare, objects_under
from tests.projects.errors import BuildError
from tests.projects.fetch import Archive
from tests.projects.table import ACCEPTANCE, PROJECTS, Project

COMPILER = Compiler("system", shutil.which("cc") or "cc", "c++", {})


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """One C file, a rule for it, and a probe of CMake's that must not count."""
    if shutil.which("cc") is None:
        pytest.skip("cc is not installed")
    path = tmp_path / "small.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        source = b"int zeroes[100]; int table[5] = {1}; int twice(int n) { return n * 2; }\n"
        member = tarfile.TarInfo("small/a.c")
        member.size = len(source)
        tar.addfile(member, io.BytesIO(source))
    monkeypatch.setattr(building, "fetch", lambda *_: Archive(path, "1", 0, "", True))
    return replace(
        PROJECTS["bzip2"], name="small",
        build="mkdir -p sub/CMakeScratch; $CC $CFLAGS -c a.c -o sub/a.o; cp sub/a.o a.lo; "
        "cp sub/a.o sub/CMakeScratch/probe.o; $CC -shared sub/a.o -o whole.o; echo text > text.o",
        test="echo fine; test -f a.lo", passed="fine", outputs="echo 42",
    )  # fmt: skip


def test_objects_are_found_by_content_and_probes_left_out(project: Project, tmp_path: Path) -> None:
    built = build(project, COMPILER, "-O1 -fPIC", tmp_path / "work", 1)
    assert [item.path for item in built.objects] == ["a.lo", "sub/a.o"]


def test_loadable_bytes_are_those_of_pyelftools(project: Project, tmp_path: Path) -> None:
    built = build(project, COMPILER, "-O1 -g -fPIC", tmp_path / "work", 1)
    with (built.tree / "sub/a.o").open("rb") as file:
        expected = sum(
            section["sh_size"]
            for section in ELFFile(file).iter_sections()
            if section["sh_flags"] & 2 and section["sh_type"] != "SHT_NOBITS"
        )
    assert built.objects[1].loadable == expected > 20


def test_the_projects_own_test_and_outputs_are_reported(project: Project, tmp_path: Path) -> None:
    result = check(project, build(project, COMPILER, "-fPIC", tmp_path / "work", 1))
    assert (result.passed, result.outputs) == (True, "42\n")


@pytest.mark.parametrize(
    "change", [{"test": "echo fine; exit 3"}, {"test": "echo bad"}, {"outputs": "exit 4"}]
)
def test_a_failing_test_is_told(project: Project, change: dict[str, str], tmp_path: Path) -> None:
    built = build(project, COMPILER, "-fPIC", tmp_path / "work", 1)
    result = check(replace(project, **change), built)
    assert not result.passed
    assert "status" in result.detail


def test_a_failing_build_shows_the_end_of_its_log(project: Project, tmp_path: Path) -> None:
    broken = replace(project, build="echo first; echo reason >&2; exit 5")
    with pytest.raises(BuildError, match="status 5: first\nreason"):
        build(broken, COMPILER, "", tmp_path / "work", 1)


def test_a_build_without_objects_is_an_error(project: Project, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="left no object"):
        build(replace(project, build="true"), COMPILER, "", tmp_path / "work", 1)


def test_a_calling_make_does_not_reach_the_build(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAKEFLAGS", "--jobserver-auth=3,4")
    silent = replace(project, outputs="echo ${MAKEFLAGS-unset}")
    assert check(silent, build(silent, COMPILER, "-fPIC", tmp_path / "w", 1)).outputs == "unset\n"


def test_an_installed_ccache_does_not_answer_for_the_compiler(
    project: Project, tmp_path: Path
) -> None:
    told = replace(project, outputs='echo "$CCACHE_DISABLE"')
    assert check(told, build(told, COMPILER, "-fPIC", tmp_path / "w", 1)).outputs == "1\n"


def test_a_test_that_hangs_is_stopped_with_its_children(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = build(project, COMPILER, "-fPIC", tmp_path / "work", 1)
    monkeypatch.setattr(building, "_TEST_SECONDS", 0.3)
    started = time.monotonic()
    result = check(replace(project, test="sleep 60 & sleep 60"), built)
    assert not result.passed
    assert "stopped after" in result.detail
    assert time.monotonic() - started < 20


def test_a_comparison_names_what_is_larger_and_what_is_missing() -> None:
    def built(**sizes: int) -> Build:
        objects = tuple(ObjectFile(name, size, "") for name, size in sizes.items())
        return Build(PROJECTS["zlib"], Path(), 1.0, 0.0, objects, {})

    found = compare(built(a=100, b=50, empty=0, c=1), built(a=90, b=51, empty=0, d=1))
    assert found.larger == ("b",)
    assert (found.only_plain, found.only_ours) == (("c",), ("d",))
    assert found.reductions == pytest.approx((0.1, -0.02))


def test_an_empty_tree_has_no_objects(tmp_path: Path) -> None:
    assert objects_under(tmp_path) == ()


def test_every_row_can_be_fetched_and_is_complete() -> None:
    assert len(ACCEPTANCE) >= 8
    for project in PROJECTS.values():
        assert bool(project.debian) != bool(project.pypi)
        assert len(project.sha256) == 64
        assert all((project.build, project.test, project.passed, project.outputs))
        assert all(used in PROJECTS for used in project.uses)
