"""Run clang and cr1-clang for a test, and read what they made."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from cr1cc.config import state_home
from cr1cc.outcome import Kind, Outcome
from cr1cc.records import Toolchain
from cr1cc.storage import journal
from cr1cc.util.elf import ObjectFile

# How llama-cpp-python is built in minutes; pip keeps the result for the next installation.
LLAMA_BUILD = (
    "-DLLAVA_BUILD=OFF -DGGML_OPENMP=OFF -DGGML_NATIVE=OFF -DCMAKE_PROJECT_llama_cpp_INCLUDE="
    + str(Path(__file__).resolve().parents[2] / "cr1cc/model/llama.cmake")
)

# A program with something to gain for every recipe: loops, switches, equal code, data.
PROGRAM = """
#include <stdio.h>
#include <string.h>
static int table[16] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3};
static int weigh(const int *p, int n) {
    int sum = 0;
    for (int i = 0; i < n; i++) sum += p[i] * (i % 3 ? 2 : 7) - (p[i] >> 1);
    return sum;
}
int pick(int x, const char *s) {
    switch (x & 7) {
    case 0: return (int)strlen(s) + weigh(table, 16);
    case 1: return weigh(table, 8) - x;
    case 2: return weigh(table + 4, 8) * x;
    case 3: return x ^ weigh(table, 4);
    case 4: return x > 40 ? weigh(table, 12) : -weigh(table, 12);
    default: return weigh(table, x & 15);
    }
}
int sort(int *p, int n) {
    int swaps = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j + 1 < n - i; j++)
            if (p[j] > p[j + 1]) { int t = p[j]; p[j] = p[j + 1]; p[j + 1] = t; swaps++; }
    return swaps;
}
int main(void) {
    for (int i = 0; i < 64; i++) printf("%d ", pick(i, "something"));
    printf("%d\\n", sort(table, 16));
    for (int i = 0; i < 16; i++) printf("%d ", table[i]);
    return 0;
}
"""


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    stdout: bytes
    stderr: bytes


class Wrapped:
    """A folder, the real compiler and ours."""

    def __init__(self, folder: Path, toolchain: Toolchain, **settings: str) -> None:
        self.folder = folder
        self.toolchain = toolchain
        self.settings = {"CR1_CLANG": toolchain.driver, **settings}

    def environ(self, **settings: str) -> dict[str, str]:
        root = str(Path(__file__).resolve().parents[2])
        return {**os.environ, "PYTHONPATH": root, **self.settings, **settings}

    def command(self, *arguments: str, name: str = "clang") -> list[str]:
        return [sys.executable, "-m", "cr1cc.wrapper", name, *arguments]

    def cr1(self, *arguments: str, name: str = "clang", **settings: str) -> Done:
        return _run(self.command(*arguments, name=name), self.folder, self.environ(**settings))

    def real(self, *arguments: str, name: str = "clang") -> Done:
        mode = ["--driver-mode=g++"] if name == "clang++" else []
        return _run([self.toolchain.driver, *mode, *arguments], self.folder, self.environ())

    def write(self, name: str, text: str = PROGRAM) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def last(self) -> journal.Event:
        """The newest event of the journal."""
        return list(journal.read(state_home(self.environ())))[-1]

    def names(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()}


class WrappedGcc(Wrapped):
    """The same with gcc and g++ (paths) in the place of clang."""

    def __init__(self, folder: Path, gcc: str, gxx: str, **settings: str) -> None:
        self.folder = folder
        self.real_paths = {"gcc": gcc, "g++": gxx}
        self.settings = {"CR1_GCC": gcc, "CR1_GXX": gxx, **settings}

    def cr1(self, *arguments: str, name: str = "gcc", **settings: str) -> Done:
        return super().cr1(*arguments, name=name, **settings)

    def real(self, *arguments: str, name: str = "gcc") -> Done:
        return _run([self.real_paths[name], *arguments], self.folder, self.environ())


def run(*argv: str, cwd: Path, **environ: str) -> str:
    """What a command that must succeed prints to standard output."""
    done = subprocess.run(
        argv, cwd=cwd, env={**os.environ, **environ}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def decided(folder: Path) -> set[str]:
    """The objects under `folder` that the journal knows as compiled and understood by us."""
    events = [event for event in journal.read(state_home(os.environ)) if event.output]
    understood = {row.counter for row in Outcome if row.kind is not Kind.PASSTHROUGH}
    outputs = [Path(event.output) for event in events if event.outcome in understood]
    return {path.relative_to(folder).as_posix() for path in outputs if folder in path.parents}


def loadable(data: bytes) -> int:
    return ObjectFile(data).loadable_bytes()


def _run(command: list[str], folder: Path, environ: dict[str, str]) -> Done:
    done = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, stdin=subprocess.DEVNULL, check=False
    )
    return Done(done.returncode, done.stdout, done.stderr)


def output(wrapped: Wrapped, name: str, obj: str) -> bytes:
    """What the program prints that the real compiler links of an object."""
    pie = ["-no-pie"] if "no-pie" in obj else []
    linked = wrapped.real(obj, *pie, "-o", "program", name=name)
    assert linked.status == 0, linked.stderr
    return subprocess.run([wrapped.folder / "program"], capture_output=True, check=True).stdout


def check_smaller_and_alike(
    place: Wrapped, name: str, source: str, text: str, flags: tuple[str, ...]
) -> None:
    """Our object is decided on in silence, not larger, and makes a program that does the same."""
    suffix = ".no-pie.o" if "-fno-pie" in flags else ".o"
    place.write(source, text)
    place.real(*flags, "-c", source, "-o", f"plain{suffix}", name=name)
    done = place.cr1(*flags, "-c", source, "-o", f"ours{suffix}", name=name)
    assert (done.status, done.stdout, done.stderr) == (0, b"", b"")
    assert place.last().outcome in ("smaller", "nothing_better")
    assert loadable(place.read(f"ours{suffix}")) <= loadable(place.read(f"plain{suffix}"))
    assert output(place, name, f"ours{suffix}") == output(place, name, f"plain{suffix}")
