"""Build a project with a compiler, list the objects it left, run its own test."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cr1cc.util.elf import NotElfError
from cr1cc.util.elf import ObjectFile as Elf
from tests.projects.errors import BuildError
from tests.projects.fetch import fetch, unpack
from tests.projects.table import PROJECTS, Project

SCRIPTS = Path(__file__).parent / "scripts"
_ENDINGS = (".o", ".lo", ".obj", ".os")  # zlib's .lo are objects, libtool's are not
_ET_REL = 1
_STEP_SECONDS = 3000
_TEST_SECONDS = 900

OF_MAKE = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")  # what make leaves for makes
# What a calling make or a user's shell may have set, and would change the build.
_UNSET = (*OF_MAKE, "CPPFLAGS", "LDFLAGS", "LIBS")


@dataclass(frozen=True)
class Compiler:
    """A C and a C++ compiler under a name for people; `environ` is set for both."""

    name: str
    cc: str
    cxx: str
    environ: Mapping[str, str]


@dataclass(frozen=True)
class ObjectFile:
    """One object of a build. `loadable`: bytes of allocated sections that are not NOBITS."""

    path: str  # relative to the source tree
    loadable: int
    sha256: str


@dataclass(frozen=True)
class Build:
    """A finished build. Seconds are wall time; those of `build` leave out `configure`."""

    project: Project
    tree: Path
    seconds: float
    configure_seconds: float
    objects: tuple[ObjectFile, ...]
    environ: Mapping[str, str]

    @property
    def loadable(self) -> int:
        return sum(item.loadable for item in self.objects)


@dataclass(frozen=True)
class CheckResult:
    """What the project's own test said, and what its programs computed."""

    passed: bool
    seconds: float
    outputs: str
    detail: str = ""


@dataclass(frozen=True)
class Comparison:
    """The objects of two builds of one project, matched by relative path."""

    pairs: tuple[tuple[ObjectFile, ObjectFile], ...]  # (plain, ours), by path
    only_plain: tuple[str, ...]
    only_ours: tuple[str, ...]

    @property
    def larger(self) -> tuple[str, ...]:
        return tuple(plain.path for plain, ours in self.pairs if ours.loadable > plain.loadable)

    @property
    def reductions(self) -> tuple[float, ...]:
        """Share of its loadable bytes that each object lost; objects of no bytes left out."""
        return tuple(
            1 - ours.loadable / plain.loadable for plain, ours in self.pairs if plain.loadable
        )


def build(
    project: Project,
    compiler: Compiler,
    cflags: str,
    directory: Path,
    jobs: int,
    sources: Path | None = None,
) -> Build:
    """Unpack and build afresh in `directory`, which is emptied before.

    Two builds whose bytes are compared must use the same directory one after the
    other: source paths get into objects. `sources` is the folder that `fetch` keeps
    archives in, None for the usual one. Raises FetchError and BuildError.
    """
    shutil.rmtree(directory, ignore_errors=True)
    environ = _environ(compiler, cflags, jobs)
    for name in project.uses:
        used = build(PROJECTS[name], compiler, cflags, directory / name, jobs, sources)
        environ[name.upper()] = str(used.tree)
    tree = unpack(fetch(project, sources), directory / project.name)
    log = directory / "build.log"
    configured = _step(project, "configure", project.configure, tree, environ, log)
    built = _step(project, "build", project.build, tree, environ, log)
    objects = objects_under(tree)
    if not objects:
        raise BuildError(f"{project.name}: the build left no object")
    return Build(project, tree, built, configured, objects, environ)


def check(project: Project, built: Build) -> CheckResult:
    """Run the project's own test on what was built, then its programs on fixed inputs."""
    started = time.monotonic()
    status, text = _shell(project.test, built.tree, built.environ, _TEST_SECONDS)
    seconds = time.monotonic() - started
    if status != 0 or not re.search(project.passed, text):
        return CheckResult(False, seconds, "", f"status {status}: {_tail(text)}")
    status, outputs = _shell(project.outputs, built.tree, built.environ, _TEST_SECONDS)
    detail = "" if status == 0 else f"outputs: status {status}: {_tail(outputs)}"
    return CheckResult(status == 0, seconds, outputs, detail)


def compare(plain: Build, ours: Build) -> Comparison:
    """Match the objects of two builds by their paths."""
    before = {item.path: item for item in plain.objects}
    after = {item.path: item for item in ours.objects}
    return Comparison(
        tuple((before[path], after[path]) for path in sorted(before.keys() & after.keys())),
        tuple(sorted(before.keys() - after.keys())),
        tuple(sorted(after.keys() - before.keys())),
    )


def objects_under(tree: Path) -> tuple[ObjectFile, ...]:
    """Every relocatable ELF file with an object's name, those of libtool's too."""
    found = []
    for path in sorted(tree.rglob("*")):
        relative = path.relative_to(tree).as_posix()
        # CMake's probes of the compiler are not the project's.
        probe = "CMakeScratch" in relative or "CompilerId" in relative or "CMakeTmp" in relative
        if path.suffix in _ENDINGS and path.is_file() and not path.is_symlink() and not probe:
            item = _measure(relative, path.read_bytes())
            if item:
                found.append(item)
    return tuple(found)


def _measure(path: str, data: bytes) -> ObjectFile | None:
    try:
        elf = Elf(data)
    except NotElfError:
        return None
    order = "little" if data[5] == 1 else "big"
    if int.from_bytes(data[16:18], order) != _ET_REL:  # type: ignore[arg-type]
        return None
    return ObjectFile(path, elf.loadable_bytes(), hashlib.sha256(data).hexdigest())


def _environ(compiler: Compiler, cflags: str, jobs: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _UNSET}
    return {
        **kept, **compiler.environ,
        "CC": compiler.cc, "CXX": compiler.cxx, "CFLAGS": cflags, "CXXFLAGS": cflags,
        "JOBS": str(jobs), "PYTHON": sys.executable, "SCRIPTS": str(SCRIPTS), "LC_ALL": "C",
        # Some projects put an installed ccache in front of whatever compiler they are given:
        # then neither compiler would run a second time.
        "CCACHE_DISABLE": "1",
    }  # fmt: skip


def _step(
    project: Project, name: str, command: str, tree: Path, environ: Mapping[str, str], log: Path
) -> float:
    started = time.monotonic()
    status, text = _shell(command, tree, environ, _STEP_SECONDS)
    seconds = time.monotonic() - started
    with log.open("a") as file:
        file.write(f"== {name}\n{text}")
    if status != 0:
        raise BuildError(f"{project.name}: {name} ended with status {status}: {_tail(text)}")
    return seconds


def _shell(command: str, tree: Path, environ: Mapping[str, str], seconds: float) -> tuple[int, str]:
    """Run `sh -eu` on `command`; (status, everything it printed). Leaves no process behind."""
    if not command:
        return 0, ""
    with subprocess.Popen(
        ["sh", "-eu", "-c", command], cwd=tree, env=dict(environ), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            _kill(process)
            output, _ = process.communicate()
            output += f"\nstopped after {seconds:.0f} s\n".encode()
        except BaseException:
            _kill(process)
            raise
    # A project's programs print progress with carriage returns.
    return process.returncode, output.decode("utf-8", "replace").replace("\r", "\n")


def _kill(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _tail(text: str, lines: int = 12) -> str:
    return "\n".join([line for line in text.splitlines() if line.strip()][-lines:])


def with_environ(compiler: Compiler, **settings: str) -> Compiler:
    """The same compiler with more settings in its environment."""
    return replace(compiler, environ={**compiler.environ, **settings})
