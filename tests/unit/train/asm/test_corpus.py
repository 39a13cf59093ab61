"""Assembly of real compilers, kept by the capturing compiler, and the windows of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from cr1cc.errors import UserError
from cr1cc.train.asm import corpus
from cr1cc.train.asm.variants import VARIANTS
from cr1cc.train.packages import Package

SOURCE = """
int twice(int x) { return x + x; }
int seven(unsigned char *p) { return p[0] * 7 + 0; }
unsigned sum(unsigned *p, int n) {
    unsigned s = 0;
    for (int i = 0; i < n; i++) s = s * 31 + p[i];
    return s;
}
unsigned other(unsigned *q, int n) {
    unsigned s = 1;
    for (int i = 0; i < n; i++) s = s * 31 + q[i];
    return s;
}
"""
CLANG = next((path for v in (19, 22, 16, 14) if (path := shutil.which(f"clang-{v}"))), None)
GCC = shutil.which("gcc")

pytestmark = pytest.mark.skipif(GCC is None or CLANG is None, reason="gcc or clang is missing")


def quiet(items: Iterable[Any], step: str, total: int) -> Iterable[Any]:
    return items


def capture(folder: Path, *words: str) -> None:
    (folder / "one.c").write_text(SOURCE)
    command = [sys.executable, "-m", "cr1cc.train.asm.capture", GCC, CLANG, folder / "kept", *words]
    out = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert out.returncode == 0, out.stderr


def kept(folder: Path) -> dict[str, list[Path]]:
    return {row.name: sorted((folder / "kept" / row.name).glob("*.s")) for row in VARIANTS}


def test_every_row_of_the_table_leaves_assembly(tmp_path: Path) -> None:
    capture(tmp_path, "-g", "-O1", "-Wall", "-DX=1", "-c", "one.c", "-o", "one.o")
    found = kept(tmp_path)
    assert {name: len(paths) for name, paths in found.items()} == dict.fromkeys(found, 1)
    assert len({path.name for paths in found.values() for path in paths}) == 1
    assert len({path.read_bytes() for paths in found.values() for path in paths}) > 3
    assert (tmp_path / "one.o").exists()
    assert ".debug_info" not in found["gcc-O3"][0].read_text()


@pytest.mark.parametrize("words", [("-E", "one.c"), ("-c", "-x", "c++", "one.c"), ("--version",)])
def test_what_is_no_compile_of_c_leaves_nothing(words: tuple[str, ...], tmp_path: Path) -> None:
    capture(tmp_path, *words)
    assert not any(kept(tmp_path).values())


def made(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The windows of a package that is there already, as they are written."""

    class NoApt:
        def __init__(self, directory: Path) -> None:
            """Nothing is fetched."""

    monkeypatch.setattr(corpus, "PrivateApt", NoApt)
    capture(folder, "-c", "one.c")
    (folder / "corpus" / "text").mkdir(parents=True)
    (folder / "kept").rename(folder / "corpus" / "text" / "one")
    assert GCC
    assert CLANG
    package = Package("one", "1")
    said = list(corpus.collect(folder / "corpus", [package], GCC, CLANG, quiet))
    assert said[0].startswith("one: 1 sources, ")
    assert not list(corpus.collect(folder / "corpus", [package], GCC, CLANG, quiet))
    text = corpus.windows_file(folder / "corpus", "one").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_windows_are_counted_by_their_normal_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = made(tmp_path, monkeypatch)
    assert [row["count"] for row in rows] == sorted((row["count"] for row in rows), reverse=True)
    keys = [(tuple(row["old"]), tuple(row["live"])) for row in rows]
    assert len(set(keys)) == len(keys)
    assert rows[0]["count"] > 1
    assert {row["function"] for row in rows} <= {"twice", "seven", "sum", "other"}
    assert any(len(row["old"]) > 3 for row in rows)


def test_only_packages_of_the_table_are_taken() -> None:
    assert [one.name for one in corpus.chosen(["dash", "cjson"])] == ["dash", "cjson"]
    with pytest.raises(UserError, match="no-such-package"):
        corpus.chosen(["no-such-package"])
