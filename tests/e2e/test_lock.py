"""Builds with a lockfile: its decisions and nothing else, byte for byte, or the baseline."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from cr1cc.compile_speed import RECORD
from cr1cc.lock import Locked, read_lock
from cr1cc.speed.isa import written
from cr1cc.speed.table import build_of
from tests.e2e.locking import O3, Locking, chosen
from tests.e2e.test_compile import _THROWING
from tests.e2e.wrapped import PROGRAM


def test_without_a_lockfile_the_real_compiler_runs(locking: Locking) -> None:
    data, outcome, _ = locking.build(*O3)
    assert (data, outcome) == (locking.real(*O3), "no_lock")


@pytest.mark.parametrize("donor", ["gcc:unroll", "gcc:o2", "clang:no-unroll", "clang:scalar"])
def test_a_decision_is_repeated_byte_for_byte(locking: Locking, donor: str) -> None:
    locking.write(chosen(locking.record(*O3), donor))
    first, outcome, detail = locking.build(*O3)
    assert (outcome, detail) == ("locked", build_of(donor).label)
    assert first != locking.real(*O3)
    for settings in ({"CR1_CACHE": "0"}, {"CR1_FROZEN": "1"}, {"CR1_PROPOSER": "baseline"}):
        assert locking.build(*O3, **settings)[:2] == (first, "locked")
    expected = subprocess.run(
        [_linked(locking, "real.o")], capture_output=True, check=True
    ).stdout  # fmt: skip
    assert locking.output(locking.name) == expected


def _linked(locking: Locking, obj: str) -> Path:
    assert locking.place.real(obj, "-o", "plain", name=locking.name).status == 0
    return locking.place.folder / "plain"


def test_the_build_of_the_own_options_is_the_own_object(locking: Locking) -> None:
    locking.write(chosen(locking.record(*O3), f"{locking.name}:own"))
    assert locking.build(*O3)[:2] == (locking.real(*O3), "locked")


def test_functions_come_from_their_donors(locking: Locking) -> None:
    if locking.name == "clang":
        donors = (("pick", "gcc:o2"), ("sort", "clang:scalar"))
    else:
        donors = (("pick", "clang:o2"), ("sort", "gcc:unroll"))
    functions = tuple((name, build_of(title).label) for name, title in donors)
    base = f"{locking.name}:own"
    locking.write(chosen(locking.record(*O3), base, functions=functions))
    data, outcome, detail = locking.build(*O3)
    assert outcome == "locked", detail
    assert data == locking.build(*O3)[0] != locking.real(*O3)
    _linked(locking, "real.o")
    expected = subprocess.run([locking.place.folder / "plain"], capture_output=True).stdout
    assert locking.output(locking.name) == expected


def test_an_instruction_set_is_taken_if_the_decision_has_it(locking: Locking) -> None:
    plain = chosen(locking.record(*O3), f"{locking.name}:own")
    locking.write(replace(plain, isa=written("x86-64-v3")))
    data, outcome, _ = locking.build(*O3)
    assert outcome == "locked"
    assert data != locking.real(*O3)
    locking.write(replace(plain, isa="native:0"))
    assert locking.build(*O3)[:2] == (locking.real(*O3), "lock_stale")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"text": "0" * 40}, "text: "),
        ({"options": "0" * 16}, "options: "),
        ({"compiler": "gcc-1.0.0:00"}, "compiler: "),
        ({"donor": "gcc:nonsense:00"}, "there is no donor"),
        ({"donor": "gcc:o3:00000000"}, "another one in this version"),
        ({"other": "icc-1:0"}, "made by icc-1:0"),
    ],
)
@pytest.mark.parametrize("frozen", ["0", "1"])
def test_a_decision_for_something_else_means_the_baseline(
    locking: Locking, changes: dict[str, str], words: str, frozen: str
) -> None:
    foreign = "clang:o3" if locking.name == "gcc" else "gcc:o3"
    locking.write(replace(chosen(locking.record(*O3), foreign), **changes))  # type: ignore[arg-type]
    data, outcome, detail = locking.build(*O3, CR1_FROZEN=frozen)
    assert (data, outcome) == (locking.real(*O3), "lock_stale")
    assert words in detail


def test_a_changed_source_means_the_baseline_and_a_comment_does_not(locking: Locking) -> None:
    locking.write(chosen(locking.record(*O3), f"{locking.name}:scalar"))
    locking.place.write("program.c", f"/* a remark */\n\n{PROGRAM}")
    assert locking.build(*O3)[1] == "locked"
    locking.place.write("program.c", PROGRAM.replace("40", "41"))
    assert locking.build(*O3)[:2] == (locking.real(*O3), "lock_stale")
    assert locking.build("-O3", "-fwrapv", "-c", "program.c")[1] == "lock_stale"
    assert locking.build("-O2", "-c", "program.c")[1] == "lock_stale"


@pytest.mark.parametrize("content", ["<<<<<<< ours\n", "nonsense\n", "# cr1.lock format 9\n", "\0"])
def test_a_lockfile_that_cannot_be_used_means_the_baseline(locking: Locking, content: str) -> None:
    locking.write(chosen(locking.record(*O3), f"{locking.name}:scalar"))
    with locking.lock.open("a") as file:
        file.write(content)
    data, outcome, detail = locking.build(*O3)
    assert (data, outcome) == (locking.real(*O3), "lock_unusable")
    assert str(locking.lock) in detail
    absent = locking.build(*O3, CR1_LOCK="absent.lock")
    assert absent[:2] == (locking.real(*O3), "lock_unusable")


def test_a_source_without_decision_is_the_baseline(locking: Locking) -> None:
    locking.write(chosen(locking.record(*O3), f"{locking.name}:scalar"))
    shutil.copy(locking.place.folder / "program.c", locking.place.folder / "other.c")
    assert locking.build("-O3", "-c", "other.c")[1] == "lock_missing"


def test_a_donor_compiler_that_vanishes_means_the_baseline(locking: Locking) -> None:
    foreign = "clang" if locking.name == "gcc" else "gcc"
    locking.write(chosen(locking.record(*O3), f"{foreign}:o3"))
    data, outcome, detail = locking.build(*O3, **{f"CR1_{foreign.upper()}": "/no/such/compiler"})
    assert (data, outcome) == (locking.real(*O3), "lock_stale")
    assert "none that may" in detail


def test_warnings_are_printed_once_and_failures_are_the_compilers(locking: Locking) -> None:
    text = f"#warning here\n{PROGRAM}"
    locking.place.write("program.c", text)
    locking.lock.touch()
    words = ("-O3", "-Wall", "-c", "program.c")
    expected = locking.place.real(*words, name=locking.name).stderr
    assert b"here" in expected
    path = locking.place.folder / "records"
    done = locking.place.cr1(*words, name=locking.name, **{RECORD: str(path)})
    assert done.stderr == expected
    fields = json.loads(path.read_text())
    named = ("source", "level", "options", "text", "compiler")
    decision = Locked(*(fields[key] for key in named), donor="")
    locking.write(chosen(decision, f"{locking.name}:scalar"))
    assert locking.place.cr1(*words, name=locking.name).stderr == expected
    assert locking.place.last().outcome == "locked"
    locking.place.write("program.c", "int f( {\n")
    for name in ("cr1", "real"):
        done = getattr(locking.place, name)(*words, name=locking.name)
        assert done.status == 1
        assert b"error" in done.stderr


def test_a_decision_with_c_plus_plus(locking: Locking) -> None:
    cxx = "g++" if locking.name == "gcc" else "clang++"
    locking.place.write("throwing.cpp", _THROWING)
    words = ("-O2", "-c", "throwing.cpp")
    decision = locking.record(*words, name=cxx)
    locking.real(*words, name=cxx)
    _linked_as(locking, "real.o", cxx)
    expected = subprocess.run([locking.place.folder / "plain"], capture_output=True).stdout
    locking.write(chosen(decision, f"{locking.name}:o3"))
    _, outcome, detail = locking.build(*words, name=cxx)
    assert outcome == "locked", detail
    assert locking.output(cxx) == expected


def _linked_as(locking: Locking, obj: str, name: str) -> None:
    assert locking.place.real(obj, "-o", "plain", name=name).status == 0


def test_frozen_leaves_levels_for_size_alone(locking: Locking) -> None:
    words = ("-Os", "-c", "program.c")
    data, outcome, _ = locking.build(*words, CR1_FROZEN="1")
    assert (data, outcome) == (locking.real(*words), "frozen")


def test_decisions_hold_in_another_folder(locking: Locking, tmp_path: Path) -> None:
    locking.write(chosen(locking.record(*O3), f"{locking.name}:scalar"))
    first = locking.build(*O3)[0]
    other = tmp_path / "deep/er"
    other.mkdir(parents=True)
    for name in ("cr1.lock", "program.c"):
        shutil.move(tmp_path / name, other / name)
    locking.place.folder = other
    assert locking.build(*O3)[:2] == (first, "locked")
    assert [os.path.basename(one.source) for one in read_lock(str(other / "cr1.lock"))] == [
        "program.c"
    ]
