"""Objects of functions from several builds, through the whole of cr1-gcc."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cr1cc.config import Config
from cr1cc.storage.store import DecisionStore
from tests.e2e.wrapped import WrappedGcc, loadable, run
from tests.unit.asm.conftest import PROGRAMS

_CONTROL = next(path for path in PROGRAMS if path.name == "control.c").read_text()


@pytest.fixture
def place(tmp_path: Path, gcc_and_gxx: tuple[str, str]) -> WrappedGcc:
    here = WrappedGcc(tmp_path, *gcc_and_gxx)
    here.write("program.c", _CONTROL)
    return here


def test_the_object_is_the_same_in_every_cache_state(place: WrappedGcc, tmp_path: Path) -> None:
    words = ("-Os", "-c", "program.c")
    assert place.cr1(*words, CR1_CACHE="0").status == 0
    without = place.read("program.o")
    assert place.last().outcome == "smaller"
    for hit in ("", "object"):
        assert place.cr1(*words, CR1_CACHE_DIR=str(tmp_path / "kept")).status == 0
        assert place.last().hit == hit
        assert place.read("program.o") == without
    place.write("program.c", f"/* moved */\n{_CONTROL}")  # the object is unknown, not the decision
    assert place.cr1(*words, CR1_CACHE_DIR=str(tmp_path / "kept")).status == 0
    assert (place.last().hit, place.last().evaluations) == ("module", 0)
    assert place.read("program.o") == without


def test_a_text_that_is_known_is_not_built_again(place: WrappedGcc, tmp_path: Path) -> None:
    """What remembers it must not show: its object is what a build without memory makes."""
    log = tmp_path / "log"
    gcc = tmp_path / "counting-gcc"
    gcc.write_text(f'#!/bin/sh\necho "$@" >> {log}\nexec {place.real_paths["gcc"]} "$@"\n')
    gcc.chmod(0o755)
    settings = {"CR1_GCC": str(gcc), "CR1_CACHE_DIR": str(tmp_path / "kept")}
    for name in ("program.c", "other.c", "program.c"):
        place.write(name, f"/* {log.exists()} */\n{_CONTROL}")
        log.write_text("")
        assert place.cr1("-Os", "-c", name, "-o", "made.o", **settings).status == 0
        made = place.read("made.o")
        assert place.cr1("-Os", "-c", name, "-o", "made.o", CR1_CACHE="0").status == 0
        assert place.read("made.o") == made
    builds = [line for line in log.read_text().splitlines() if "assembler" in line or " - " in line]
    assert builds == []


def test_a_poisoned_decision_is_searched_anew(place: WrappedGcc, tmp_path: Path) -> None:
    words, cache = ("-Os", "-c", "program.c"), tmp_path / "kept"
    place.cr1(*words, CR1_CACHE_DIR=str(cache))
    made, key = place.read("program.o"), place.last().key
    for tails in ((("main", "sh -c"),), (("no_function", "gcc -Oz"),), None):
        with DecisionStore(Config(cache_dir=str(cache))) as store:
            known = store.module(key)
            assert known is not None
            assert known.tails
            other = known.tails[:1] if tails is None else tails
            store.put_module(key, type(known)(**{**vars(known), "tails": other}))
        place.write("program.c", f"/* {tails} */\n{_CONTROL}")
        assert place.cr1(*words, CR1_CACHE_DIR=str(cache)).status == 0
        assert place.last().hit == ""
        assert place.read("program.o") == made


def test_explain_says_which_function_is_from_which_donor(place: WrappedGcc) -> None:
    place.cr1("-Os", "-c", "program.c")
    script = "from cr1cc.cli.main import main; main()"
    asked = run(
        *place.command()[:1], "-c", script, "explain", "program.c", "--json",
        cwd=place.folder, **place.environ(),
    )  # fmt: skip
    decision = json.loads(asked)["decision"]
    assert decision["tails"]
    assert all(text.startswith("gcc -O") for text in decision["tails"].values())
    assert decision["bytes_after"] == loadable(place.read("program.o"))
    changed = {row["name"]: row["tail"] for row in decision["functions"] if row["tail"]}
    assert changed == decision["tails"]
