"""Whole compiles by gcc: never larger, the same behaviour, the same bytes in every cache state."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.test_compile import _ODDITIES, _THROWING
from tests.e2e.wrapped import (
    PROGRAM,
    WrappedGcc,
    check_smaller_and_alike,
    loadable,
    output,
)

_SOURCES = {"program.c": PROGRAM, "oddities.c": _ODDITIES, "throwing.cpp": _THROWING}

_FLAGS = (
    ("-Os",),
    ("-Oz", "-g"),
    ("-Os", "-fPIC", "-ffunction-sections", "-fdata-sections"),
    ("-Oz", "-fno-pie", "-fomit-frame-pointer", "-fno-asynchronous-unwind-tables"),
)


@pytest.fixture
def place(tmp_path: Path, gcc_and_gxx: tuple[str, str]) -> WrappedGcc:
    return WrappedGcc(tmp_path, *gcc_and_gxx)


@pytest.mark.parametrize("flags", _FLAGS, ids=" ".join)
@pytest.mark.parametrize("source", _SOURCES)
def test_the_object_is_never_larger_and_the_program_does_the_same(
    place: WrappedGcc, source: str, flags: tuple[str, ...]
) -> None:
    name = "g++" if source.endswith("pp") else "gcc"
    check_smaller_and_alike(place, name, source, _SOURCES[source], flags)


def test_a_donor_does_gain_something(place: WrappedGcc) -> None:
    place.write("program.c")
    place.cr1("-Os", "-c", "program.c")
    event = place.last()
    assert event.outcome == "smaller"
    assert event.bytes_after == loadable(place.read("program.o")) < event.bytes_before
    assert event.proposer == "donors"


def test_clang_may_make_a_donor_if_it_is_asked_for(
    place: WrappedGcc, usable_compilers: dict[int, object]
) -> None:
    if not usable_compilers:
        pytest.skip("clang is missing")
    place.write("program.c")
    place.real("-Os", "-c", "program.c", "-o", "plain.o")
    clang = getattr(usable_compilers[max(usable_compilers)], "driver", "")
    assert place.cr1(
        "-Os", "-c", "program.c", "-o", "ours.o", CR1_CLANG_DONORS="1", CR1_CLANG=str(clang)
    ).status == 0  # fmt: skip
    assert place.last().outcome in ("smaller", "nothing_better")
    assert loadable(place.read("ours.o")) <= loadable(place.read("plain.o"))
    assert output(place, "gcc", "ours.o") == output(place, "gcc", "plain.o")


def test_the_bytes_are_the_same_in_every_cache_state(place: WrappedGcc, tmp_path: Path) -> None:
    place.write("program.c")
    cache = tmp_path / "kept"
    made, hits = {}, {}

    def build(state: str, **settings: str) -> None:
        (tmp_path / "program.o").unlink(missing_ok=True)
        assert place.cr1("-Os", "-g", "-c", "program.c", **settings).status == 0
        made[state] = place.read("program.o")
        hits[state] = place.last().hit

    build("without", CR1_CACHE="0")
    build("cold", CR1_CACHE_DIR=str(cache))
    build("warm", CR1_CACHE_DIR=str(cache))
    for file in cache.glob("cache.db*"):
        data = bytearray(file.read_bytes())
        for at in range(4096, len(data), 97):
            data[at] ^= 0x55
        file.write_bytes(data)
    build("corrupted", CR1_CACHE_DIR=str(cache))
    build("after corruption", CR1_CACHE_DIR=str(cache))
    assert len(set(made.values())) == 1
    assert hits["without"] == hits["cold"] == ""
    assert hits["warm"] == hits["after corruption"] == "object"


def test_a_known_decision_holds_in_another_place_and_behind_a_comment(place: WrappedGcc) -> None:
    place.write("program.c")
    place.cr1("-Os", "-c", "program.c")
    decided = place.read("program.o")
    place.write("sub/program.c", f"/* moved */\n\n{PROGRAM}")
    place.cr1("-Os", "-c", "sub/program.c")
    event = place.last()
    assert (event.outcome, event.hit, event.evaluations) == ("smaller", "module", 0)
    assert place.read("program.o") == decided


def test_a_warning_that_hangs_on_a_comment_is_printed(place: WrappedGcc) -> None:
    """The text is the same with and without it."""
    text = "int f(int a) {{ switch (a) {{ case 1: a = 2; {}\ncase 2: a++; }} return a; }}\n"
    words = ("-Os", "-Wextra", "-c", "fall.c")
    place.write("fall.c", text.format("/* fall through */"))
    for _ in range(2):
        assert place.cr1(*words).stderr == b""
    assert place.last().hit == "object"
    place.write("fall.c", text.format("/*   and so on   */"))
    expected = place.real(*words)
    assert b"fall through" in expected.stderr
    for _ in range(2):
        assert place.cr1(*words).stderr == expected.stderr


def test_an_object_whose_assembler_reads_a_file_is_made_again(place: WrappedGcc) -> None:
    place.write(
        "blob.c", '__asm__(".data\\n.incbin \\"data\\"\\n.text");int f(int a){return a*7;}\n'
    )
    for content in ("one", "another"):
        place.write("data", content)
        assert place.cr1("-Os", "-c", "blob.c").status == 0
        assert content.encode() in place.read("blob.o")
        assert place.last().hit == ""


def test_a_precompiled_header_passes_through(place: WrappedGcc) -> None:
    place.write("h.h", "static inline int from_header(int a) { return a * 3; }\n")
    place.write("uses.c", '#include "h.h"\nint f(int a) { return from_header(a); }\n')
    assert place.real("-Os", "-x", "c-header", "h.h", "-o", "h.h.gch").status == 0
    assert place.cr1("-Os", "-c", "uses.c").status == 0
    assert place.last().outcome == "precompiled_header"


def test_an_output_that_cannot_be_written_is_gccs_business(place: WrappedGcc) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everything")
    place.write("program.c")
    (place.folder / "program.o").write_bytes(b"old")
    (place.folder / "program.o").chmod(0o444)
    expected = place.real("-Os", "-c", "program.c")
    assert place.cr1("-Os", "-c", "program.c").status == expected.status


def test_a_gcc_that_is_killed_ends_us_by_the_same_signal(place: WrappedGcc) -> None:
    place.write("program.c")
    real = place.real_paths["gcc"]
    killed = place.folder / "killed-gcc"
    killed.write_text(
        f'#!/bin/sh\ncase "$*" in *-E*|-v|-print*|*-dM*) exec {real} "$@";; esac\nkill -TERM $$\n'
    )
    killed.chmod(0o755)
    assert place.cr1("-Os", "-c", "program.c", CR1_GCC=str(killed)).status == -signal.SIGTERM


def test_a_signal_leaves_no_file(place: WrappedGcc) -> None:
    place.write("program.c")
    real = place.real_paths["gcc"]
    slow = place.folder / "slow-gcc"
    slow.write_text(f'#!/bin/sh\ncase "$*" in *donor.tmp*) sleep 60;; esac\nexec {real} "$@"\n')
    slow.chmod(0o755)
    before = place.names()
    process = subprocess.Popen(
        place.command("-Os", "-c", "program.c", name="gcc"), cwd=place.folder,
        env=place.environ(CR1_GCC=str(slow)), start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not (place.folder / "program.o").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait(60) == -signal.SIGTERM
    assert place.names() - before <= {"program.o"}


def test_a_gcc_of_an_untried_version_passes_through(place: WrappedGcc) -> None:
    place.write("program.c")
    real = place.real_paths["gcc"]
    other = place.folder / "other-gcc"
    other.write_text(
        f'#!/bin/sh\nif [ "$*" = -v ]; then echo "gcc version 99.1.0 (x)" >&2; exit; fi\n'
        f'exec {real} "$@"\n'
    )
    other.chmod(0o755)
    assert place.cr1("-Os", "-c", "program.c", CR1_GCC=str(other)).status == 0
    assert place.last().outcome == "unsupported_version"


def test_an_object_of_a_cross_compiler_is_for_its_machine(tmp_path: Path) -> None:
    gcc, gxx = (shutil.which(f"aarch64-linux-gnu-{name}") for name in ("gcc", "g++"))
    if gcc is None or gxx is None:
        pytest.skip("aarch64-linux-gnu-gcc or aarch64-linux-gnu-g++ is missing")
    place = WrappedGcc(tmp_path, gcc, gxx)
    place.write("program.c")
    place.real("-Os", "-c", "program.c", "-o", "plain.o")
    assert place.cr1("-Os", "-c", "program.c", "-o", "ours.o").status == 0
    assert place.last().outcome in ("smaller", "nothing_better")
    assert loadable(place.read("ours.o")) <= loadable(place.read("plain.o"))
    assert int.from_bytes(place.read("ours.o")[18:20], "little") == 183  # EM_AARCH64
    emulator = shutil.which("qemu-aarch64")
    if emulator is None:
        pytest.skip("qemu-aarch64 is missing")
    outputs = []
    for obj in ("plain.o", "ours.o"):
        assert place.real(obj, "-static", "-o", "program").status == 0
        done = subprocess.run([emulator, str(tmp_path / "program")], capture_output=True)
        outputs.append((done.returncode, done.stdout))
    assert outputs[0] == outputs[1]
    assert outputs[0][0] == 0
