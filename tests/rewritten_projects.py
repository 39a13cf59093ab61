"""What becomes of the assembly of whole projects: `python -m tests.bench_rewrite --projects`.

A project is built as its own build does, by a compiler that keeps the assembly of each source
beside the object. Functions of that assembly are the candidates; *tried* are those with a window
that would be shorter or registers whose other names are, *admitted* those of which any of that is
proved, and *gained* those that are smaller in the object that the new text gives. Results are kept
by project and way in the folder, so it goes on where it was ended.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import NamedTuple

from cr1cc.errors import EvaluationError, GateError
from cr1cc.gate.body import assembled
from cr1cc.records import RELAYED, RENAMED, Level, Speed
from cr1cc.rewrite.shorten import Shortener
from cr1cc.storage.local import LocalStore
from cr1cc.util.elf import ObjectFile
from tests.projects import compilers
from tests.projects.build import Compiler, build
from tests.projects.errors import BuildError, FetchError
from tests.projects.table import PROJECTS

NAMES = ("zlib", "bzip2", "lua", "lz4", "expat", "libpng", "cjson", "jsoncpp", "zstd")

# Runs the compiler, and before that once more for the assembly where it makes an object, but for
# the probes of configure scripts. gcc takes one `-o` only.
_KEEPING = """#!/bin/sh
case " $* " in
*conftest* | *ztest*) ;;
*" -c "*) (
    left=$#
    while [ $left -gt 0 ]; do
        word=$1 left=$((left - 1))
        shift
        if [ "$word" != -o ]; then set -- "$@" "$word"; else shift; left=$((left - 1)); fi
    done
    {compiler} "$@" {more} -w -S -o {folder}/$$.s 2>/dev/null
) ;;
esac
exec {compiler} "$@"
"""


class Way(NamedTuple):
    """`of`: gives the compiler."""

    of: Callable[[], Compiler]
    level: Level | Speed
    more: str = ""


WAYS = {
    "gcc -Os": Way(compilers.plain_gcc, Level.OS),
    "gcc -Oz": Way(compilers.plain_gcc, Level.OZ),
    "clang -Oz": Way(compilers.plain, Level.OZ, "-fno-integrated-as"),
    "gcc -O2": Way(compilers.plain_gcc, Speed.O2),
}


@dataclass
class Counts:
    """Of one project: sources whose assembly is read, functions, windows, functions whose registers
    have other names and what that saves, bytes of code."""

    files: int = 0
    candidates: int = 0
    tried: int = 0
    admitted: int = 0
    gained: int = 0
    windows: int = 0
    proved: int = 0
    renamed: int = 0
    by_names: int = 0  # bytes
    by_jumps: int = 0
    before: int = 0
    after: int = 0
    seconds: float = 0.0  # of processor time

    def add(self, other: Counts) -> None:
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))


def run(folder: Path, names: Sequence[str], ways: Sequence[str], seconds: float) -> None:
    """Measure what is not measured yet, way by way, until the time is over."""
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    for way in ways:
        for name in names:
            file = folder / f"{name}{way.replace(' ', '')}.json"
            if file.exists() or time.monotonic() - started > seconds:
                continue
            try:
                counts = _measure(name, WAYS[way], folder)
            except (BuildError, FetchError) as error:
                print(f"{name}\t{way}\t{error}", flush=True)
                continue
            row = {"project": name, "way": way, **asdict(counts)}
            fresh = file.with_suffix(".tmp")
            fresh.write_text(json.dumps(row))
            fresh.replace(file)
            print(f"{name}\t{way}\t{counts}", flush=True)


def results(folder: Path) -> list[dict[str, object]]:
    """All that is measured, in the order of projects and ways."""
    found = [json.loads(file.read_text()) for file in folder.glob("*.json")]
    order = (*NAMES, *PROJECTS)
    ways = list(WAYS)
    return sorted(found, key=lambda row: (ways.index(row["way"]), order.index(row["project"])))


def table(rows: Sequence[dict[str, object]]) -> Iterator[str]:
    """The page's table: a line for each project and way, and one for each way."""
    yield (
        "| built by | project | functions | tried | admitted | gained | windows proved "
        "| functions renamed | jumps | bytes |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for way in dict.fromkeys(str(row["way"]) for row in rows):
        total = Counts()
        for row in rows:
            if row["way"] == way:
                counts = Counts(**{one.name: row.get(one.name, 0) for one in fields(Counts)})  # type: ignore[arg-type]
                yield _line(way, str(row["project"]), counts)
                total.add(counts)
        yield _line(f"**{way}**", "**all**", total)


def _line(way: str, name: str, one: Counts) -> str:
    def share(part: int, whole: int) -> str:
        return f"{part} ({100 * part / whole:.1f} %)" if whole else "0"

    functions = " | ".join(share(n, one.candidates) for n in (one.tried, one.admitted, one.gained))
    less = f"{one.before} → {one.after} (-{100 * (1 - one.after / max(one.before, 1)):.2f} %)"
    windows = f"{one.proved} of {one.windows}"
    names = f"{one.renamed} (-{100 * one.by_names / max(one.before, 1):.2f} %)"
    jumps = f"-{100 * one.by_jumps / max(one.before, 1):.2f} %"
    return (
        f"| {way} | {name} | {one.candidates} | {functions} | {windows} | {names} | {jumps} "
        f"| {less} |"
    )


def _measure(name: str, way: Way, folder: Path) -> Counts:
    place, kept = folder / "work", folder / "kept"
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir()
    compiler = way.of()
    keeping = Compiler(
        compiler.name,
        _script(folder / "cc", compiler.cc, way.more, kept),
        _script(folder / "cxx", compiler.cxx, way.more, kept),
        compiler.environ,
    )
    build(PROJECTS[name], keeping, f"-O{way.level.value}", place, 1)
    counts = Counts()
    store = LocalStore(str(folder / "verdicts"), 1 << 30)
    shortener = Shortener(way.level, _assembled, "as", store)
    start = sum(os.times()[:4])
    for file in sorted(kept.glob("*.s")):
        try:
            counts.add(_of_file(shortener, file.read_bytes()))
        except EvaluationError:
            continue
    counts.seconds = round(sum(os.times()[:4]) - start, 1)
    shutil.rmtree(place)
    return counts


def _assembled(text: bytes) -> bytes:
    try:
        return assembled(text.decode(errors="surrogateescape"), os.environ)
    except GateError as error:
        raise EvaluationError(str(error)) from None


def _of_file(shortener: Shortener, text: bytes) -> Counts:
    """Of one assembly; nothing of what is not read."""
    made = shortener.shorten(text)
    if made.record.reason:
        return Counts()
    before, after = (ObjectFile(_assembled(one)) for one in (text, made.assembly or text))
    sizes = before.function_sizes()
    smaller = [one for one, size in after.function_sizes().items() if size < sizes[one]]
    names = [one for one in made.changes if one.by == RENAMED]
    jumps = [one for one in made.changes if one.by == RELAYED]
    windows = len(made.changes) - len(names) - len(jumps)
    return Counts(
        1,
        made.record.functions,
        made.record.tried,
        len({one.function for one in made.changes}),
        len(smaller),
        windows + made.record.unknown,
        windows,
        len(names),
        sum(one.saved for one in names),
        sum(one.saved for one in jumps),
        *(sum(one.size for one in made.sections if one.kind == "code") for made in (before, after)),
    )


def _script(path: Path, compiler: str, more: str, kept: Path) -> str:
    path.write_text(_KEEPING.format(compiler=compiler, more=more, folder=kept))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)
