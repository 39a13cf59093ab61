"""Builds with shorter windows: the same behaviour, the same bytes in every cache state, and without
the extra, or where a prover crashes, what they were without."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

pytest.importorskip("triton")
pytest.importorskip("z3")
pytest.importorskip("bitwuzla")

from cr1cc.records import RELAYED, RENAMED, Toolchain
from tests.e2e.wrapped import Wrapped, WrappedGcc, loadable, output, run
from tests.models import random_assembly_model, random_model
from tests.unit.asm.conftest import PROGRAMS, csmith

SOURCE = r"""
#include <stdio.h>
#include <string.h>
unsigned long stir(unsigned long x, const unsigned char *p, int n) {
    for (int i = 0; i < n; i++) {
        x ^= p[i];
        x = ((x & 0xffff) << 8) + (x >> 3) + n;
        if (x % 3 == 1) x += strlen((const char *)p);
    }
    return x & 0xffff;
}
int length(const char *a, const char *b) {
    int n = strlen(a);
    int m = strlen(b);
    printf("%d %d\n", n, m);
    return n < 128 ? n * m : m;
}
int main(void) {
    printf("%lu %d\n", stir(7, (const unsigned char *)"something", 9), length("abc", "de"));
    return 0;
}
"""

# The same program with no sound prover behind it.
WITHOUT_THE_EXTRA = """
from cr1cc.prove import installed
installed.PACKAGES = (*installed.PACKAGES, "not-installed")
"""
CRASHING = """
import os
from cr1cc.prove.window import WindowProver
WindowProver.judge = lambda *_: os.kill(os.getpid(), 9)
"""
_HANGING = """
import pathlib, time
from cr1cc.prove.window import WindowProver
def judge(*_):
    pathlib.Path("judging").touch()
    time.sleep(600)
