"""Describing real compilers, odd ones, and remembering the answer."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cr1cc.errors import ToolchainError
from cr1cc.llvm.triple import target_name
from cr1cc.records import Toolchain
from cr1cc.toolchain import describe as module
from cr1cc.toolchain import libllvm
from cr1cc.toolchain.describe import describe
from cr1cc.toolchain.survey import all_compilers, problems
from cr1cc.util import remembered


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def loaded_by(driver: str) -> set[str]:
    """The files that ld.so maps for the program, by its own account."""
    listed = subprocess.run(
        ["ldd", os.path.realpath(driver)], capture_output=True, text=True, check=True
    )
    words = [line.split() for line in listed.stdout.splitlines() if "=> /" in line]
    return {os.path.realpath(line[2]) for line in words}


def test_version_and_target_are_those_the_compiler_prints(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    seen = describe(toolchain.driver, cache_dir=str(tmp_path))
    out = subprocess.run([toolchain.driver, "--version"], capture_output=True, text=True).stdout
    assert f"clang version {'.'.join(map(str, seen.version))}" in out
    assert seen.identity == out.splitlines()[0]
    assert f"Target: {seen.default_triple}" in out
    assert target_name(seen.default_triple) in seen.targets
    assert problems(seen) == []


def test_the_library_is_the_one_that_the_dynamic_linker_loads(toolchain: Toolchain) -> None:
    assert toolchain.libllvm in loaded_by(toolchain.driver)


def test_the_targets_are_those_that_the_compiler_prints(toolchain: Toolchain) -> None:
    out = subprocess.run([toolchain.driver, "--print-targets"], capture_output=True, text=True)
    printed = {line.split()[0].lower() for line in out.stdout.splitlines()[1:] if "-" in line}
    for printed_name, name in (("x86-64", "X86"), ("arm", "ARM"), ("aarch64", "AArch64"),
                               ("riscv32", "RISCV"), ("wasm32", "WebAssembly")):  # fmt: skip
        assert (printed_name in printed) == (name in toolchain.targets)


def test_the_library_says_the_version_of_its_compiler(toolchain: Toolchain) -> None:
    assert toolchain.libllvm is not None
    answer = libllvm.probe(toolchain.libllvm)
    assert not isinstance(answer, str)
    assert answer[0] == (toolchain.version if toolchain.major >= 16 else None)


def test_a_link_to_a_compiler_and_a_copied_name_are_the_same_compiler(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    (tmp_path / "one").symlink_to(toolchain.driver)
    (tmp_path / "clang").symlink_to("one")
    seen = describe(str(tmp_path / "clang"), cache_dir=str(tmp_path))
    assert replace(seen, driver=toolchain.driver) == toolchain


def test_a_script_that_starts_a_compiler_has_that_compilers_library(
    any_toolchain: Toolchain, tmp_path: Path
) -> None:
    driver = script(tmp_path / "clang", f'exec {any_toolchain.driver} "$@"')
    seen = describe(driver, cache_dir=str(tmp_path / "cache"))
    assert replace(seen, driver=any_toolchain.driver) == any_toolchain


def test_ccache_under_the_compilers_name_is_seen_through(
    any_toolchain: Toolchain, need: Callable[[str], str], tmp_path: Path
) -> None:
    name = os.path.basename(any_toolchain.driver)
    (tmp_path / name).symlink_to(need("ccache"))
    path = f"{tmp_path}:{os.path.dirname(any_toolchain.driver)}:{os.environ['PATH']}"
    environ = {**os.environ, "PATH": path, "CCACHE_DIR": str(tmp_path / "ccache")}
    seen = describe(str(tmp_path / name), cache_dir=str(tmp_path / "cache"), environ=environ)
    assert seen.version == any_toolchain.version
    assert seen.libllvm == any_toolchain.libllvm


def test_a_clang_that_is_not_linked_to_a_library_is_described_with_the_reason(
    tmp_path: Path,
) -> None:
    driver = script(tmp_path / "clang", "echo 'clang version 19.1.7'; echo 'Target: x86_64-linux'")
    seen = describe(driver, cache_dir=str(tmp_path / "cache"))
    assert seen.version == (19, 1, 7)
    assert seen.libllvm is None
    assert "is not a program whose libraries can be read" in seen.libllvm_problem
    assert problems(seen)[0].startswith("no usable libLLVM")


def test_a_static_clang_takes_a_library_beside_it_of_exactly_its_version_only(
    any_toolchain: Toolchain, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "lib").mkdir()
    static = tmp_path / "bin/clang"
    static.write_bytes(Path("/bin/true").read_bytes())  # a program without libLLVM
    assert any_toolchain.libllvm
    (tmp_path / f"lib/libLLVM-{any_toolchain.major}.so").symlink_to(any_toolchain.libllvm)
    same = libllvm.find_library(str(static), any_toolchain.version, {})
    assert same.path == any_toolchain.libllvm
    assert same.targets == any_toolchain.targets
    major, minor, patch = any_toolchain.version
    other = libllvm.find_library(str(static), (major, minor, patch + 1), {})
    assert other.path is None
    assert "is version" in other.problem


def test_a_library_that_ends_the_process_or_is_none_is_a_reason(tmp_path: Path) -> None:
    (tmp_path / "libLLVM.so").write_bytes(b"not a library" * 100)
    assert "invalid ELF header" in str(libllvm.probe(str(tmp_path / "libLLVM.so")))
    assert "C API" in str(libllvm.probe("libm.so.6"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("echo broken >&2; exit 3", "ended with status 3: broken"),
        ("kill -11 $$", "ended by signal 11"),
        ("echo 'gcc (GCC) 12.2'", "is not clang"),
    ],
)
def test_a_broken_or_other_compiler_is_one_clear_line(
    text: str, expected: str, tmp_path: Path
) -> None:
    driver = script(tmp_path / "clang", text)
    with pytest.raises(ToolchainError, match=expected) as error:
        describe(driver, cache_dir=str(tmp_path / "cache"))
    assert "\n" not in str(error.value)


def test_a_compiler_that_cannot_be_started_is_a_toolchain_error(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match="cannot be started"):
        describe(str(tmp_path / "clang"), cache_dir=str(tmp_path))


def forbid_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(module, "capture", refuse)
    monkeypatch.setattr(os, "fork", refuse)


def test_a_known_compiler_costs_no_process_and_less_than_a_millisecond(
    any_toolchain: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = describe(any_toolchain.driver, cache_dir=str(tmp_path))
    forbid_processes(monkeypatch)
    costs = []
    for _ in range(20):
        start = time.perf_counter()
        assert describe(any_toolchain.driver, cache_dir=str(tmp_path)) == first
        costs.append(time.perf_counter() - start)
    assert min(costs) < 0.001


def test_a_changed_compiler_is_asked_again(tmp_path: Path) -> None:
    driver = script(tmp_path / "clang", "echo 'clang version 18.1.0'")
    assert describe(driver, cache_dir=str(tmp_path / "c")).major == 18
    script(tmp_path / "clang", "echo 'clang version 20.1.0'")
    os.utime(driver, ns=(1, 1))
    assert describe(driver, cache_dir=str(tmp_path / "c")).major == 20


def test_no_library_is_believed_for_a_while_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = script(tmp_path / "clang", "echo 'clang version 18.1.0'")
    describe(driver, cache_dir=str(tmp_path / "c"))
    later = time.time() + 3600
    monkeypatch.setattr(remembered.time, "time", lambda: later)
    forbid_processes(monkeypatch)
    with pytest.raises(AssertionError, match="a process was started"):
        describe(driver, cache_dir=str(tmp_path / "c"))


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: "",
        lambda data: "[]",
        lambda data: "null",
        lambda data: json.dumps(data)[:-20],
        lambda data: json.dumps({**data, "format": 0}),
        lambda data: json.dumps({**data, "files": [["x"]]}),
        lambda data: json.dumps({**data, "until": "never"}),
        lambda data: json.dumps({**data, "answer": {**data["answer"], "version": "19"}}),
        lambda data: json.dumps({**data, "answer": {**data["answer"], "libllvm": 7}}),
        lambda data: json.dumps({**data, "answer": {"driver": data["answer"]["driver"]}}),
    ],
)
def test_a_corrupt_memory_is_ignored_and_mended(
    damage: Callable[[dict[str, object]], str], any_toolchain: Toolchain, tmp_path: Path
) -> None:
    first = describe(any_toolchain.driver, cache_dir=str(tmp_path))
    (file,) = tmp_path.iterdir()
    sound = file.read_text()
    file.write_text(damage(json.loads(sound)))
    assert describe(any_toolchain.driver, cache_dir=str(tmp_path)) == first
    assert json.loads(file.read_text()) == json.loads(sound)


def test_a_cache_that_cannot_be_written_changes_nothing(
    any_toolchain: Toolchain, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    seen = describe(any_toolchain.driver, cache_dir=str(tmp_path / "file/cache"))
    assert seen == any_toolchain


def test_the_survey_lists_each_compiler_once_and_no_broken_one(
    usable_compilers: dict[int, Toolchain], tmp_path: Path
) -> None:
    if not usable_compilers:
        pytest.skip("a clang with its libLLVM is missing")
    script(tmp_path / "clang", "exit 1")
    (tmp_path / "clang-14").symlink_to(next(iter(usable_compilers.values())).driver)
    environ = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    seen = all_compilers(environ, cache_dir=str(tmp_path / "cache"))
    assert str(tmp_path / "clang") not in [toolchain.driver for toolchain in seen]
    libraries = [toolchain.libllvm for toolchain in seen if toolchain.libllvm]
    assert len(libraries) == len(set(libraries))


def test_versions_outside_of_the_tested_range_are_named_as_problems(
    any_toolchain: Toolchain,
) -> None:
    assert "older than 14" in problems(replace(any_toolchain, version=(13, 0, 1)))[0]
    assert "newer than 23" in problems(replace(any_toolchain, version=(24, 1, 0)))[0]
