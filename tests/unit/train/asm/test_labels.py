"""Labels: all that is kept is proved, sides do not mix, and a run can be taken up again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("triton")
pytest.importorskip("z3")
pytest.importorskip("bitwuzla")

from cr1cc.assembly.appraisal import Appraiser, Ask
from cr1cc.errors import UserError
from cr1cc.train.asm.counts import counts
from cr1cc.train.asm.labels import label, rows
from cr1cc.train.asm.lessons import lessons
from cr1cc.train.asm.twins import twins
from cr1cc.train.asm.work import Plan, held_out, split_of

PLAN = Plan(ruled=0, effort=5_000)
TRAIN, HELD = "dash", "cjson"

WINDOWS = {
    TRAIN: (
        (9, "movl $0, %n0d", "n0"),
        (5, "movq %n0, %rax; addq %n1, %rax", "rax n0 n1"),
        (4, "addl %n0d, %n1d", "n0 n1"),
        (3, "movl %n0d, %eax; cmpl $0, %eax; je L0", "n0"),
        (2, "orl %n0d, %n1d; andl $1, %n1d", "n0 n1"),
        (2, "frobnicate %n0d", "n0"),
    ),
    HELD: (
        (7, "movl $0, %n0d", "n0"),
        (6, "movl $0, %n0d", "n0 n1 cf"),
        (3, "notl %n0d; addl $1, %n0d", "n0"),
        (2, "xorl %n0d, %n0d; movl %n1d, %n0d", "n0 n1"),
    ),
}


def quiet(items: Iterable[Any], step: str, total: int) -> Iterable[Any]:
    return items


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "windows").mkdir()
    for package, some in WINDOWS.items():
        lines = [
            json.dumps({"old": [one.strip() for one in text.split(";")],
                        "live": live.replace("n0 n1 cf", "n0 cf").split(),
                        "count": count, "function": "f"})
            for count, text, live in some
        ]  # fmt: skip
        (tmp_path / "windows" / f"{package}.jsonl").write_text("\n".join(lines) + "\n")
    return tmp_path


def labelled(folder: Path) -> list[dict[str, Any]]:
    list(label(folder, PLAN, quiet))
    return rows(folder / "labels.jsonl")


def test_what_is_better_is_found_and_proved(folder: Path) -> None:
    found = {";".join(row["old"]): row for row in labelled(folder) if row["source"] != "none"}
    assert len(found) >= 4
    assert found["movl $0, %n0d"]["new"] == ["xorl %n0d, %n0d"]
    assert found["movl $0, %n0d"]["count"] == 16
    assert found["notl %n0d;addl $1, %n0d"]["new"] == ["negl %n0d"]
    appraiser = Appraiser(os.environ)
    for row in found.values():
        ask = Ask(*(tuple(row[name]) for name in Ask._fields))
        assert appraiser.appraise([ask])[0].proved
        (old_bytes, new_bytes), (old_cost, new_cost) = row["bytes"], row["cost"]
        assert (new_bytes, new_cost) < (old_bytes, old_cost)


def test_rules_come_to_all_windows_before_any_is_searched(folder: Path) -> None:
    found = list(label(folder, Plan(effort=5_000), quiet))
    kinds = [row["source"] for row in found]
    assert kinds.count("rules") >= 2
    assert "rules" not in kinds[kinds.index("search") :]
    keys = [(tuple(row["old"]), tuple(row["live"])) for row in found]
    assert len(set(keys)) == len(keys)


def test_a_window_of_both_sides_is_learnt_from_whatever_is_live(folder: Path) -> None:
    found = labelled(folder)
    sides: dict[tuple[str, ...], set[str]] = {}
    for row in found:
        sides.setdefault(tuple(row["old"]), set()).add(row["split"])
    assert all(len(some) == 1 for some in sides.values())
    assert sides["movl $0, %n0d",] == {"train"}
    assert sides["notl %n0d", "addl $1, %n0d"] == {"held"}


def test_sides_are_those_of_the_table_of_packages() -> None:
    assert (split_of(TRAIN), split_of(HELD)) == ("train", "held")


@pytest.mark.parametrize("done", range(1, 6))
def test_a_run_that_was_interrupted_ends_as_any_other(
    done: int, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = labelled(folder)
    other = tmp_path_factory.mktemp("other")
    (folder / "windows").rename(other / "windows")
    run = label(other, PLAN, quiet)
    assert len(list(islice(run, done))) == min(done, len(whole))
    run.close()
    with (other / "labels.jsonl").open("a") as log:
        log.write('{"old": ["mov')  # what an interruption may leave
    assert labelled(other) == whole


def test_a_window_that_is_done_is_not_searched_again(folder: Path) -> None:
    before = labelled(folder)
    assert not list(label(folder, PLAN, quiet))
    assert rows(folder / "labels.jsonl") == before


def test_without_a_corpus_there_is_nothing_to_label(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no corpus"):
        list(label(tmp_path, PLAN, quiet))


def test_a_register_that_held_the_guard_of_the_stack_stays_cleared(folder: Path) -> None:
    old = ["movq %fs:40, %rax", "movq %rax, 56(%rsp)", "xorl %eax, %eax"]
    row = {"old": old, "live": ["rsp"], "count": 9, "function": "f"}
    for package in (TRAIN, HELD):
        (folder / "windows" / f"{package}.jsonl").write_text(json.dumps(row) + "\n")
    assert old not in [row["old"] for row in labelled(folder)]
    (folder / "windows" / f"{TRAIN}.jsonl").unlink()
    assert held_out(folder, set()) == []
    log = json.dumps({**row, "new": old[:2], "bytes": [13, 11], "cost": [3, 2], "split": "train"})
    (folder / "labels.jsonl").write_text(log + "\n")
    assert list(lessons(folder)) == []


def test_counts_are_those_of_the_files(folder: Path) -> None:
    found = labelled(folder)
    told = counts(folder)
    assert told["windows"] == sum(count for some in WINDOWS.values() for count, *_ in some)
    assert told["distinct"] == len({(text, live) for some in WINDOWS.values()
                                    for _, text, live in some})  # fmt: skip
    better = [row for row in found if row["source"] != "none"]
    assert sum(side["better"] for side in told["labels"].values()) == len(better)
    assert sum(side["rows"] for side in told["labels"].values()) == len(found)
    assert told["packages"][HELD]["split"] == "held"


def test_damage_is_told(folder: Path) -> None:
    path = folder / "windows" / f"{TRAIN}.jsonl"
    path.write_text(path.read_text() + '{"old": [\n')
    with pytest.raises(UserError, match=r"dash.jsonl: line \d+ is damaged"):
        list(label(folder, PLAN, quiet))


def function(name: str, *lines: str) -> str:
    body = "".join(f"\t{line}\n" for line in lines)
    head = f"\t.text\n\t.globl {name}\n\t.type {name}, @function\n{name}:\n"
    return f"{head}{body}\tret\n\t.size {name}, .-{name}\n"


def test_functions_of_other_builds_are_guesses(tmp_path: Path) -> None:
    texts = {
        "gcc-O3": function("f", "movl %edi, %eax", "addl %esi, %eax"),
        "clang-O3": function("f", "leal (%rdi,%rsi), %eax"),
        "gcc-O3-v3": function("f", "leal (%rsi,%rdi), %eax"),
        "clang-Oz": function("f", "call g"),
    }
    for name, text in texts.items():
        place = tmp_path / "text" / "dash" / name
        place.mkdir(parents=True)
        (place / "one-1.s").write_text(text)
    found = list(twins(tmp_path, "dash", quiet))
    assert list(twins(tmp_path, "dash", quiet)) == found
    from_gcc = {(one.new, one.source) for one in found if len(one.old) == 2}
    assert from_gcc == {
        (("leal (%n0,%n1), %eax",), "compiler"), (("leal (%n1,%n0), %eax",), "march"),
    }  # fmt: skip
