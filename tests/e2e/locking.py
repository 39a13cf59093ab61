"""A folder with a wrapped compiler whose records become the decisions of a lockfile."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

from cr1cc.compile_speed import RECORD
from cr1cc.lock import Locked, write_lock
from cr1cc.speed.table import build_of
from tests.e2e.wrapped import Wrapped

# Programs of what a language has: exceptions, setjmp, varargs, threads, computed goto and so on.
LANGUAGE = sorted((Path(__file__).parents[1] / "unit" / "asm" / "programs").glob("*.c*"))
O3 = ("-O3", "-c", "program.c")


class Locking:
    """A folder with a wrapped compiler, whose records become decisions."""

    def __init__(self, place: Wrapped, name: str) -> None:
        self.place, self.name = place, name
        self.lock = place.folder / "cr1.lock"
        place.write("program.c")

    def record(self, *words: str, name: str = "") -> Locked:
        """The decision of a command, for the baseline so far."""
        self.lock.touch()
        path = self.place.folder / "records"
        path.unlink(missing_ok=True)
        done = self.place.cr1(*words, name=name or self.name, **{RECORD: str(path)})
        assert (done.status, done.stderr) == (0, b"")
        (line,) = path.read_text().splitlines()
        fields = json.loads(line)
        named = ("source", "level", "options", "text", "compiler")
        return Locked(*(fields[key] for key in named), donor="", other=fields["other"])

    def build(self, *words: str, name: str = "", **settings: str) -> tuple[bytes, str, str]:
        """The object, the outcome and its detail; nothing may be said."""
        (self.place.folder / "program.o").unlink(missing_ok=True)
        done = self.place.cr1(*words, "-o", "program.o", name=name or self.name, **settings)
        assert (done.status, done.stdout, done.stderr) == (0, b"", b"")
        event = self.place.last()
        return self.place.read("program.o"), event.outcome, event.detail

    def real(self, *words: str, name: str = "") -> bytes:
        assert self.place.real(*words, "-o", "real.o", name=name or self.name).status == 0
        return self.place.read("real.o")

    def plain_output(self, *words: str, name: str = "") -> bytes:
        """What the program prints as the user's compiler alone makes it."""
        name = name or self.name
        self.real(*words, name=name)
        assert self.place.real("real.o", "-o", "plain", name=name).status == 0
        return subprocess.run([self.place.folder / "plain"], capture_output=True).stdout

    def write(self, *decisions: Locked) -> None:
        write_lock(str(self.lock), decisions)

    def output(self, name: str) -> bytes:
        linked = self.place.real("program.o", "-o", "program", name=name)
        assert linked.status == 0, linked.stderr
        return subprocess.run([self.place.folder / "program"], capture_output=True).stdout


def chosen(decision: Locked, donor: str, **changes: object) -> Locked:
    return replace(decision, donor=build_of(donor).label, **changes)  # type: ignore[arg-type]