WindowProver.judge = judge
"""


@pytest.fixture(params=["gcc", "clang"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Wrapped:
    """A folder with the source, and a compiler that makes windows shorter."""
    if request.param == "gcc":
        made: Wrapped = WrappedGcc(tmp_path, *request.getfixturevalue("gcc_and_gxx"))
    else:
        toolchain: Toolchain = request.getfixturevalue("any_toolchain")
        made = Wrapped(tmp_path, toolchain, CR1_REWRITE="all")
    made.write("s.c", SOURCE)
    return made


def compiled(place: Wrapped, *flags: str, **settings: str) -> bytes:
    done = place.cr1(*(flags or ("-Oz",)), "-c", "s.c", **settings)
    assert (done.status, done.stdout, done.stderr) == (0, b"", b"")
    return place.read("s.o")


def patched(place: Wrapped, name: str, code: str) -> dict[str, str]:
    """The environment of a program that begins with this code."""
    folder = place.folder / name
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(code)
    root = place.environ()["PYTHONPATH"]
    return {"PYTHONPATH": f"{folder}:{root}"}


@pytest.mark.parametrize("level", ["-Os", "-Oz"])
def test_windows_become_shorter_and_the_program_does_the_same(place: Wrapped, level: str) -> None:
    without = compiled(place, level, CR1_REWRITE="off")
    assert place.last().verdicts == ""
    before = output(place, _name(place), "s.o")
    made = compiled(place, level)
    event = place.last()
    assert "proved=" in event.verdicts
    assert event.rewritten > 0
    assert event.bytes_after == loadable(made) < loadable(without)
    assert output(place, _name(place), "s.o") == before


def test_the_same_bytes_with_every_cache(place: Wrapped) -> None:
    cold = compiled(place)
    assert compiled(place) == cold
    assert place.last().hit == "object"
    assert compiled(place, CR1_CACHE="false") == cold
    other = str(place.folder / "other")
    assert compiled(place, CR1_CACHE_DIR=other) == cold
    # The decision is known, the object is not: it has another name.
    shutil.copy(place.folder / "s.c", place.folder / "t.c")
    place.cr1("-Oz", "-c", "t.c", CR1_CACHE="false")
    expected = place.read("t.o")
    place.cr1("-Oz", "-c", "t.c")
    assert place.read("t.o") == expected
    assert place.last().hit == "module"


def test_without_the_extra_no_window_is_replaced(place: Wrapped) -> None:
    without = compiled(place, CR1_REWRITE="off", CR1_CACHE="false")
    environ = patched(place, "bare", WITHOUT_THE_EXTRA)
    bare = compiled(place, **environ)
    assert loadable(bare) <= loadable(without)
    rows = explained(place)["decision"]["rewritten"]["rewrites"]
    assert {row["by"] for row in rows} <= {RENAMED, RELAYED}
    assert (bare == without) == (not rows)
    assert loadable(compiled(place)) < loadable(bare)


def test_a_prover_that_crashes_leaves_the_windows_and_no_decision(place: Wrapped) -> None:
    bare = compiled(place, CR1_CACHE="false", **patched(place, "bare", WITHOUT_THE_EXTRA))
    assert compiled(place, **patched(place, "crash", CRASHING)) == bare
    assert loadable(compiled(place)) < loadable(bare)
    assert place.last().hit != "object"


def test_a_signal_while_a_window_is_proved_leaves_no_file(place: Wrapped) -> None:
    environ = place.environ(**patched(place, "hang", _HANGING))
    before = place.names()
    process = subprocess.Popen(
        place.command("-Oz", "-c", "s.c", name=_name(place)), cwd=place.folder, env=environ,
        start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not (place.folder / "judging").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(60) == -signal.SIGINT
    assert place.names() - before == {"judging", "s.o"}  # the object of the own command
    deadline = time.monotonic() + 60
    while (left := _running(process.pid)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []


def test_what_a_model_proposes_is_judged_like_what_rules_say(
    place: Wrapped, tmp_path: Path
) -> None:
    """One with random weights: it proposes, next to nothing of it can be proved."""
    pytest.importorskip("llama_cpp", reason="the package llama-cpp-python")
    pytest.importorskip("gguf", reason="gguf (extra train)")
    model = random_assembly_model(tmp_path / "assembly.gguf")
    by_rules = compiled(place)
    refused = explained(place)["decision"]["rewritten"]["unknown"]
    before = output(place, _name(place), "s.o")
    made = compiled(place, CR1_ASM_MODEL=str(model))
    assert place.last().hit != "object"  # it has a key of its own
    assert explained(place)["decision"]["rewritten"]["unknown"] > refused
    assert loadable(made) <= loadable(by_rules)
    assert output(place, _name(place), "s.o") == before
    assert compiled(place, CR1_ASM_MODEL=str(model), CR1_CACHE="false") == made
    assert compiled(place, CR1_ASM_MODEL=str(model)) == made
    assert place.last().hit == "object"


@pytest.mark.parametrize("harm", ["gone", "no model", "of recipes"])
def test_a_model_that_cannot_be_used_leaves_the_rules_and_is_said(
    place: Wrapped, tmp_path: Path, harm: str
) -> None:
    pytest.importorskip("llama_cpp", reason="the package llama-cpp-python")
    model = tmp_path / "assembly.gguf"
    if harm == "no model":
        model.write_bytes(b"GGUF and no more")
    elif harm == "of recipes":
        pytest.importorskip("gguf", reason="gguf (extra train)")
        random_model(model)
    by_rules = compiled(place)
    assert compiled(place, CR1_ASM_MODEL=str(model)) == by_rules
    event = place.last()
    assert event.hit == "object"  # the same key as without
    assert str(model) in event.model_problem


def test_debug_data_and_inline_assembler_go_without_and_say_so(place: Wrapped) -> None:
    compiled(place, "-Oz", "-g")
    assert "debug data" in explained(place)["decision"]["rewritten"]["reason"]
    place.write("s.c", SOURCE + 'void f(void) { __asm__ volatile("nop"); }\n')
    compiled(place)
    assert "inline assembler" in explained(place)["decision"]["rewritten"]["reason"]


def test_it_is_explained_and_counted(place: Wrapped) -> None:
    compiled(place)
    document = explained(place)
    assert "shorter, each proved" in document["decision"]["evidence"]
    rows = document["decision"]["rewritten"]["rewrites"]
    assert all(row["windows"] and row["saved"] for row in rows)
    name = rows[0]["function"]
    bodies = explained(place, "--function", name)["bodies"]
    assert len(bodies["windows"]) == sum(row["windows"] for row in rows if row["function"] == name)
    for window in bodies["windows"]:
        assert window["verdict"] == "proved"
        new = {" ".join(line.split()) for line in bodies["after"]}
        # With inner labels in it, it is shown with other numbers.
        if window["by"] not in (RENAMED, RELAYED):
            assert all(one in new or ".L" in one for one in window["new"].split("; "))
    table = cr1(place, "explain", "s.c", "--function", name)
    assert any(
        by in table
        for by in ("proof of a window", "exchange of saved registers", "jumps to the same places")
    )
    totals = json.loads(cr1(place, "stats", "--json"))
    assert totals["verdicts"]["proved"] == sum(row["windows"] for row in rows)
    assert totals["verdicts"]["tested"] == totals["verdicts"]["refuted"] == 0
    assert totals["functions_rewritten"] == len({row["function"] for row in rows})


COUNTING = """
unsigned count(const unsigned char *p) {
    unsigned long start = (unsigned long)p, sum = 0;
    for (; *p; p++) sum += *p;
    sum += start;
    return sum < start ? 7 : (unsigned)sum >> 1;
}
"""


def test_what_is_tested_is_linked_only_if_that_is_asked_for(place: Wrapped) -> None:
    """A carry out of 32 bits of an address is one out of 64 in all calls of the driver, and not
    everywhere."""
    place.write("s.c", COUNTING)
    proved = compiled(place)
    assert "tested=" not in place.last().verdicts
    made = compiled(place, CR1_ADMIT="tested")
    event = place.last()
    assert "tested=1" in event.verdicts
    assert loadable(made) < loadable(proved)
    decision = explained(place)["decision"]
    (row,) = [one for one in decision["rewritten"]["rewrites"] if one["tested"]]
    assert row["function"] == "count"
    assert row["tested"].startswith("tested by the driver (pairs 1000000, seed 0)")
    assert "tested" in decision["evidence"]
    assert compiled(place, CR1_ADMIT="tested") == made
    assert compiled(place, CR1_ADMIT="tested", CR1_CACHE="false") == made
    assert compiled(place) == proved


@pytest.mark.long
@pytest.mark.parametrize("level", ["-Os", "-Oz"])
@pytest.mark.parametrize("source", PROGRAMS, ids=lambda path: path.name)
def test_programs_do_the_same(place: Wrapped, source: Path, level: str) -> None:
    name = {"gcc": "g++", "clang": "clang++"}[_name(place)] if source.suffix != ".c" else ""
    _check(place, source, level, name or _name(place))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(500, 520))
def test_random_programs_do_the_same(place: Wrapped, seed: int) -> None:
    source = csmith(seed, place.folder)
    _check(place, source, "-Oz", _name(place), "-I/usr/include/csmith", "-w")


def _check(place: Wrapped, source: Path, level: str, name: str, *flags: str) -> None:
    results = []
    for setting in ("off", "all"):
        done = place.cr1(
            level, *flags, "-c", str(source), "-o", "p.o", name=name, CR1_REWRITE=setting
        )
        assert done.status == 0, done.stderr
        linked = place.real("p.o", "-o", "program", "-pthread", "-lm", name=name)
        assert linked.status == 0, linked.stderr
        ran = subprocess.run(
            ["timeout", "10", place.folder / "program"], capture_output=True, cwd=place.folder
        )
        results.append((ran.stdout, ran.returncode))
    assert results[0] == results[1]


def _running(group: int) -> list[psutil.Process]:
    """The processes of a group that have not ended; nobody may wait for those that have."""
    found = []
    for one in psutil.process_iter():
        try:
            if os.getpgid(one.pid) == group and one.status() != psutil.STATUS_ZOMBIE:
                found.append(one)
        except (psutil.NoSuchProcess, ProcessLookupError):
            continue
    return found


def _name(place: Wrapped) -> str:
    return "gcc" if isinstance(place, WrappedGcc) else "clang"


def cr1(place: Wrapped, *arguments: str) -> str:
    code = "from cr1cc.cli.main import main; main()"
    return run(sys.executable, "-c", code, *arguments, cwd=place.folder, **place.environ())


def explained(place: Wrapped, *more: str) -> dict[str, dict[str, dict[str, str]]]:
    return json.loads(cr1(place, "explain", "s.c", "--json", *more))
