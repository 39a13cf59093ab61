"""`cr1 prove` on files."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("triton")
pytest.importorskip("z3")
pytest.importorskip("bitwuzla")
pytest.importorskip("elftools")

from cr1cc.cli.main import main
from tests.unit.gate.cases import unit

ADD = unit("f", "\tleal\t1(%rdi), %eax\n\tret\n")
SUB = unit("f", "\tsubl\t$-1, %edi\n\tmovl\t%edi, %eax\n\tret\n")
BAD = unit("f", "\tleal\t2(%rdi), %eax\n\tret\n")
LOOP = unit("f", "1:\n\tdecl\t%edi\n\tjne\t1b\n\tret\n")
PROTOTYPE = ("--signature", "int f(int x)")


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    texts = {"add": ADD, "sub": SUB, "bad": BAD, "loop": LOOP, "c": "int f(int x) { return x; }\n"}
    for name, text in texts.items():
        (tmp_path / f"{name}.s").write_text(text)
    (tmp_path / "bytes.s").write_bytes(bytes(range(128, 256)))
    return {name: str(tmp_path / f"{name}.s") for name in (*texts, "bytes", "no")}


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(["prove", *arguments])
    out, err = capsys.readouterr()
    return status, out.splitlines()[-1] if out else "", err


@pytest.mark.parametrize(
    ("new", "status", "verdict"),
    [
        ("sub", 0, "proved"),
        ("bad", 1, "refuted: f(x=0x0)"),
        ("loop", 1, "unknown: new body: more than 40 paths"),
    ],
)
def test_the_last_line_is_the_verdict(
    new: str, status: int, verdict: str, files: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert said(capsys, files["add"], files[new], "f", *PROTOTYPE) == (status, verdict, "")


def test_debug_data_says_the_signature(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc")
    paths = []
    for level in ("-O1", "-O2"):
        paths.append(str(tmp_path / f"f{level}.s"))
        subprocess.run(
            ["gcc", level, "-g", "-S", "-x", "c", "-", "-o", paths[-1]],
            input="int f(int a, int b) { return a < b ? a - b : b * 3; }\n",
            text=True,
            check=True,
        )
    assert said(capsys, *paths, "f") == (0, "proved", "")
    status, _, error = said(capsys, *paths, "f", "--signature", "int f(int a, long b)")
    assert (status, error) == (1, "cr1: is it int f(int a, long b), or int f(int a, int b)?\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("add", "sub", "g", *PROTOTYPE), "has no function g"),
        (("add", "sub", "f"), "say with --signature what f takes and returns"),
        (("add", "sub", "f", "--signature", "int g(int x)"), "--signature is of g, not of f"),
        (("add", "sub", "f", "--signature", "int f(int"), "cr1: "),
        (("add", "c", "f", *PROTOTYPE), "does not assemble"),
        (("add", "bytes", "f", *PROTOTYPE), "does not assemble"),
        (("add", "no", "f", *PROTOTYPE), "No such file"),
    ],
)
def test_bad_input_is_told_in_one_line(
    arguments: tuple[str, ...],
    message: str,
    files: dict[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = [files.get(word, word) for word in arguments[:2]] + list(arguments[2:])
    status, out, error = said(capsys, *words)
    assert (status, out) == (1, "")
    assert error.startswith("cr1: ")
    assert error.count("\n") == 1
    assert message in error


def test_without_the_packages_it_says_how_to_get_them(
    files: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "z3", None)
    status, out, error = said(capsys, files["add"], files["sub"], "f", *PROTOTYPE)
    assert (status, out) == (1, "")
    assert error == "cr1: proofs need more packages: pip install 'cr1cc[prove]'\n"
