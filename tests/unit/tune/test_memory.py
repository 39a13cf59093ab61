"""What a session remembers: all of it, of the same session only, whatever the file holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from cr1cc.tune.memory import Memory


def memory(path: Path, identity: str = "one") -> Memory:
    return Memory(str(path / "answers"), identity)


def test_answers_come_back_to_the_same_session(tmp_path: Path) -> None:
    first = memory(tmp_path)
    assert not first.load()
    first.put("question\nwith lines", {"ratio": 1.25})
    first.put("other", ["a", 1])
    second = memory(tmp_path)
    assert second.load()
    assert second.answers == first.answers == {"question\nwith lines": {"ratio": 1.25},
                                               "other": ["a", 1]}  # fmt: skip


def test_another_session_starts_anew(tmp_path: Path) -> None:
    memory(tmp_path).put("a", 1)
    other = memory(tmp_path, "two")
    assert not other.load()
    other.put("b", 2)
    assert not memory(tmp_path).load()
    again = memory(tmp_path, "two")
    assert again.load()
    assert again.answers == {"b": 2}


@pytest.mark.parametrize("damage", [b"", b"\0", b'"one"\n["a", 1]\n["b"', b"[]\n", b"\xff\xfe"])
def test_a_damaged_file_is_no_problem(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "answers").write_bytes(damage)
    found = memory(tmp_path)
    found.load()
    assert found.answers in ({}, {"a": 1})
    found.put("c", 3)
    assert found.answers["c"] == 3
