"""The compiler of corpus builds keeps every module twice, and compiles as it is told."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from cr1cc.cli.main import program
from cr1cc.records import Toolchain
from cr1cc.train import corpus
from cr1cc.train.corpus import KINDS, samples
from cr1cc.train.packages import HELD_OUT, Package


def text_of(toolchain: Toolchain, module: Path) -> str:
    """Printed IR; attributes stand in groups at its end."""
    command = [toolchain.driver, "-S", "-emit-llvm", "-Xclang", "-disable-llvm-passes"]
    done = subprocess.run(
        [*command, "-x", "ir", str(module), "-o", "-"], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_a_compile_leaves_both_modules_and_its_object(
    any_toolchain: Toolchain, tmp_path: Path
) -> None:
    (tmp_path / "m.c").write_text("int f(int x) { int y = x * 3; return y + x; }\n")
    capture = [sys.executable, "-m", "cr1cc.train.capture", any_toolchain.driver]
    capture += [str(tmp_path), str(tmp_path)]
    for words in (["-O2", "-g", "-c", "m.c", "-o", "m.o"], ["-E", "m.c", "-o", "m.i"]):
        done = subprocess.run([*capture, *words], cwd=tmp_path, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "m.o").read_bytes()[:4] == b"\x7fELF"
    assert (tmp_path / "m.i").exists()
    for kind in KINDS:
        (module,) = (tmp_path / kind).glob("*.bc")
        text = text_of(any_toolchain, module)
        assert module.name.startswith("m-")
        assert "alloca" in text  # nothing was optimised
        assert "optnone" not in text
        assert ("minsize" in text) is (kind == "packages")
        # The corpus has a folder for each package between these two.
        place = tmp_path / kind / "own"
        place.mkdir()
        module.rename(place / module.name)
        assert [sample.package for sample in samples(tmp_path, kind)] == ["own"]


def test_a_package_is_complete_if_something_of_it_was_built(
    any_toolchain: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def unpacked(package: Package, _apt: object) -> Iterator[tuple[Path, str]]:
        tree = tmp_path / "trees" / package.name
        tree.mkdir(parents=True)
        (tree / "m.c").write_text("int f(int x) { return x + 1; }\n")
        yield tree, ""

    rows = (
        Package("good", "1", ('"$CC" -c m.c',)), Package("bad", "1", ("missing-program-of-cr1",)),
    )  # fmt: skip
    monkeypatch.setattr(corpus, "unpacked", unpacked)
    monkeypatch.setattr(corpus, "HELD_OUT", ())
    lines = sorted(corpus.collect(tmp_path, rows, any_toolchain.driver, 0, 1))
    assert lines == ["bad: left out: nothing of it could be built", "good: 1 modules"]
    assert [one.package for one in samples(tmp_path)] == ["good"]
    assert [path.name for path in (tmp_path / "paper").glob("*.done")] == ["good.done"]


def test_modules_do_not_depend_on_where_the_tree_lies(
    any_toolchain: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path

    @contextmanager
    def unpacked(package: Package, _apt: object) -> Iterator[tuple[Path, str]]:
        tree = place / "tree"
        tree.mkdir(parents=True)
        (tree / "h.h").write_text('static inline const char *h(void) { return "in " __FILE__; }\n')
        (tree / "m.c").write_text(
            '#include "h.h"\nconst char *f(int x) { return x ? "at " __FILE__ : h(); }\n'
        )
        yield tree, ""

    # As CMake does, with the whole path of the source.
    rows = (Package("one", "1", ('"$CC" -g -ggdb -c "$PWD/m.c"',)),)
    monkeypatch.setattr(corpus, "unpacked", unpacked)
    monkeypatch.setattr(corpus, "HELD_OUT", ())
    found = []
    for name in ("here", "in/another/place"):
        place = tmp_path / name
        assert list(corpus.collect(place, rows, any_toolchain.driver, 0, 1)) == ["one: 1 modules"]
        modules = [sample.path for kind in KINDS for sample in samples(place, kind)]
        found.append([(path.name, path.read_bytes()) for path in modules])
    assert len(found[0]) == len(KINDS)
    assert found[0] == found[1]
    for path in modules:
        text = text_of(any_toolchain, path)
        assert "at /usr/src/packages-from-debian/tree/m.c" in text
        assert "in /usr/src/packages-from-debian/tree/h.h" in text


def test_what_is_held_out_can_be_collected_alone(
    any_toolchain: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []

    def capture(package: Package, tree: Path, folder: Path, clang: str) -> int:
        asked.append((package.name, clang))
        return 1

    @contextmanager
    def unpacked(_package: Package, _apt: object) -> Iterator[tuple[Path, str]]:
        yield tmp_path, ""

    monkeypatch.setattr(corpus, "unpacked", unpacked)
    monkeypatch.setattr(corpus, "_capture", capture)
    words = ["train", "corpus", "--held-out", "--folder", str(tmp_path / "corpus")]
    found = CliRunner().invoke(program, [*words, "--clang", any_toolchain.driver])
    assert found.exit_code == 0
    assert sorted(asked) == sorted((one.name, any_toolchain.driver) for one in HELD_OUT)
    assert sorted(found.output.splitlines()) == sorted(f"{one.name}: 1 modules" for one in HELD_OUT)
    assert not (tmp_path / "corpus/corpus.json").exists()
