"""A gcc is described once, and again when it changes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cr1cc.errors import ToolchainError
from cr1cc.records import GccToolchain
from cr1cc.toolchain.describe_gcc import describe_gcc, problem


@pytest.fixture
def gcc() -> str:
    found = shutil.which("gcc")
    if found is None:
        pytest.skip("gcc is missing")
    return found


def program(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_a_real_gcc_is_described(gcc: str, tmp_path: Path) -> None:
    found = describe_gcc(gcc, cache_dir=str(tmp_path / "cache"))
    assert found.driver == gcc
    assert found.identity.startswith(f"gcc {'.'.join(map(str, found.version))}")
    assert "GNU assembler" in found.identity
    assert "__ELF__" in found.defaults
    assert describe_gcc(gcc, cache_dir=str(tmp_path / "cache")) == found


def test_the_description_is_remembered_until_the_compiler_changes(gcc: str, tmp_path: Path) -> None:
    count = tmp_path / "count"
    driver = program(tmp_path / "mygcc", f'echo x >> {count}; exec {gcc} "$@"')
    cache = str(tmp_path / "cache")
    describe_gcc(driver, cache_dir=cache)
    asked = count.read_text()
    describe_gcc(driver, cache_dir=cache)
    assert count.read_text() == asked
    program(Path(driver), f'echo xx >> {count}; exec {gcc} "$@"')
    describe_gcc(driver, cache_dir=cache)
    assert count.read_text() != asked


@pytest.mark.parametrize("text", ["exit 1", "echo clang version 19.1.7 >&2", "kill -9 $$"])
def test_what_is_not_gcc_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(ToolchainError):
        describe_gcc(program(tmp_path / "x", text), cache_dir=str(tmp_path))


@pytest.mark.parametrize("damage", ["", "[]", "{}", '{"format": 1}'])
def test_a_damaged_file_costs_only_the_question(gcc: str, tmp_path: Path, damage: str) -> None:
    cache = tmp_path / "cache"
    found = describe_gcc(gcc, cache_dir=str(cache))
    (file,) = cache.glob("gcc-*.json")
    file.write_text(damage)
    assert describe_gcc(gcc, cache_dir=str(cache)) == found


@pytest.mark.parametrize(("major", "well"), [(10, False), (11, True), (14, True), (15, False)])
def test_versions_that_were_not_tried_are_a_problem(major: int, well: bool) -> None:
    assert (problem(GccToolchain("gcc", (major, 1, 0), "", "")) == "") is well
