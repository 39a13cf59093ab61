"""Builds with a lockfile whose functions have two bodies: one program for all processors."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from cr1cc.lock import Locked
from cr1cc.speed.table import build_of
from cr1cc.util.elf import STT_GNU_IFUNC, ObjectFile
from tests.e2e.locking import O3, Locking, chosen
from tests.e2e.wrapped import PROGRAM, WrappedGcc

HIGHER = "x86-64-v3"
NAMES = ("pick", "sort", "main")


def with_bodies(locking: Locking, *words: str, **changes: object) -> Locked:
    ifunc = tuple((name, build_of(f"{locking.name}:own").label) for name in NAMES)
    decision = chosen(locking.record(*(words or O3)), f"{locking.name}:own", isa=HIGHER)
    return replace(decision, ifunc=ifunc, **changes)  # type: ignore[arg-type]


def indirect(data: bytes) -> set[str]:
    return {one.name for one in ObjectFile(data).symbols() if one.type == STT_GNU_IFUNC}


def on(processor: str, program: Path, *options: str) -> subprocess.CompletedProcess[bytes]:
    if shutil.which("qemu-x86_64") is None:
        pytest.skip("qemu-x86_64 is missing")
    command = ["qemu-x86_64", "-cpu", processor, *options, program]
    return subprocess.run(command, capture_output=True, check=False)


@pytest.mark.parametrize("link", ["-pie", "-static"])
def test_one_program_runs_everywhere_and_is_fast_where_it_can_be(
    locking: Locking, link: str
) -> None:
    words = ("-O3", "-fPIE" if link == "-pie" else "-fno-pie")
    words = (*words, "-c", "program.c")
    locking.write(with_bodies(locking, *words))
    data, outcome, detail = locking.build(*words)
    assert outcome == "locked", detail
    assert indirect(data) == {f"{name}.picked" for name in NAMES}
    assert locking.build(*words, CR1_CACHE="0")[0] == data
    folder = locking.place.folder
    locking.real(*words)
    if locking.place.real(link, "real.o", "-o", "plain", name=locking.name).status:
        pytest.skip(f"{locking.name} has no libraries for {link}")
    done = locking.place.real(link, "program.o", "-o", "both", name=locking.name)
    assert done.status == 0, done.stderr
    expected = on("Nehalem", folder / "plain").stdout
    assert expected
    log = folder / "log"
    for processor, wide in (("Nehalem", False), ("Haswell", True)):
        ran = on(processor, folder / "both", "-d", "in_asm", "-D", str(log))
        assert (ran.returncode, ran.stdout) == (0, expected)
        own = log.read_text(errors="replace").partition("IN: main.x86_64_v3")
        assert bool(own[1]) == wide


def test_a_function_that_must_have_one_body_keeps_it(locking: Locking) -> None:
    text = PROGRAM.replace("int sort(", "__attribute__((weak)) int sort(")
    locking.place.write("program.c", text)
    locking.write(with_bodies(locking))
    data, outcome, _ = locking.build(*O3)
    assert outcome == "locked"
    assert indirect(data) == {"pick.picked", "main.picked"}


@pytest.mark.parametrize(
    ("text", "words", "outcome", "reason"),
    [
        (PROGRAM, "-O3 -march=x86-64-v4", "lock_stale", "no less than x86-64-v3"),
        (PROGRAM, "-O3 -march=haswell", "lock_stale", "the command has -march=haswell"),
        (PROGRAM, "-O3 -ffreestanding", "lock_stale", "not glibc"),
        (PROGRAM, "-O3 -nostdinc", "lock_stale", "not glibc"),
        ("int x __attribute__((aligned)); int f(void) { return x; }", "-O3", "lock_failed",
         "aligned without a number"),
        ("typedef int v __attribute__((vector_size(32))); v f(v a) { return a; }",
         "-O3 -Wno-psabi",
         "lock_failed", "it has vector_size"),
        ("static int f(void) { return 1; } int (*g)(void) = f;", "-O3", "lock_failed",
         "not a global function"),
        (PROGRAM, "-O3 -g", "lock_failed", "debug information"),
    ],
)  # fmt: skip
def test_what_may_have_one_body_only_is_the_baseline(
    locking: Locking, text: str, words: str, outcome: str, reason: str
) -> None:
    locking.place.write("program.c", text)
    command = (*words.split(), "-w", "-c", "program.c")
    if "-nostdinc" in words:
        locking.place.write("program.c", "int pick(int x) { return x * 3; }")
    locking.write(with_bodies(locking, *command))
    data, came_to, detail = locking.build(*command)
    assert (came_to, data) == (outcome, locking.real(*command))
    assert reason in detail


def test_a_loader_cannot_ask_for_native(locking: Locking) -> None:
    locking.write(replace(with_bodies(locking), isa="x86-64-v9"))
    assert locking.build(*O3)[1] == "lock_stale"
    from cr1cc.speed.isa import written

    locking.write(replace(with_bodies(locking), isa=written("native")))
    _, outcome, detail = locking.build(*O3)
    assert (outcome, "cannot ask for native" in detail) == ("lock_stale", True)


def test_a_program_with_musl_has_one_body(tmp_path: Path) -> None:
    musl = shutil.which("musl-gcc")
    if musl is None:
        pytest.skip("musl-gcc is missing")
    locking = Locking(WrappedGcc(tmp_path, musl, musl), "gcc")
    locking.write(with_bodies(locking))
    data, outcome, detail = locking.build(*O3)
    assert (data, outcome) == (locking.real(*O3), "lock_stale")
    assert "not glibc" in detail
