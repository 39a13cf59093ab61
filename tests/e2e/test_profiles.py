"""Donors that read a profile: counted by one run, named by its digest, repeated or left alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cr1cc.lock import Locked
from cr1cc.speed import training
from cr1cc.speed.table import BUILDS, TRAINING, build_of
from cr1cc.util.elf import ObjectFile
from tests.e2e.locking import LANGUAGE, O3, Locking, chosen

PROFILED = [build.title for build in BUILDS if build.profiled]


def trained(locking: Locking, decision: Locked) -> tuple[bytes, str]:
    """The object that counts, and the name of the profile that one run of it gives."""
    folder = locking.place.folder
    counting = folder / "counting"
    counting.mkdir()
    locking.write(chosen(decision, TRAINING.title, profile="ab"))
    data, outcome, detail = locking.build(*O3, **{training.ELSEWHERE: str(counting)})
    assert (outcome, detail) == ("locked", TRAINING.label)
    assert not list(counting.iterdir())
    assert locking.output(locking.name) == locking.plain_output(*O3)
    (found,) = counting.iterdir()
    name = training.digest_of(found.read_bytes())
    profiles = folder / training.FOLDER
    profiles.mkdir()
    shutil.move(found, training.file_of(str(profiles), name))
    return data, name


def test_a_profile_is_read_and_repeated_byte_for_byte(locking: Locking) -> None:
    decision = locking.record(*O3)
    counting, name = trained(locking, decision)
    baseline = ObjectFile(locking.real(*O3))
    assert ObjectFile(counting).exports() == baseline.exports()
    for title in PROFILED:
        locking.write(chosen(decision, title, profile=name))
        data, outcome, detail = locking.build(*O3, CR1_CACHE="0", CR1_FROZEN="1")
        assert (outcome, detail) == ("locked", build_of(title).label)
        assert data == locking.build(*O3)[0] != locking.real(*O3)
        assert b"gcov" not in data
        assert locking.output(locking.name) == locking.plain_output(*O3)


def test_the_place_of_a_profile_leaves_no_trace(locking: Locking) -> None:
    _, name = trained(locking, locking.record(*O3))
    words = (*O3, "-g")
    locking.write(chosen(locking.record(*words), "gcc:profile", profile=name))
    here = locking.build(*words)
    assert here[1] == "locked", here[2]
    elsewhere = locking.place.folder / "a longer name" / "of a folder"
    shutil.move(locking.place.folder / training.FOLDER, elsewhere)
    assert locking.build(*words, **{training.ELSEWHERE: str(elsewhere)}) == here


def test_functions_may_come_from_profiled_builds(locking: Locking) -> None:
    decision = locking.record(*O3)
    _, name = trained(locking, decision)
    functions = (("pick", build_of("gcc:profile").label),)
    base = f"{locking.name}:own"
    locking.write(chosen(decision, base, functions=functions, profile=name))
    data, outcome, detail = locking.build(*O3)
    assert outcome == "locked", detail
    assert data != locking.real(*O3)
    assert locking.output(locking.name) == locking.plain_output(*O3)


@pytest.mark.parametrize("harm", ["gone", "edited", "no folder", "another one"])
def test_without_its_profile_a_decision_is_stale(locking: Locking, harm: str) -> None:
    decision = locking.record(*O3)
    _, name = trained(locking, decision)
    decision = chosen(decision, "gcc:profile", profile=name)
    locking.write(decision)
    assert locking.build(*O3)[1] == "locked"
    profiles = locking.place.folder / training.FOLDER
    path = Path(training.file_of(str(profiles), name))
    if harm == "gone":
        path.unlink()
    elif harm == "edited":
        path.write_bytes(path.read_bytes()[:-4])
    elif harm == "no folder":
        shutil.rmtree(profiles)
    else:
        locking.write(replace(decision, profile="0" * 20))
    data, outcome, detail = locking.build(*O3)
    assert (data, outcome) == (locking.real(*O3), "lock_stale")
    assert detail.startswith("profile: ")
    checked = subprocess.run(
        [sys.executable, "-m", "cr1cc.cli.main", "lock", "check", "--json"],
        cwd=locking.place.folder, env=locking.place.environ(), capture_output=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 1
    (row,) = json.loads(checked.stdout)["decisions"]
    assert training.FOLDER in row["problem"]


def test_a_profile_of_other_code_changes_nothing_but_speed(locking: Locking) -> None:
    """Whatever counts a file has, gcc either refuses it or makes a program that does the same."""
    decision = locking.record(*O3)
    _, name = trained(locking, decision)
    profiles = str(locking.place.folder / training.FOLDER)
    data = bytearray(Path(training.file_of(profiles, name)).read_bytes())
    for place in range(24, len(data) - 4, 40):  # behind the header
        data[place] ^= 0x55
    harmed = training.digest_of(data)
    Path(training.file_of(profiles, harmed)).write_bytes(data)
    locking.write(chosen(decision, "gcc:profile", profile=harmed))
    _, outcome, _ = locking.build(*O3)
    assert outcome in ("locked", "lock_failed")
    assert locking.output(locking.name) == locking.plain_output(*O3)


def test_only_a_tuning_counts(locking: Locking) -> None:
    locking.write(chosen(locking.record(*O3), TRAINING.title, profile="ab"))
    data, outcome, detail = locking.build(*O3)
    assert (data, outcome) == (locking.real(*O3), "lock_stale")
    assert "cr1 tune alone" in detail


@pytest.mark.long
@pytest.mark.parametrize("source", LANGUAGE, ids=lambda path: path.name)
def test_programs_of_all_features_do_the_same(
    source: Path, tmp_path: Path, gcc_and_gxx: tuple[str, str]
) -> None:
    """Trained with and made by each profiled build, by hand: what gcc does with profiles."""
    compiler = gcc_and_gxx[source.suffix != ".c"]

    def run(*options: str) -> tuple[int, bytes]:
        made = tmp_path / "program"
        command = [compiler, "-w", *options, source, "-o", made, "-lpthread", "-lm"]
        subprocess.run(command, check=True, cwd=tmp_path)
        done = subprocess.run([made], capture_output=True, timeout=60, check=False)
        return done.returncode, done.stdout

    plain = run("-O3")
    profile = training.options(str(tmp_path), "p")
    assert run(TRAINING.level, *TRAINING.options, *profile) == plain
    assert os.path.exists(training.file_of(str(tmp_path), "p"))
    for build in BUILDS:
        if build.profiled:
            assert run(build.level, *build.options, *profile) == plain, build.title
