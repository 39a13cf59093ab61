"""`cr1 explain FILE --function NAME`: the bodies that are shown are those of the objects."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from cr1cc.config import load
from cr1cc.listing import Listings, Recorded
from cr1cc.lock import read_lock
from cr1cc.outcome import Outcome
from cr1cc.records import Toolchain
from cr1cc.speed.table import build_of
from cr1cc.storage import journal
from cr1cc.storage.store import DecisionStore
from cr1cc.util.elf import ObjectFile
from tests.e2e.locking import O3, Locking, chosen
from tests.e2e.test_ifunc import with_bodies
from tests.e2e.wrapped import Wrapped, WrappedGcc


def explained(place: Wrapped, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cr1cc.cli.main", "explain", *words]
    return subprocess.run(
        command, cwd=place.folder, env=place.environ(), capture_output=True, text=True, check=False
    )


def code(data: bytes) -> bytes:
    found = ObjectFile(data)
    return b"".join(
        data[one.offset : one.offset + one.size] for one in found.sections if one.kind == "code"
    )


def listed(place: Wrapped) -> Listings:
    """What the bodies of the last object are taken from."""
    event = place.last()
    config = load(place.environ(), str(place.folder))
    with DecisionStore(config) as store:
        decision = store.module(event.key) if event.key else None
    lock = place.folder / "cr1.lock"
    locked = read_lock(str(lock))[0] if event.outcome == Outcome.LOCKED.counter else None
    recorded = Recorded(journal.parted(event.command), config, place.environ())
    return recorded.listings(decision, locked, str(lock))


def check(place: Wrapped, name: str, obj: str, real: bytes) -> None:
    """Assembled, both listings are the objects; and nothing was left behind."""
    names = place.names()
    made = listed(place)
    assert place.names() == names
    for text, data in ((made.before, real), (made.after, place.read(obj))):
        (place.folder / "listing.s").write_bytes(text)
        assert place.real("-c", "listing.s", "-o", "listing.o", name=name).status == 0
        made_of = place.read("listing.o")
        if name == "gcc":
            assert code(made_of) == code(data)
        # clang's assembler fills gaps with other instructions than clang itself
        assert len(code(made_of)) == len(code(data))
        assert ObjectFile(made_of).function_sizes() == ObjectFile(data).function_sizes()


@pytest.mark.parametrize("level", ["-Os", "-Oz"])
def test_donors_of_gcc(tmp_path: Path, gcc_and_gxx: tuple[str, str], level: str) -> None:
    place = WrappedGcc(tmp_path, *gcc_and_gxx)
    place.write("program.c")
    words = (level, "-MD", "-c", "program.c")
    assert place.cr1(*words).status == 0
    assert place.last().outcome == "smaller"
    check(place, "gcc", "program.o", _real(place, "gcc", words))
    text = explained(place, "program.c", "--function", "pick").stdout
    assert re.search(rf"^by gcc {level}, \d+ bytes +as decided, \d+ bytes$", text, re.MULTILINE)
    assert "body by:     gcc" in text
    assert "imull" in text


def test_recipes_of_clang(tmp_path: Path, usable_compilers: Mapping[int, Toolchain]) -> None:
    if not usable_compilers:
        pytest.skip("clang is missing")
    place = Wrapped(tmp_path, usable_compilers[max(usable_compilers)])
    place.write("program.c")
    words = ("-Oz", "-c", "program.c")
    assert place.cr1(*words).status == 0
    assert place.last().outcome == "smaller"
    check(place, "clang", "program.o", _real(place, "clang", words))
    text = explained(place, "program.c", "--function", "sort").stdout
    assert "body by:     @size" in text


def _real(place: Wrapped, name: str, words: tuple[str, ...]) -> bytes:
    assert place.real(*words, "-o", "real.o", name=name).status == 0
    return place.read("real.o")


def test_decisions_of_a_lockfile(locking: Locking) -> None:
    decision = chosen(locking.record(*O3), f"{locking.name}:scalar")
    locking.write(decision)
    assert locking.build(*O3)[1] == "locked"
    check(locking.place, locking.name, "program.o", locking.real(*O3))
    text = explained(locking.place, "program.c", "--function", "pick").stdout
    assert (
        f"body by:     {locking.name} -O3 {build_of(locking.name + ':scalar').options[0]}" in text
    )
    locking.write(with_bodies(locking))
    assert locking.build(*O3)[1] == "locked"
    shown = explained(locking.place, "program.c", "--function", "sort", "--json")
    bodies = json.loads(shown.stdout)["bodies"]
    assert bodies["made_by"].endswith("for x86-64-v3")
    assert bodies["before"] != bodies["after"]


def test_what_cannot_be_shown_is_said_in_one_line(locking: Locking) -> None:
    place = locking.place
    locking.write(chosen(locking.record(*O3), f"{locking.name}:scalar"))
    assert locking.build(*O3)[1] == "locked"
    for change, words in (
        (lambda: None, "there is no function nothing; there are main, pick"),
        (lambda: place.write("program.c", "int f( {"), "the bodies cannot be made anew: "),
        (lambda: os.unlink(place.folder / "program.c"), "the source file cannot be read"),
        (lambda: journal.clear(_state(place)), "no command with this file has been recorded"),
    ):
        change()
        done = explained(place, "program.c", "--function", "nothing")
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert words in done.stderr
    place.write("program.c")
    locking.lock.unlink()
    locking.build(*O3)
    done = explained(place, "program.o", "--function", "pick")
    assert "it has no other body" in done.stderr


def _state(place: Wrapped) -> str:
    from cr1cc.config import state_home

    return state_home(place.environ())
