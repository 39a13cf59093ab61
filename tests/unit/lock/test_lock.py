"""The lockfile: what is written is read again, what is not as written is refused by line."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from cr1cc.config import find_lock
from cr1cc.errors import UserError
from cr1cc.lock import Locked, format_line, name_of, read_lock, write_lock

ONE = Locked(
    "src/inflate.c", "O3", "9f2c", "41d0", "gcc-12.2.0:77ab", "gcc:unroll:0c1d",
    (("inflate_fast", "clang:o3:5e6f"), ("f.1", "gcc:o2:7777")),
    "native:1234", "clang-19.1.7:aaaa", "1.123[1.101..1.150]", 15, 2,
)  # fmt: skip
ODD = "a b%/ü\n:,=#\udcff.c"


def lock_with(folder: Path, *decisions: Locked) -> Path:
    path = folder / "cr1.lock"
    write_lock(str(path), decisions)
    return path


@pytest.mark.parametrize(
    "decision",
    [ONE, Locked("a.c", "O2", "1", "2", "3", "gcc:o3:4"), replace(ONE, source=ODD),
     replace(ONE, source="#a.c"), replace(ONE, source="<<<<<<<.c"),
     replace(ONE, functions=(("operator,(a:b)", "gcc:o2:1"),)),
     replace(ONE, proposed=("movl $0, %eax; ret -> xorl %eax, %eax; ret", "nop -> ", 'call "ü,"')),
     replace(ONE, ifunc=(("f", "gcc:o2:1"), ("g:h", "clang:o3:2")), functions=())],
)  # fmt: skip
def test_a_decision_is_read_as_it_was_written(tmp_path: Path, decision: Locked) -> None:
    assert read_lock(str(lock_with(tmp_path, decision))) == [decision]
    assert format_line(decision).isascii()


def test_lines_are_sorted_whatever_their_order_was(tmp_path: Path) -> None:
    decisions = [replace(ONE, source=f"{name}.c", options=o) for name in "bca" for o in "21"]
    first = lock_with(tmp_path, *decisions).read_bytes()
    assert lock_with(tmp_path, *reversed(decisions)).read_bytes() == first


def test_an_empty_file_and_comments_decide_nothing(tmp_path: Path) -> None:
    path = tmp_path / "cr1.lock"
    path.write_text("")
    assert read_lock(str(path)) == []
    path.write_text("# a remark\n\n  \n")
    assert read_lock(str(path)) == []


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text: text.replace("unroll", "o2"), ":3: the line was edited"),
        (lambda text: text.replace("src/", "lib/"), ":3: the line was edited"),
        (lambda text: "<<<<<<< ours\n" + text, ":1: a conflict marker"),
        (lambda text: text + "=======\n", ":4: a conflict marker"),
        (lambda text: text + text.split("\n")[2], "second decision for what line 3"),
        (lambda text: text + "nonsense\n", ":4: not a decision"),
        (lambda text: text.replace("format 1", "format 2"), ":1: format 2 is of a newer"),
        (lambda text: text[:-20], ":3: "),
        (lambda text: "\0" + text, ":1: not a decision"),
    ],
)
def test_what_is_not_as_written_is_refused_by_line(tmp_path: Path, damage, words: str) -> None:  # type: ignore[no-untyped-def]
    path = lock_with(tmp_path, ONE)
    path.write_text(damage(path.read_text()))
    with pytest.raises(UserError) as caught:
        read_lock(str(path))
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


def test_any_single_changed_byte_of_a_decision_is_noticed(tmp_path: Path) -> None:
    path = lock_with(tmp_path, ONE)
    data = path.read_bytes()
    for at in range(data.index(b"src/"), len(data) - 1):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        with pytest.raises(UserError):
            read_lock(str(path))


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_said(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "cr1.lock"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"cr1\.lock: "):
        read_lock(str(path))


def git(folder: Path, *words: str) -> int:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    done = subprocess.run(["git", *identity, *words], cwd=folder, capture_output=True, check=False)
    return done.returncode


def merged(folder: Path, base: list[Locked], ours: list[Locked], theirs: list[Locked]) -> int:
    """The status of merging two branches that write the lockfile."""
    if shutil.which("git") is None:
        pytest.skip("git is missing")
    git(folder, "init", "-q", "-b", "main")
    for branch, decisions in (("main", base), ("theirs", theirs), ("ours", ours)):
        git(folder, "checkout", "-q", "main")
        git(folder, "checkout", "-q", "-b", branch)
        lock_with(folder, *decisions)
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", branch)
    return git(folder, "merge", "-q", "theirs")


def test_branches_that_touch_different_files_merge(tmp_path: Path) -> None:
    base = [replace(ONE, source=f"{name}.c") for name in "abcd"]
    ours = [replace(one, donor="gcc:o2:1") if one.source == "b.c" else one for one in base]
    theirs = [replace(one, donor="gcc:o3:2") if one.source == "c.c" else one for one in base]
    theirs.append(replace(ONE, source="e.c"))
    assert merged(tmp_path, base, ours, theirs) == 0
    donors = {one.source: one.donor for one in read_lock(str(tmp_path / "cr1.lock"))}
    assert (donors["b.c"], donors["c.c"], "e.c" in donors) == ("gcc:o2:1", "gcc:o3:2", True)


def test_branches_that_touch_one_file_conflict_and_the_conflict_is_noticed(tmp_path: Path) -> None:
    ours, theirs = [replace(ONE, donor="gcc:o2:1")], [replace(ONE, donor="gcc:o3:2")]
    assert merged(tmp_path, [ONE], ours, theirs) != 0
    with pytest.raises(UserError, match="conflict marker"):
        read_lock(str(tmp_path / "cr1.lock"))


def test_the_union_of_two_branches_decides_one_file_twice_and_that_is_noticed(
    tmp_path: Path,
) -> None:
    (tmp_path / ".gitattributes").write_text("cr1.lock merge=union\n")
    ours, theirs = [replace(ONE, donor="gcc:o2:1")], [replace(ONE, donor="gcc:o3:2")]
    assert merged(tmp_path, [ONE], ours, theirs) == 0
    with pytest.raises(UserError, match="second decision"):
        read_lock(str(tmp_path / "cr1.lock"))


def test_the_nearest_lockfile_of_the_repository_is_found(tmp_path: Path) -> None:
    outer, inner = tmp_path / "repo", tmp_path / "repo/a/b"
    inner.mkdir(parents=True)
    (tmp_path / "cr1.lock").write_text("")
    (outer / ".git").mkdir()
    assert find_lock("", str(inner)) is None
    (outer / "cr1.lock").write_text("")
    assert find_lock("", str(inner)) == str(outer / "cr1.lock")
    (inner / "cr1.lock").write_text("")
    assert find_lock("", str(inner)) == str(inner / "cr1.lock")
    assert find_lock("/other", str(inner)) == "/other"


def test_a_source_is_named_by_its_way_from_the_lockfile(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    os.symlink(tmp_path / "src", tmp_path / "link")
    lock = str(tmp_path / "cr1.lock")
    assert name_of(f"{tmp_path}/src/../src/a.c", lock) == "src/a.c"
    assert name_of(f"{tmp_path}/link/a.c", lock) == "src/a.c"
    assert name_of(f"{tmp_path}/b.c", str(tmp_path / "src/cr1.lock")) == "../b.c"
