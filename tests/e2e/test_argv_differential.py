"""Every form of command line, through clang and through cr1-clang, side by side.

Both run in the same folder with the same files, one after the other; the wrapper
runs twice, so that the decision is made once and repeated once.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from cr1cc.records import Toolchain
from tests.e2e.argv_forms import FILES, FORMS, Form

# Small, so that the many searches here stay short.
SETTINGS = {"CR1_BUDGET": "6", "CR1_TAIL_BUDGET": "1"}

# Names that the compiler makes up anew on every run.
_TEMPORARY = re.compile(rb"/tmp/(?:[^ \"\n]*-[0-9a-f]{6,}|cc\w{6})(\.\w+)?")

Symbols = frozenset[tuple[str, str, str, str]]


@dataclass
class Run:
    """What one command did."""

    status: int
    stdout: bytes
    stderr: bytes
    files: dict[str, bytes] = field(default_factory=dict)


def fill(folder: Path, files: Mapping[str, str] = FILES) -> None:
    """Makes `folder` the same again, whatever stood there."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (1_000_000_000, 1_000_000_000))  # precompiled headers record it
    (folder / "sub").mkdir()
    (folder / "folder.c").mkdir()
    (folder / "unreadable.c").symlink_to("unreadable.c")  # for root as well
    (folder / "existing.o").write_bytes(b"old")
    (folder / "linked.o").write_bytes(b"old")
    (folder / "link.o").symlink_to("linked.o")


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file by name, links by what they point to."""
    files = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            files[name] = b"-> " + os.readlink(path).encode()
        else:
            files[name] = b"folder" if path.is_dir() else path.read_bytes()
    return files


def execute(
    command: list[str],
    form: Form,
    folder: Path,
    environ: Mapping[str, str],
    files: Mapping[str, str] = FILES,
) -> Run:
    fill(folder, files)
    done = subprocess.run(
        [*command, *shlex.split(form.words)],
        cwd=folder,
        env={**os.environ, **environ, **dict(form.environ)},
        input=form.stdin.encode(),
        capture_output=True,
    )
    return Run(
        done.returncode,
        _TEMPORARY.sub(b"/tmp/X", done.stdout),
        _TEMPORARY.sub(b"/tmp/X", done.stderr),
        snapshot(folder),
    )


def symbols(data: bytes, *, defined: bool) -> Symbols:
    """Global and weak symbols as (name, type, binding, visibility)."""
    table = ELFFile(io.BytesIO(data)).get_section_by_name(".symtab")
    return frozenset(
        (symbol.name, info["type"], info["bind"], symbol["st_other"]["visibility"])
        for symbol in (table.iter_symbols() if table else ())
        if (info := symbol["st_info"])["bind"] != "STB_LOCAL"
        and (symbol["st_shndx"] != "SHN_UNDEF") is defined
    )


def loadable(data: bytes) -> int:
    return sum(
        section["sh_size"]
        for section in ELFFile(io.BytesIO(data)).iter_sections()
        if section["sh_flags"] & 2 and section["sh_type"] != "SHT_NOBITS"
    )


def sections(data: bytes, prefix: str) -> set[str]:
    names = (section.name for section in ELFFile(io.BytesIO(data)).iter_sections())
    return {name for name in names if name.startswith(prefix)}


def check_replacement(name: str, real: bytes, ours: bytes) -> None:
    """The object is another one, so it must be a smaller one that links the same."""
    assert real[:4] == ours[:4] == b"\x7fELF", name
    if name.endswith(".dwo"):
        assert sections(ours, ".debug_info") == sections(real, ".debug_info")
        return
    assert symbols(ours, defined=True) == symbols(real, defined=True)
    assert symbols(ours, defined=False) <= symbols(real, defined=False)
    assert loadable(ours) < loadable(real)
    assert sections(ours, ".debug_info") == sections(real, ".debug_info")
    assert sections(ours, ".eh_frame") == sections(real, ".eh_frame")


def check_same(real: Run, ours: Run) -> None:
    assert ours.status == real.status
    assert ours.stderr == real.stderr
    assert ours.stdout == real.stdout
    assert ours.files.keys() == real.files.keys()
    for name, data in real.files.items():
        if ours.files[name] != data:
            check_replacement(name, data, ours.files[name])


def compare(form: Form, toolchain: Toolchain, folder: Path) -> tuple[Run, Run]:
    """The real run and the wrapper's second, after all checks."""
    if form.cxx:
        # Only a driver of that name, or one that is told, compiles C++.
        real = [toolchain.driver, "--driver-mode=g++"]
        beside = Path(toolchain.driver).with_name(
            Path(toolchain.driver).name.replace("clang", "clang++", 1)
        )
        if beside.exists():
            real = [str(beside)]
    else:
        real = [toolchain.driver]
    environ = {**SETTINGS, "CR1_CLANG": toolchain.driver}
    if form.cxx and len(real) == 1:
        environ["CR1_CLANGXX"] = real[0]
    wrapper = [sys.executable, "-m", "cr1cc.wrapper", "clang++" if form.cxx else "clang"]
    environ["PYTHONPATH"] = str(Path(__file__).parents[2])
    expected = execute(real, form, folder, {})
    first = execute(wrapper, form, folder, environ)
    check_same(expected, first)
    second = execute(wrapper, form, folder, environ)
    check_same(expected, second)
    assert second.files == first.files
    return expected, second


def compiler(usable: Mapping[int, Toolchain], version: int) -> Toolchain:
    if version not in usable:
        pytest.skip(f"clang {version}")
    return usable[version]


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_a_form_does_what_clang_does(form: Form, any_toolchain: Toolchain, tmp_path: Path) -> None:
    compare(form, any_toolchain, tmp_path / "work")


@pytest.mark.long
@pytest.mark.parametrize("version", [14, 23])
@pytest.mark.parametrize("form", FORMS, ids=str)
def test_a_form_does_what_other_versions_of_clang_do(
    form: Form, version: int, usable_compilers: Mapping[int, Toolchain], tmp_path: Path
) -> None:
    compare(form, compiler(usable_compilers, version), tmp_path / "work")


def test_there_are_objects_that_are_replaced(any_toolchain: Toolchain, tmp_path: Path) -> None:
    """Else the comparison above would prove nothing about replaced objects."""
    real, ours = compare(Form("-Oz -c plain.c"), any_toolchain, tmp_path / "work")
    assert ours.files["plain.o"] != real.files["plain.o"]


def test_the_table_has_no_form_twice() -> None:
    assert len({str(form) for form in FORMS}) == len(FORMS)
