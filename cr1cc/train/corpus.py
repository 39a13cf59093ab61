"""The corpus: modules of open packages and of generated programs, as bitcode on disk.

FOLDER/packages/NAME/*.bc   one file per module as -Oz gives it to the optimiser, equal ones once
FOLDER/paper/NAME/*.bc      the same modules as -O0 leaves them, for the setting of the literature
FOLDER/paper/NAME.done      the package is complete (a run can be taken up again)

`functions.py` takes these modules apart, `duplicates.py` finds what is held out as well.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cr1cc.errors import UserError
from cr1cc.records import Metric
from cr1cc.train.apt import PrivateApt
from cr1cc.train.capture import UNOPTIMISED
from cr1cc.train.packages import HELD_OUT, Package

KINDS = ("packages", "paper")  # what is kept of every module; the second one is made last
KIND = dict(zip(Metric, KINDS, strict=True))  # what the metric is counted of
FUNCTIONS = "-functions"  # behind a kind: its functions, each as a module of its own
_BUILD_SECONDS = 600
_PROBE = "conftest."  # in the names of Autoconf's test programs
_CSMITH = "csmith"
_CSMITH_OPTIONS = ("--max-funcs", "6", "--max-block-depth", "3", "--no-volatiles")


@dataclass(frozen=True)
class Sample:
    """One module of the corpus. Splits are made by package, never by file."""

    package: str
    path: Path

    @property
    def name(self) -> str:
        return f"{self.package}/{self.path.name}"


def collect(
    folder: Path, packages: Sequence[Package], clang: str, programs: int, jobs: int
) -> Iterator[str]:
    """Build what is still missing; yields one line for each part as it is done.

    Packages are built side by side, for a good part of a build is a script that waits for one
    compile after the other.
    """
    for kind in KINDS:
        (folder / kind).mkdir(parents=True, exist_ok=True)
    apt = PrivateApt(folder / "apt")
    missing = [p for p in packages if not _done(folder, p.name).exists()]
    with ThreadPoolExecutor(jobs) as pool:
        builds = [pool.submit(_collect_package, p, folder, apt, clang) for p in missing]
        try:
            for build in as_completed(builds):
                yield build.result()
        finally:
            pool.shutdown(cancel_futures=True)
    if programs and not _done(folder, _CSMITH).exists():
        yield _collect_programs(folder, clang, programs)


def samples(folder: Path, kind: str = KINDS[0], *, held_out: bool = False) -> list[Sample]:
    """The modules of a kind to learn from, or those that are held out, sorted by package and
    name. A file that several packages have counts once, and never as one to learn from if one
    of them is held out; nor do near duplicates (`duplicates.py`). Raises UserError if there are
    none."""
    held = {package.name for package in HELD_OUT}
    near = near_duplicates(folder, kind)
    found = [
        sample
        for sample in modules_of(folder, kind)
        if (sample.package in held) == held_out and sample.name not in near
    ]
    if not found:
        raise UserError(f"{folder}: no corpus; `cr1 train corpus` makes one")
    return found


def modules_of(folder: Path, kind: str) -> list[Sample]:
    """All modules of a kind, sorted; a file that several packages have is of one that is held
    out if there is one."""
    held = {package.name for package in HELD_OUT}
    paths = sorted((folder / kind).glob("*/*.bc"), key=lambda p: (p.parent.name not in held, p))
    once = {path.name: path for path in reversed(paths)}
    return [Sample(path.parent.name, path) for path in sorted(once.values())]


def near_file(folder: Path, kind: str) -> Path:
    """Where the near duplicates of what is held out are listed."""
    return folder / f"{kind}.near"


def near_duplicates(folder: Path, kind: str) -> frozenset[str]:
    """Names of samples, as far as the list is there."""
    path = near_file(folder, kind)
    return frozenset(path.read_text().splitlines()) if path.exists() else frozenset()


def _done(folder: Path, name: str) -> Path:
    return folder / KINDS[-1] / f"{name}.done"


def _collect_package(package: Package, folder: Path, apt: PrivateApt, clang: str) -> str:
    try:
        with unpacked(package, apt) as (tree, note):
            count = _capture(package, tree, folder, clang)
    except UserError as error:
        return f"{package.name}: left out: {error}"
    if not count:
        return f"{package.name}: left out: nothing of it could be built"
    _done(folder, package.name).touch()
    return f"{package.name}: {count} modules{note}"


@contextmanager
def unpacked(package: Package, apt: PrivateApt) -> Iterator[tuple[Path, str]]:
    """The package's source tree while the context lasts, and a note if it is of another
    version than the table says. Raises UserError if it cannot be fetched."""
    with tempfile.TemporaryDirectory(prefix="cr1-corpus-") as scratch:
        archive = apt.download(package.name, Path(scratch))
        other = package.version not in archive.name
        yield (
            _unpack(archive, Path(scratch)),
            f" ({archive.name} instead of {package.version})" if other else "",
        )


def build(
    package: Package, tree: Path, compilers: Mapping[str, Sequence[str]],
    environ: Mapping[str, str], clang: str,
) -> None:  # fmt: skip
    """Run the package's commands with `compilers` as CC and CXX; what configure scripts
    compile to try the compiler, which is most of a small build, goes to `clang`. Targets may
    fail."""
    plain = {"CC": clang, "CXX": in_cxx(clang)}
    source = str(Path(__file__).resolve().parents[2])
    everything = {**environ, "PYTHONPATH": source, "LC_ALL": "C"}
    for variable, words in compilers.items():
        script = tree / f"cr1-{variable.lower()}"
        script.write_text(
            f'#!/bin/sh\ncase "$*" in *{_PROBE}*) exec {plain[variable]} "$@";; esac\n'
            f'exec {shlex.join(words)} "$@"\n'
        )
        script.chmod(0o755)
        everything[variable] = str(script)
    for command in package.commands:
        try:
            subprocess.run(
                command, shell=True, cwd=tree, env=everything, timeout=_BUILD_SECONDS, check=False,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            break  # what was compiled until now counts


def in_cxx(clang: str) -> str:
    """The path of the same compiler for C++: /usr/bin/clang-19 gives /usr/bin/clang++-19."""
    path = Path(clang)
    return str(path.with_name(path.name.replace("clang", "clang++", 1)))


def _unpack(archive: Path, scratch: Path) -> Path:
    tree = scratch / "tree"
    with tarfile.open(archive) as file:
        file.extractall(tree, filter="data")
    inner = list(tree.iterdir())
    return inner[0] if len(inner) == 1 else tree


def _capture(package: Package, tree: Path, folder: Path, clang: str) -> int:
    staging = folder / f".{package.name}"
    shutil.rmtree(staging, ignore_errors=True)
    for kind in KINDS:
        (staging / kind).mkdir(parents=True)
    capture = [sys.executable, "-m", "cr1cc.train.capture"]
    places = [str(staging), str(tree.parent)]
    compilers = {"CC": clang, "CXX": in_cxx(clang)}
    commands = {name: [*capture, driver, *places] for name, driver in compilers.items()}
    build(package, tree, commands, os.environ, clang)
    for kind in KINDS:
        place = folder / kind / package.name
        shutil.rmtree(place, ignore_errors=True)
        (staging / kind).rename(place)
    staging.rmdir()
    return len(list((folder / KINDS[0] / package.name).glob("*.bc")))


def _collect_programs(folder: Path, clang: str, programs: int) -> str:
    if shutil.which(_CSMITH) is None:
        return "csmith: left out: it is not installed"
    levels = dict(zip(KINDS, (("-Oz",), UNOPTIMISED), strict=True))
    for kind in KINDS:
        (folder / kind / _CSMITH).mkdir(exist_ok=True)
    for seed in range(1, programs + 1):
        text = subprocess.run(
            [_CSMITH, "--seed", str(seed), *_CSMITH_OPTIONS], capture_output=True, check=True
        ).stdout
        for kind, level in levels.items():
            output = folder / kind / _CSMITH / f"seed-{seed:04}.bc"
            subprocess.run(
                [clang, *level, "-w", "-I/usr/include/csmith", "-x", "c", "-", "-c", "-emit-llvm",
                 "-Xclang", "-disable-llvm-passes", "-o", str(output)],
                input=text, check=True,
            )  # fmt: skip
    _done(folder, _CSMITH).touch()
    return f"csmith: {programs} modules"
