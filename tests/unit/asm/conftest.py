"""The programs, the compilers that they are tried with, and an assembler."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cr1cc.asm.reader import read_unit
from cr1cc.asm.statement import Machine
from cr1cc.asm.unit import Unit

PROGRAMS = sorted((Path(__file__).parent / "programs").iterdir())

# What -S needs so that GNU as takes the output: clang writes tables that only its own knows.
_OF_CLANG = ("-fno-integrated-as",)

Assembly = Callable[..., str]
Assemble = Callable[[str], bytes]


def compiler_for(source: Path, compiler: str) -> str:
    """The C++ driver beside a C one where the source is C++."""
    if source.suffix == ".c":
        return compiler
    return compiler.replace("gcc", "g++").replace("clang", "clang++")


def run(*command: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, errors="surrogateescape", cwd=cwd, timeout=120,
        check=False,
    )  # fmt: skip


def csmith(seed: int, folder: Path) -> Path:
    """A random program, the same for a seed."""
    if shutil.which("csmith") is None:
        pytest.skip("csmith is missing")
    out = run("csmith", "--seed", str(seed), "--max-funcs", "5")
    path = folder / f"csmith{seed}.c"
    path.write_text(out.stdout)
    return path


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """`assembly(source, "gcc", "-O2")`: the text that a compiler makes of a source, which is a
    file or the text of a C file. What was made once is kept."""
    folder = tmp_path_factory.mktemp("assembly")
    made: dict[tuple[str | Path, str, str], str] = {}

    def make(source: Path | str, compiler: str, options: str = "") -> str:
        key = (source, compiler, options)
        if key in made:
            return made[key]
        path = source if isinstance(source, Path) else folder / "text.c"
        if isinstance(source, str):
            path.write_text(source)
        program = compiler_for(path, compiler)
        if shutil.which(program) is None:
            pytest.skip(f"{program} is missing")
        words = [program, *options.split(), *(_OF_CLANG if "clang" in program else ())]
        out = run(*words, "-w", "-S", path, "-o", folder / "out.s")
        assert out.returncode == 0, out.stderr
        text = (folder / "out.s").read_text(encoding="utf-8", errors="surrogateescape")
        made[key] = text
        return text

    return make


@pytest.fixture(scope="session")
def unit(assembly: Assembly) -> Callable[..., Unit]:
    """`unit(source, "gcc", "-O2")`: the same, read."""
    return lambda *arguments: read_unit(assembly(*arguments))


@pytest.fixture
def assemble(tmp_path: Path) -> Assemble:
    """The bytes of the object that `as` makes of a text."""

    def make(text: str, machine: Machine = Machine.X86_64) -> bytes:
        program = "as" if machine is Machine.X86_64 else "aarch64-linux-gnu-as"
        if shutil.which(program) is None:
            pytest.skip(f"{program} is missing")
        (tmp_path / "text.s").write_text(text, encoding="utf-8", errors="surrogateescape")
        out = run(program, tmp_path / "text.s", "-o", tmp_path / "text.o")
        assert out.returncode == 0, out.stderr
        return (tmp_path / "text.o").read_bytes()

    return make
