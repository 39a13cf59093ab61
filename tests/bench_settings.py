"""`python -m tests.bench_settings`: what settings cost and give, compile by compile.

    python -m tests.bench_settings --compiler clang --project lua rewrite=off rewrite=gcc

A project is built once by the plain compiler, whose compiles are written down. Each of them is
done again by the plain compiler and then with each list of settings (`key=value,key=value`), once
with an empty cache of its own and once more, one source after the other, so that what else the
machine does is spread over all of them. Processor time is of all processes, because none stays
resident (`daemon = false`). Prints a table.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from cr1cc.errors import ToolchainError
from cr1cc.util.elf import NotElfError, ObjectFile
from tests.projects import compilers
from tests.projects.build import Compiler, build
from tests.projects.errors import BuildError, FetchError
from tests.projects.table import PROJECTS

# Writes down each command, as JSON, and runs it.
_RECORDING = """#!{python} -SI
import json, os, sys
with open({log!r}, "a") as log:
    log.write(json.dumps([{language!r}, os.getcwd(), sys.argv[1:]]) + "\\n")
os.execvp({words!r}[0], [*{words!r}, *sys.argv[1:]])
"""
_PROBE = ("conftest", "ztest", "CMakeFiles", "meson-private")
_KINDS = {
    "clang": (compilers.plain, compilers.ours),
    "gcc": (compilers.plain_gcc, compilers.ours_gcc),
}


class Compile(NamedTuple):
    """A compile of a project, without its output: the language is "cc" or "cxx"."""

    language: str
    cwd: str
    arguments: tuple[str, ...]


class Way(NamedTuple):
    """A compiler and the name of its row."""

    name: str
    compiler: Compiler


def main() -> int:
    words = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="bench_settings", description=__doc__, formatter_class=words
    )
    parser.add_argument("--compiler", choices=tuple(_KINDS), default="clang")
    parser.add_argument("--real", help="the real compiler (default: found by itself)")
    parser.add_argument("--level", default="-Oz")
    parser.add_argument("--project", choices=tuple(PROJECTS), default="lua")
    parser.add_argument("--sources", type=int, help="no more than the first ones")
    parser.add_argument("settings", nargs="*", default=["rewrite=off", "rewrite=gcc"])
    given = parser.parse_args()
    try:
        plain = _KINDS[given.compiler][0](given.real)
        with tempfile.TemporaryDirectory(prefix="cr1-settings-") as folder:
            place = Path(folder)
            compiles = _compiles(given.project, plain, given.level, place)[: given.sources]
            ways = [Way(one, _ours(given.compiler, plain, place / str(index), one))
                    for index, one in enumerate(given.settings)]  # fmt: skip
            totals = _measured(compiles, plain, ways, place / "out.o")
    except (BuildError, FetchError, ToolchainError, ValueError) as error:
        print(f"bench_settings: {error}", file=sys.stderr)
        return 1
    print(f"{len(compiles)} compiles of {given.project} {given.level}, {compilers.version(plain)}")
    print(*_table(ways, totals), sep="\n")
    return 0


def _compiles(project: str, plain: Compiler, level: str, place: Path) -> list[Compile]:
    """The compiles of a project's own build, the first of each that comes more than once."""
    log = place / "commands.jsonl"
    words = [_recording(place / name, name, command.split(), str(log))
             for name, command in (("cc", plain.cc), ("cxx", plain.cxx))]  # fmt: skip
    build(PROJECTS[project], Compiler(plain.name, *words, plain.environ), level, place / "tree", 1)
    found: dict[Compile, None] = {}
    for language, cwd, arguments in map(json.loads, log.read_text().splitlines()):
        if "-c" in arguments and not any(one in f"{cwd} {arguments}" for one in _PROBE):
            found[Compile(language, cwd, tuple(_without_output(arguments)))] = None
    return list(found)


def _recording(script: Path, language: str, words: list[str], log: str) -> str:
    script.write_text(
        _RECORDING.format(python=sys.executable, log=log, language=language, words=words)
    )
    script.chmod(0o755)
    return str(script)


def _without_output(arguments: list[str]) -> Iterator[str]:
    """The arguments but for the object and the dependency file."""
    words = iter(arguments)
    for word in words:
        if word in ("-o", "-MF", "-MT", "-MQ"):
            next(words, None)
        elif not word.startswith(("-MD", "-MMD", "-MP")):
            yield word


def _ours(family: str, plain: Compiler, place: Path, settings: str) -> Compiler:
    """Raises ValueError if settings are not written as `key=value`."""
    environ = {"CR1_DAEMON": "false"}
    for one in filter(None, settings.split(",")):
        key, is_one, value = one.partition("=")
        if not is_one:
            raise ValueError(f"{one}: a setting is written as key=value")
        environ[f"CR1_{key.upper()}"] = value
    place.mkdir()
    return _KINDS[family][1](plain, place, **environ)


def _measured(
    compiles: list[Compile], plain: Compiler, ways: list[Way], output: Path
) -> Counter[tuple[str, str]]:
    """By name of a way and "bytes", "cold" or "warm": bytes, and seconds of processor time."""
    totals: Counter[tuple[str, str]] = Counter()
    for one in compiles:
        rows = [("plain", "cold", plain)]
        rows += [(way.name, state, way.compiler) for way in ways for state in ("cold", "warm")]
        for name, state, compiler in rows:
            seconds, size = _compiled(one, compiler, output)
            totals[name, state] += seconds  # type: ignore[assignment]
            totals[name, "bytes"] += size if state == "cold" else 0
    return totals


def _compiled(one: Compile, compiler: Compiler, output: Path) -> tuple[float, int]:
    """Processor time and loadable bytes. Raises BuildError."""
    words = (compiler.cc if one.language == "cc" else compiler.cxx).split()
    output.unlink(missing_ok=True)
    before = _processor_time()
    done = subprocess.run(
        [*words, *one.arguments, "-o", str(output)],
        cwd=one.cwd, env={**os.environ, **compiler.environ}, capture_output=True,
    )  # fmt: skip
    seconds = _processor_time() - before
    try:
        return seconds, ObjectFile(output.read_bytes()).loadable_bytes()
    except (OSError, NotElfError):
        said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise BuildError(f"{' '.join(one.arguments)}: {said}") from None


def _processor_time() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _table(ways: list[Way], totals: Mapping[tuple[str, str], float]) -> Iterator[str]:
    before, seconds = totals["plain", "bytes"], totals["plain", "cold"]
    yield "| settings | bytes | less | processor time, nothing known | objects known |"
    yield "|---|---|---|---|---|"
    yield f"| plain | {before:.0f} | | {seconds:.1f} s | |"
    for name, _ in ways:
        after = totals[name, "bytes"]
        cold, warm = (totals[name, state] / seconds for state in ("cold", "warm"))
        yield (
            f"| {name} | {after:.0f} | {100 * (1 - after / before):.2f} % | {cold:.2f} times "
            f"| {warm:.2f} times |"
        )


if __name__ == "__main__":
    sys.exit(main())
