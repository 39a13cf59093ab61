"""What build systems include, with the real build systems."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cr1cc.records import Toolchain
from cr1cc.util.data import data_path
from tests.e2e.wrapped import run


def cmake(project: Path, *options: str, **environ: str) -> str:
    # A copy: in a checkout the compilers of its own .venv would be found before PATH.
    wrappers = shutil.copytree(data_path("wrappers"), project / "wrappers")
    toolchain = Path(wrappers) / "cr1-clang.cmake"
    return run(
        "cmake", "-S", ".", "-B", "build", f"-DCMAKE_TOOLCHAIN_FILE={toolchain}",
        "-DCMAKE_BUILD_TYPE=MinSizeRel", *options, cwd=project, **environ,
    )  # fmt: skip


@pytest.mark.parametrize("how", ["variable", "environment", "path"])
def test_cmake_builds_and_tests_a_project_with_the_toolchain_file(
    how: str, project: Path, compilers: Path, need: Callable[[str], str]
) -> None:
    need("cmake")
    options = [f"-DCR1_BIN={compilers}"] if how == "variable" else []
    environ = {"CR1_BIN": str(compilers)} if how == "environment" else {}
    if how == "path":
        environ["PATH"] = f"{compilers}:{os.environ['PATH']}"
    configured = cmake(project, *options, **environ)
    assert "The C compiler identification is Clang" in configured
    run("cmake", "--build", "build", cwd=project)
    assert "100% tests passed" in run("ctest", "--test-dir", "build", cwd=project)
    cache = (project / "build/CMakeCache.txt").read_text()
    assert f"CMAKE_C_COMPILER:STRING={compilers}/cr1-clang\n" in cache or (
        f"CR1_BIN:PATH={compilers}\n" in cache
    )


def test_the_toolchain_file_can_be_included_for_a_cross_build(
    project: Path, compilers: Path, need: Callable[[str], str], any_toolchain: Toolchain
) -> None:
    need("cmake")
    if "AArch64" not in any_toolchain.targets:
        pytest.skip("a clang with the AArch64 target is missing")
    cross = project / "cross.cmake"
    cross.write_text(
        "set(CMAKE_SYSTEM_NAME Generic)\nset(CMAKE_SYSTEM_PROCESSOR aarch64)\n"
        "set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)\n"
        "set(CMAKE_C_COMPILER_TARGET aarch64-none-elf)\n"
        "set(CMAKE_CXX_COMPILER_TARGET aarch64-none-elf)\n"
        f"include({data_path('wrappers', 'cr1-clang.cmake')})\n"
    )
    run(
        "cmake", "-S", ".", "-B", "build", f"-DCMAKE_TOOLCHAIN_FILE={cross}",
        f"-DCR1_BIN={compilers}", "-DCMAKE_C_FLAGS=-ffreestanding -Oz", cwd=project,
    )  # fmt: skip
    run("cmake", "--build", "build", "--target", "words", cwd=project)
    (built,) = (path for path in project.glob("build/**/words.c.o*") if path.suffix != ".d")
    assert int.from_bytes(built.read_bytes()[18:20], "little") == 183  # EM_AARCH64


def test_a_missing_compiler_is_named_by_cmake_and_by_make(
    project: Path, tmp_path: Path, need: Callable[[str], str]
) -> None:
    shutil.copytree(data_path("wrappers"), tmp_path / "wrappers")
    make = [need("make"), f"WRAPPER={tmp_path}/wrappers/cr1.mk"]
    toolchain = f"-DCMAKE_TOOLCHAIN_FILE={tmp_path}/wrappers/cr1-clang.cmake"
    for argv in (make, [need("cmake"), "-B", "build", toolchain]):
        environ = {**os.environ, "PATH": "/usr/bin:/bin"}
        done = subprocess.run(argv, cwd=project, env=environ, capture_output=True, text=True)
        assert done.returncode != 0
        assert "cr1-clang was not found" in done.stderr


def test_make_builds_and_runs_a_project_with_the_snippet(
    project: Path, compilers: Path, need: Callable[[str], str]
) -> None:
    wrapper = data_path("wrappers", "cr1.mk")
    out = run(need("make"), f"WRAPPER={wrapper}", f"CR1_BIN={compilers}", cwd=project)
    assert f"{compilers}/cr1-clang -Oz -MMD" in out
    assert f"{compilers}/cr1-clang++ -Oz -MMD" in out
    assert out.endswith("4 1 5 10\n")
    assert sorted(path.name for path in project.glob("*.[od]")) == [
        "main.d", "main.o", "words.d", "words.o",
    ]  # fmt: skip


def test_objects_built_with_the_snippet_are_never_larger(
    project: Path, compilers: Path, any_toolchain: Toolchain, need: Callable[[str], str]
) -> None:
    size = need("size")

    def text_bytes() -> int:
        lines = run(size, "words.o", "main.o", cwd=project).splitlines()[1:]
        return sum(int(line.split()[0]) + int(line.split()[1]) for line in lines)

    plain = any_toolchain.driver
    cxx = plain.replace("clang", "clang++") if "clang++" not in plain else plain
    run("make", f"CC={plain}", f"CXX={cxx}", "words.o", "main.o", cwd=project)
    baseline = text_bytes()
    run("make", "clean", cwd=project)
    run("make", f"WRAPPER={data_path('wrappers', 'cr1.mk')}", f"CR1_BIN={compilers}", cwd=project)
    assert text_bytes() <= baseline


def test_the_command_line_of_make_wins_over_the_snippet(
    project: Path, compilers: Path, any_toolchain: Toolchain, need: Callable[[str], str]
) -> None:
    wrapper = data_path("wrappers", "cr1.mk")
    driver = any_toolchain.driver
    out = run(
        need("make"), f"WRAPPER={wrapper}", f"CR1_BIN={compilers}", f"CC={driver}", "words.o",
        cwd=project,
    )  # fmt: skip
    assert out.startswith(f"{driver} -Oz")
