"""States of built files: kept, told apart, brought back in the order of their making."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cr1cc.tune.tree import Tree


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)
    (folder / "a.c").write_text("source")
    found = Tree(str(folder), str(tmp_path / "store"), [str(folder / "ignored")])
    found.open()
    return found


def write(tree: Tree, name: str, text: str, when: int = 0) -> Path:
    path = Path(tree.folder, name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    if when:
        os.utime(path, (when, when))
    return path


def test_what_a_build_writes_is_managed(tree: Tree) -> None:
    old = write(tree, "old.o", "before")
    stamps = tree.stamps()
    made = write(tree, "sub/a.o", "object")
    write(tree, "ignored", "x")
    write(tree, ".git/index", "x")
    tree.manage(stamps, [str(old), "/no/such/file"])
    assert tree.managed == sorted(map(str, (old, made)))


def test_states_come_back_with_contents_modes_and_order(tree: Tree) -> None:
    stamps = tree.stamps()
    obj, program = write(tree, "a.o", "one", 1000), write(tree, "a", "linked one", 2000)
    program.chmod(0o755)
    tree.manage(stamps, [])
    first = tree.state()
    write(tree, "a.o", "two", 5000)
    write(tree, "a", "linked two", 6000)
    second = tree.state()
    assert first != second
    tree.activate(first)
    assert (obj.read_text(), program.read_text()) == ("one", "linked one")
    assert program.stat().st_mode & 0o777 == 0o755
    assert obj.stat().st_mtime_ns <= program.stat().st_mtime_ns
    assert obj.stat().st_mtime > 6000
    assert tree.state() == first
    tree.activate(second)
    assert (obj.read_text(), program.read_text()) == ("two", "linked two")


def test_a_file_that_is_gone_comes_back_and_one_too_many_goes(tree: Tree) -> None:
    stamps = tree.stamps()
    obj, other = write(tree, "a.o", "one"), write(tree, "b.o", "two")
    tree.manage(stamps, [])
    both = tree.state()
    obj.unlink()
    one = tree.state()
    tree.activate(both)
    assert obj.read_text() == "one"
    tree.activate(one)
    assert not obj.exists()
    assert other.exists()


def test_what_did_not_change_is_left_alone(tree: Tree) -> None:
    stamps = tree.stamps()
    obj = write(tree, "a.o", "one", 1000)
    tree.manage(stamps, [])
    tree.activate(tree.state())
    assert obj.stat().st_mtime == 1000
