"""The files of real projects come back, and their programs do the same with mixed functions."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from cr1cc.asm.printer import print_unit
from cr1cc.asm.unit import Unit
from tests.projects.errors import FetchError
from tests.projects.fetch import cache_directory, fetch, unpack
from tests.projects.table import PROJECTS
from tests.unit.asm.conftest import Assemble, Assembly, run
from tests.unit.asm.test_round_trip import check
from tests.unit.asm.test_splice import DONORS, made, random_choice

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]

SOURCES = cache_directory()

# project: its files, and what they are compiled with
FILES = {
    "bzip2": ("[b-r]*.c", ""),
    "cjson": ("cJSON.c", ""),
    "expat": ("**/lib/xml*.c", "-DXML_POOR_ENTROPY -DXML_DTD -DXML_NS -DXML_CONTEXT_BYTES=1024"),
    "lua": ("src/l*.c", ""),
    "lz4": ("lib/*.c", ""),
    "zlib": ("*.c", "-DHAVE_UNISTD_H"),
    "zstd": ("lib/compress/*.c", ""),
}
OPTIONS = (("gcc", "-O3"), ("gcc", "-O2 -g"), ("clang-19", "-O2 -fPIC"), ("clang-19", "-Os -g"))


def sources(project: str, folder: Path) -> list[Path]:
    """The C files of a project that compile by themselves, or a skip."""
    try:
        root = unpack(fetch(PROJECTS[project], SOURCES), folder / "source")
    except FetchError as error:
        pytest.skip(str(error))
    pattern, options = FILES[project]
    found = sorted(root.glob(pattern))
    assert found
    return [
        path
        for path in found
        if run("gcc", *options.split(), "-w", "-fsyntax-only", path).returncode == 0
    ]


@pytest.mark.parametrize("project", FILES)
def test_the_files_of_a_project_come_back(
    project: str, assembly: Assembly, assemble: Assemble, tmp_path: Path
) -> None:
    for path in sources(project, tmp_path):
        for compiler, options in OPTIONS:
            check(assembly(path, compiler, f"{options} {FILES[project][1]}"), assemble)


def test_a_compressor_of_mixed_functions_writes_the_same_bytes(
    unit: Callable[..., Unit], tmp_path: Path
) -> None:
    files = [path for path in sources("bzip2", tmp_path) if "recover" not in path.name]
    wanted = ("blocksort", "bzip2", "bzlib", "compress", "crctable", "decompress", "huffman",
              "randtable")  # fmt: skip
    files = [path for path in files if path.stem in wanted]
    text = "".join(path.read_text(errors="replace") for path in files).encode()
    (tmp_path / "text").write_bytes(text * 3)
    generator = random.Random(7)
    packed = set()
    for mixed in (False, True, True):
        objects = []
        for path in files:
            donors = made(unit, path, "", tuple(DONORS))
            base = donors["gcc -O3"]
            result = random_choice(base, donors, generator)[1] if mixed else base
            objects.append(tmp_path / f"{path.stem}.s")
            objects[-1].write_text(print_unit(result), encoding="utf-8", errors="surrogateescape")
        out = run("gcc", *objects, "-o", tmp_path / "program")
        assert out.returncode == 0, out.stderr
        (tmp_path / "text.bz2").unlink(missing_ok=True)
        assert run(tmp_path / "program", "-k", tmp_path / "text").returncode == 0
        packed.add((tmp_path / "text.bz2").read_bytes())
        assert run(tmp_path / "program", "-t", tmp_path / "text.bz2").returncode == 0
    assert len(packed) == 1
