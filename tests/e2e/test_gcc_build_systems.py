"""What build systems read, with cr1-gcc and cr1-g++ and the real build systems."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cr1cc.util.data import data_path
from tests.e2e.test_autotools import read_by_sh
from tests.e2e.test_wrappers import run
from tests.e2e.wrapped import decided


@pytest.fixture(autouse=True)
def _gcc(gcc_and_gxx: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, path in zip(("CR1_GCC", "CR1_GXX"), gcc_and_gxx, strict=True):
        monkeypatch.setenv(variable, path)


def test_make_builds_and_runs_a_project_with_the_snippet(
    project: Path, compilers: Path, need: Callable[[str], str]
) -> None:
    wrapper = data_path("wrappers", "cr1.mk")
    out = run(
        need("make"), f"WRAPPER={wrapper}", f"CR1_BIN={compilers}", "CR1_COMPILER=gcc", cwd=project
    )
    assert f"{compilers}/cr1-gcc -Oz -MMD" in out
    assert f"{compilers}/cr1-g++ -Oz -MMD" in out
    assert out.endswith("4 1 5 10\n")
    assert decided(project) == {"words.o", "main.o"}


def test_make_in_parallel_gives_the_same_bytes(
    project: Path, compilers: Path, need: Callable[[str], str]
) -> None:
    make = [need("make"), f"WRAPPER={data_path('wrappers', 'cr1.mk')}", f"CR1_BIN={compilers}",
            "CR1_COMPILER=gcc"]  # fmt: skip
    made = []
    for words, settings in (([], {"CR1_CACHE": "0"}), (["-j4"], {}), (["-j4"], {})):
        run("make", "clean", cwd=project)
        run(*make, *words, cwd=project, **settings)
        made.append([(project / name).read_bytes() for name in ("words.o", "main.o")])
    assert made[0] == made[1] == made[2]


def test_cmake_builds_and_tests_a_project_with_the_toolchain_file(
    project: Path, compilers: Path, need: Callable[[str], str]
) -> None:
    need("cmake")
    configured = run(
        "cmake", "-S", ".", "-B", "build", f"-DCR1_BIN={compilers}",
        f"-DCMAKE_TOOLCHAIN_FILE={data_path('wrappers', 'cr1-gcc.cmake')}",
        "-DCMAKE_BUILD_TYPE=MinSizeRel", cwd=project,
    )  # fmt: skip
    assert "The C compiler identification is GNU" in configured
    assert "The CXX compiler identification is GNU" in configured
    run("cmake", "--build", "build", cwd=project)
    assert "100% tests passed" in run("ctest", "--test-dir", "build", cwd=project)
    assert len(decided(project / "build")) == 2


def test_meson_builds_and_tests_a_project_with_the_native_file(
    project: Path, compilers: Path, need: Callable[[str], str]
) -> None:
    need("ninja")
    path = f"{compilers}:{os.environ['PATH']}"
    configured = run(
        need("meson"), "setup", "--native-file", data_path("wrappers", "cr1cc-gcc.ini"),
        "-Doptimization=s", "build", cwd=project, PATH=path,
    )  # fmt: skip
    assert "C compiler for the host machine: cr1-gcc (gcc" in configured
    assert "C++ compiler for the host machine: cr1-g++ (gcc" in configured
    run("meson", "compile", "-C", "build", cwd=project, PATH=path)
    assert "Fail:               0" in run("meson", "test", "-C", "build", cwd=project, PATH=path)
    assert decided(project / "build") == {"libwords.a.p/words.c.o", "small.p/main.cc.o"}


def test_the_site_file_of_configure_takes_the_other_compilers(
    tmp_path: Path, compilers: Path
) -> None:
    site = Path(shutil.copytree(data_path("wrappers"), tmp_path / "wrappers")) / "config.site"
    done = read_by_sh(site, CR1_BIN=str(compilers), CR1_COMPILER="gcc")
    expected = f"{compilers}/cr1-gcc|-Os|{compilers}/cr1-g++|-Os\n"
    assert (done.stdout, done.stderr) == (expected, "")
