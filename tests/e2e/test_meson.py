"""The native file for Meson, with the real Meson and ninja."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cr1cc.util.data import data_path
from tests.e2e.wrapped import decided, run

# All that becomes ours: Meson's own compiles in meson-private are the real compiler's.
OBJECTS = {"libwords.a.p/words.c.o", "small.p/main.cc.o"}


@pytest.fixture
def setup(project: Path, need: Callable[[str], str]) -> Callable[..., str]:
    """`meson setup` of the small project with our native file and more options."""
    need("ninja")

    def setup(*options: str, **environ: str) -> str:
        native = data_path("wrappers", "cr1cc.ini")
        return run(
            need("meson"), "setup", "--native-file", native, *options, "build",
            cwd=project, **environ,
        )  # fmt: skip

    return setup


def last_level(project: Path, source: str) -> str:
    """The `-O` that decides in the command that compiles `source`."""
    commands = json.loads((project / "build/compile_commands.json").read_text())
    (words,) = (row["command"].split() for row in commands if row["file"].endswith(source))
    return str([word for word in words if word.startswith("-O")][-1])


def test_meson_builds_and_tests_a_project_with_the_native_file(
    project: Path, compilers: Path, setup: Callable[..., str]
) -> None:
    path = f"{compilers}:{os.environ['PATH']}"
    # The file wins over CC: Meson looks at the environment only where no file speaks.
    configured = setup("-Doptimization=s", PATH=path, CC="false")
    assert "C compiler for the host machine: cr1-clang (clang" in configured
    assert "C++ compiler for the host machine: cr1-clang++ (clang" in configured
    assert 'Checking for function "strlen" : YES' in configured
    run("meson", "compile", "-C", "build", cwd=project, PATH=path)
    tested = run("meson", "test", "-C", "build", cwd=project, PATH=path)
    assert "Fail:               0" in tested
    # What Meson makes of `s` for clang.
    assert {last_level(project, name) for name in ("words.c", "main.cc")} == {"-Oz"}
    assert decided(project / "build") == OBJECTS


def test_a_second_native_file_names_the_folder_and_arguments_choose_the_level(
    project: Path, compilers: Path, setup: Callable[..., str]
) -> None:
    own = project / "own.ini"
    own.write_text(f"[constants]\ncr1_bin = '{compilers}'\n")
    options = ["-Dbuildtype=release", "-Dc_args=-Os", "-Dcpp_args=-Os"]
    setup("--native-file", str(own), *options)
    run("ninja", "-C", "build", cwd=project)
    assert {last_level(project, name) for name in ("words.c", "main.cc")} == {"-Os"}
    assert decided(project / "build") == OBJECTS


def test_the_file_serves_as_one_more_cross_file(
    project: Path, compilers: Path, need: Callable[[str], str]
) -> None:
    need("ninja")
    cross = project / "cross.ini"
    cross.write_text(
        "[host_machine]\nsystem = 'linux'\ncpu_family = 'x86_64'\ncpu = 'x86_64'\n"
        "endian = 'little'\n[binaries]\nar = 'ar'\n"
    )
    ours = shutil.copy(data_path("wrappers", "cr1cc.ini"), project / "ours.ini")
    configured = run(
        need("meson"), "setup", f"--cross-file={cross}", f"--cross-file={ours}", "build",
        cwd=project, PATH=f"{compilers}:{os.environ['PATH']}",
    )  # fmt: skip
    assert "C compiler for the host machine: cr1-clang (clang" in configured
