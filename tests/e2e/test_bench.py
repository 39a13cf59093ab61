"""`cr1 bench` on modules in all three forms, against what the compiler itself says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cr1cc.config import Config
from cr1cc.passes.recipe import check_recipe, parse_recipe
from cr1cc.records import Toolchain
from cr1cc.util.elf import ObjectFile
from tests.e2e.wrapped import Wrapped, loadable
from tests.unit.asm.conftest import PROGRAMS

KEYS = [
    "module", "proposer", "candidates", "ic_unoptimised", "ic_baseline", "ic", "over_oz",
    "over_orig", "bytes_baseline", "bytes", "success", "seconds", "thinking",
    "recipe", "measured", "searched", "malformed", "failed",
]  # fmt: skip
SOURCE = """
struct node { struct node *next; int key, value; };
int sum(const int *a, int n) { int s = 0; for (int i = 0; i < n; i++) s += a[i] > 3 ? a[i] : 2;
  return s; }
int find(struct node *p, int key) { while (p && p->key != key) p = p->next;
  return p ? p->value : -1; }
int pick(int x, int y) { switch (x) { case 1: return y + 5; case 2: return y - 9; case 3:
  return y * 7; case 4: return y ^ 3; default: return find(0, x) + sum(&y, 1); } }
"""
(STRINGS,) = (one for one in PROGRAMS if one.name == "strings.c")
UNOPTIMISED = ("-O0", "-Xclang", "-disable-O0-optnone", "-emit-llvm")


def bench(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cr1cc.cli.main", "bench", *arguments],
        cwd=cwd, capture_output=True, text=True, check=False,
    )  # fmt: skip


def records(toolchain: Toolchain, *arguments: str, cwd: Path) -> list[dict[str, Any]]:
    done = bench("--json", "--clang", toolchain.driver, *arguments, cwd=cwd)
    # Without names on the command line a model that does not ship is left out.
    said = [line for line in done.stderr.splitlines() if "no model ships" not in line]
    assert (done.returncode, said) == (0, [])
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def clang(toolchain: Toolchain, *arguments: str, cwd: Path) -> bytes:
    return subprocess.run(
        [toolchain.driver, *arguments], cwd=cwd, capture_output=True, check=True
    ).stdout


def instructions(text: str) -> int:
    """Of the functions of printed IR, without debug intrinsics."""
    bodies = re.findall(r"^define.*?^}", text, re.MULTILINE | re.DOTALL)
    lines = [line for body in bodies for line in body.splitlines()[1:]]
    return sum(line.startswith("  ") and not re.match(r"   +|  \]", line) for line in lines)


@pytest.fixture
def folder(tmp_path: Path, any_toolchain: Toolchain) -> Path:
    """One module as C, as text and as bitcode."""
    (tmp_path / "m.c").write_text(SOURCE)
    clang(any_toolchain, *UNOPTIMISED, "-S", "m.c", "-o", "text.ll", cwd=tmp_path)
    clang(any_toolchain, *UNOPTIMISED, "-c", "m.c", "-o", "code.bc", cwd=tmp_path)
    return tmp_path


def test_the_paper_setting_counts_what_opt_leaves(folder: Path, any_toolchain: Toolchain) -> None:
    names = ("baseline", "coreset", "random", "search")
    chosen = [word for name in names for word in ("--proposer", name)]
    rows = records(
        any_toolchain, ".", "--setting", "paper", "--candidates", "6", *chosen, cwd=folder
    )
    assert [list(row) for row in rows] == [KEYS] * 12
    opt = Path(os.path.realpath(any_toolchain.driver)).with_name("opt")
    if not opt.exists():
        pytest.skip("opt is missing")
    done = subprocess.run(
        [opt, "-passes=default<Oz>", "-S", "text.ll"],
        cwd=folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    before, after = instructions((folder / "text.ll").read_text()), instructions(done.stdout)
    for row in rows:  # C, text and bitcode are one module
        assert (row["ic_unoptimised"], row["ic_baseline"]) == (before, after)
        assert row["ic"] <= after
        assert row["over_oz"] == pytest.approx((after - row["ic"]) / after, abs=1e-5)
        assert row["over_orig"] == pytest.approx((before - row["ic"]) / before, abs=1e-5)
        assert row["success"] is True
        assert row["candidates"] <= 6
    assert {row["ic"] for row in rows if row["proposer"] == "baseline"} == {after}


def test_the_product_setting_is_about_the_object_of_clang(
    folder: Path, any_toolchain: Toolchain
) -> None:
    rows = records(
        any_toolchain, "m.c", "text.ll", "--proposer", "baseline", "--proposer", "coreset",
        "--candidates", "12", "--cflags", "-fno-inline -DX='a b'", cwd=folder,
    )  # fmt: skip
    assert [(row["module"], row["proposer"]) for row in rows] == [
        (name, proposer) for name in ("m.c", "text.ll") for proposer in ("baseline", "coreset")
    ]
    for name, flags in (("m.c", ["-fno-inline"]), ("text.ll", [])):
        clang(any_toolchain, "-Oz", *flags, "-c", name, "-o", "plain.o", cwd=folder)
        size = ObjectFile((folder / "plain.o").read_bytes()).loadable_bytes()
        plain, ours = [row for row in rows if row["module"] == name]
        assert plain["bytes"] == plain["bytes_baseline"] == ours["bytes_baseline"] == size
        assert ours["bytes"] <= size
        assert ours["candidates"] <= 12 + Config().tail_budget
    assert any(row["bytes"] < row["bytes_baseline"] for row in rows)


def test_the_default_is_what_a_build_gives(tmp_path: Path, any_toolchain: Toolchain) -> None:
    """Registers have other names in it, which no proposer's answer has."""
    place = Wrapped(tmp_path, any_toolchain, CR1_PACKS="false", CR1_CACHE="false")
    place.write("m.c", STRINGS.read_text())
    words = ("m.c", "--setting", "product", "--proposer", "coreset:7", "--proposer", "default:7")
    alone, whole = records(any_toolchain, *words, cwd=tmp_path)
    for row, setting in ((alone, "off"), (whole, Config().rewrite)):
        assert place.cr1("-Oz", "-c", "m.c", CR1_REWRITE=setting).status == 0
        assert row["bytes"] == loadable(place.read("m.o"))
    assert whole["bytes"] < alone["bytes"]
    assert whole["success"]


