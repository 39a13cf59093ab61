"""The functions of the corpus, each as a module of its own.

FOLDER/KIND-functions/NAME/*.bc   named by fingerprint, so equal functions are there once
FOLDER/KIND-functions/NAME.done   all modules of the package are done
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from cr1cc.ir.extract import functions_alone
from cr1cc.ir.fingerprint import function_fingerprints
from cr1cc.ir.walk import instruction_count
from cr1cc.llvm.library import Library
from cr1cc.llvm.module import Module
from cr1cc.llvm.passes import PassRunner
from cr1cc.llvm.target import TargetMachine, TargetSpec
from cr1cc.train.corpus import FUNCTIONS, KINDS
from cr1cc.train.tasks import Task

_SMALLEST = 16  # instructions before optimisation: what is smaller leaves nothing to choose
_MODULES = 50  # a process takes so many, for libLLVM keeps what it has read

Note = Callable[[Iterable[Any], str, int], Iterable[Any]]


def split(task: Task, folder: Path, jobs: int, note: Note) -> None:
    """Take apart what is not yet. `note` shows progress."""
    for kind in KINDS:
        place = folder / (kind + FUNCTIONS)
        todo = [
            path
            for path in sorted((folder / kind).iterdir())
            if path.is_dir() and not (place / f"{path.name}.done").exists()
        ]
        for package in note(todo, f"functions ({kind})", len(todo)):
            _split_package(task, package, place / package.name, jobs)


def _split_package(task: Task, package: Path, place: Path, jobs: int) -> None:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    modules = sorted(package.glob("*.bc"))
    parts = [modules[i : i + _MODULES] for i in range(0, len(modules), _MODULES)]
    for part in _batches(parts, jobs):
        with ProcessPoolExecutor(len(part), mp_context=get_context("fork")) as pool:
            for done in [pool.submit(_split_modules, task, some, place) for some in part]:
                done.result()
    (place.parent / f"{place.name}.done").touch()


def _batches(parts: Sequence[list[Path]], size: int) -> Iterator[Sequence[list[Path]]]:
    return (parts[i : i + size] for i in range(0, len(parts), size))


def _split_modules(task: Task, modules: Sequence[Path], place: Path) -> None:
    library = Library(task.library)
    for path in modules:
        with Module.parse_bitcode(library, path.read_bytes()) as module:
            passes = PassRunner(library, TargetMachine(library, module, TargetSpec()))
            prints = function_fingerprints(module)
            for name, alone in functions_alone(module, passes):
                if instruction_count(alone) >= _SMALLEST and not alone.invalid():
                    (place / f"{prints[name]}.bc").write_bytes(alone.bitcode())
                alone.close()
