"""Response files, also against the way clang itself reads them."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from cr1cc.driver import response
from cr1cc.driver.response import ResponseFileError, expand, tokenize


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        (" \t\r\n", []),
        ("-c a.c", ["-c", "a.c"]),
        ("-c\n  a.c\n", ["-c", "a.c"]),
        ("'a b.c' \"c d.c\"", ["a b.c", "c d.c"]),
        ("a\\ b.c", ["a b.c"]),
        ("-DX='\"y\"'", ['-DX="y"']),
        ('"a\\"b"', ['a"b']),
        ("'a\\'b'", ["a'b"]),
        ("a'b'c\"d\"", ["abcd"]),
        ("'' x", ["x"]),
        ("'never closed", ["never closed"]),
        ("trailing\\", ["trailing\\"]),
        ("a\\\\b", ["a\\b"]),
    ],
)
def test_words_are_separated_and_quoted_as_gnu_tools_do(text: str, words: list[str]) -> None:
    assert tokenize(text) == words


@pytest.mark.parametrize(
    "text",
    [
        "-DA='\"x y\"' -DB=c\\ d",
        "-DA=\"'\" '-DB=\\x'",
        "-DA=\\\\ -DB='a\\\\b'",
        "-DA=$HOME -DB=`x` -DC=#1",
        "-DA=1\t-DB=2\r\n-DC=3",
    ],
)
def test_clang_reads_the_same_words(text: str, clang: str, tmp_path: Path) -> None:
    (tmp_path / "options").write_text(text)
    (tmp_path / "a.c").touch()
    said = subprocess.run(
        [clang, "-###", "-c", "@options", "a.c"], cwd=tmp_path, capture_output=True, text=True
    ).stderr
    job = next(line for line in said.splitlines() if '"-cc1"' in line)
    words = shlex.split(job.replace("\\$", "$"))
    macros = [words[i + 1] for i, word in enumerate(words) if word == "-D"]
    assert [f"-D{macro}" for macro in macros] == expand(["@options"], str(tmp_path))


def test_nested_files_are_relative_to_the_working_directory(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "outer").write_text("-a @sub/inner -d")
    (tmp_path / "sub/inner").write_text("-b @last")
    (tmp_path / "last").write_text("-c")
    assert expand(["@outer", "-e"], str(tmp_path)) == ["-a", "-b", "-c", "-d", "-e"]


def test_a_name_without_a_file_stays_a_word(tmp_path: Path) -> None:
    assert expand(["@none", "a@b"], str(tmp_path)) == ["@none", "a@b"]


def test_a_file_that_includes_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("@b")
    (tmp_path / "b").write_text("-x @a")
    with pytest.raises(ResponseFileError, match="includes itself"):
        expand(["@a"], str(tmp_path))


def test_files_that_multiply_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(response, "FILE_LIMIT", 100)
    for level in range(8):
        (tmp_path / f"f{level}").write_text(f"@f{level + 1} " * 4)
    (tmp_path / "f8").touch()
    with pytest.raises(ResponseFileError, match="too many"):
        expand(["@f0"], str(tmp_path))


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    for level in range(response.DEPTH_LIMIT + 1):
        (tmp_path / f"f{level}").write_text(f"@f{level + 1}")
    (tmp_path / f"f{response.DEPTH_LIMIT + 1}").touch()
    with pytest.raises(ResponseFileError, match="too many"):
        expand(["@f0"], str(tmp_path))


def test_directories_and_other_encodings_are_refused(tmp_path: Path) -> None:
    (tmp_path / "wide").write_bytes("-c".encode("utf-16"))
    (tmp_path / "folder").mkdir()
    for name in ("wide", "folder"):
        with pytest.raises(ResponseFileError):
            expand([f"@{name}"], str(tmp_path))


def test_bytes_that_are_no_utf8_survive(tmp_path: Path) -> None:
    (tmp_path / "options").write_bytes(b"\xef\xbb\xbf-DA=\xff")
    (word,) = expand(["@options"], str(tmp_path))
    assert word.encode("utf-8", "surrogateescape") == b"-DA=\xff"