def test_results_repeat(folder: Path, any_toolchain: Toolchain) -> None:
    words = ("m.c", "--setting", "paper", "--candidates", "5")
    first, second = (records(any_toolchain, *words, cwd=folder) for _ in range(2))
    for row in (*first, *second):
        del row["seconds"], row["thinking"]
    assert first == second


def test_every_tested_clang_can_measure_both_settings(tmp_path: Path, toolchain: Toolchain) -> None:
    (tmp_path / "m.c").write_text(SOURCE)
    for setting in ("paper", "product"):
        words = ("m.c", "--setting", setting, "--candidates", "3", "--proposer", "coreset")
        (row,) = records(toolchain, *words, cwd=tmp_path)
        assert 0 < row["ic"] <= row["ic_baseline"] < row["ic_unoptimised"]
        assert 0 < row["bytes"] <= row["bytes_baseline"] or setting == "paper"


def test_the_table_has_a_line_for_each_proposer(folder: Path, any_toolchain: Toolchain) -> None:
    done = bench(
        "m.c", "--clang", any_toolchain.driver, "--candidates", "2",
        "--proposer", "random", "--proposer", "baseline", cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0
    assert [line.split()[:3] for line in done.stdout.splitlines()[1:]] == [
        ["random", "1", "100.00"],
        ["baseline", "1", "100.00"],
    ]


def test_contenders_have_budgets_of_their_own(folder: Path, any_toolchain: Toolchain) -> None:
    words = ("--setting", "paper", "--candidates", "3", "--proposer", "search:60", "--proposer")
    rows = records(any_toolchain, "m.c", *words, "twice", "--proposer", "random", cwd=folder)
    assert [row["proposer"] for row in rows] == ["search:60", "twice", "random"]
    search, twice, random = rows
    assert 3 < search["candidates"] <= 60
    assert twice["candidates"] == 1
    assert random["candidates"] <= 3
    assert search["ic"] <= twice["ic"]
    assert all(0 <= row["thinking"] <= row["seconds"] for row in rows)


@pytest.mark.parametrize(("setting", "what"), [("paper", "ic"), ("product", "bytes")])
def test_a_search_prints_the_recipe_that_makes_what_it_says(
    setting: str, what: str, folder: Path, any_toolchain: Toolchain
) -> None:
    def search(*words: str) -> str:
        command = [sys.executable, "-m", "cr1cc.cli.main", "search", *words, "m.c"]
        command += ["--setting", setting, "--budget", "80", "--clang", any_toolchain.driver]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        assert done.stderr == ""
        return done.stdout

    record = json.loads(search("--json"))
    recipe, figures = search().splitlines()
    assert recipe == record["recipe"]
    assert figures.startswith(f"{record['ic_baseline']} -> {record['ic']} instructions, ")
    assert record[what] < record[f"{what}_baseline"]
    check_recipe(parse_recipe(recipe), any_toolchain.major, "X86")


def test_a_search_is_for_one_module(folder: Path, any_toolchain: Toolchain) -> None:
    for words in ((".",), ("none.c",), ("m.txt",), ("m.c", "--budget", "0")):
        command = [sys.executable, "-m", "cr1cc.cli.main", "search", *words]
        done = subprocess.run(
            [*command, "--clang", any_toolchain.driver],
            cwd=folder,
            capture_output=True,
            check=False,
        )
        assert done.returncode in (1, 2)
        assert done.stderr.splitlines()[-1].startswith((b"cr1: ", b"Error: "))
        assert b"Traceback" not in done.stderr


def test_a_file_that_does_not_compile_is_left_out(folder: Path, any_toolchain: Toolchain) -> None:
    (folder / "broken.c").write_text("int x")
    (folder / "torn.bc").write_bytes((folder / "code.bc").read_bytes()[:100])
    for setting in ("paper", "product"):
        done = bench(
            "broken.c", "m.c", "torn.bc", "--setting", setting, "--proposer", "baseline",
            "--clang", any_toolchain.driver, cwd=folder,
        )  # fmt: skip
        assert done.returncode == 0
        assert [line.split(":")[1].strip() for line in done.stderr.splitlines()] == [
            "broken.c",
            "torn.bc",
        ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["missing.c"], "missing.c: no such file"),
        (["notes.txt"], "notes.txt: neither a folder nor a .c, .ll, .bc file"),
        (["empty"], "no .c, .ll, .bc file in empty"),
        (["broken.c"], "no module could be measured"),
        (["broken.c", "--cflags", "'"], "--cflags ': No closing quotation"),
        (["broken.c", "--clang", "/no/clang"], "/no/clang"),
    ],
)
def test_bad_input_is_one_line(
    words: list[str], message: str, tmp_path: Path, any_toolchain: Toolchain
) -> None:
    (tmp_path / "broken.c").write_text("int x")
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "empty").mkdir()
    chosen = [] if "--clang" in words else ["--clang", any_toolchain.driver]
    done = bench(*words, *chosen, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert message in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
