"""Long work on many modules: in parallel, with a log that lets it be taken up again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import astuple, dataclass
from pathlib import Path
from random import Random
from typing import Any

from cr1cc.errors import EvaluationError, ToolchainError
from cr1cc.evaluate.evaluator import Evaluator
from cr1cc.evaluate.worker import Subject
from cr1cc.llvm.library import Library
from cr1cc.llvm.triple import target_name
from cr1cc.passes.macros import attributes_only, macros_for
from cr1cc.passes.recipe import holds
from cr1cc.records import Level, Metric, Recipe, Toolchain
from cr1cc.train.corpus import Sample

Row = dict[str, Any]
Work = tuple[Any, ...]  # a function and its arguments: task, sample, ...


@dataclass(frozen=True)
class Task:
    """What a worker process needs besides the module."""

    library: str
    major: int
    target: str

    @staticmethod
    def of(toolchain: Toolchain) -> Task:
        """Raises ToolchainError if the compiler cannot be measured with."""
        target = target_name(toolchain.default_triple)
        if toolchain.libllvm is None or target is None:
            raise ToolchainError(f"{toolchain.driver}: {toolchain.libllvm_problem or 'no target'}")
        return Task(toolchain.libllvm, toolchain.major, target)

    def evaluator(self, sample: Sample, metric: Metric = Metric.BYTES) -> Evaluator:
        """Of a module that the metric is counted of. Those whose instructions are counted have
        no size attributes, and new versions have no other way to ask for size."""
        minsize = metric is Metric.INSTRUCTIONS and attributes_only(self.major)
        macros = macros_for(self.major, Level.OZ)
        subject = Subject(sample.path.read_bytes(), macros, minsize=minsize)
        return Evaluator(Library(self.library), subject)

    def holds(self, recipe: Recipe) -> bool:
        return holds(recipe, self.major, self.target)


def spread(corpus: Sequence[Sample], rng: Random) -> list[Sample]:
    """Shuffled, one package after the other in turn, so that a prefix has them all."""
    by_package: dict[str, list[Sample]] = {}
    for sample in corpus:
        by_package.setdefault(sample.package, []).append(sample)
    for group in by_package.values():
        rng.shuffle(group)
    groups = [by_package[name] for name in sorted(by_package)]
    longest = max(map(len, groups), default=0)
    return [group[i] for i in range(longest) for group in groups if i < len(group)]


def logged(log: Path, work: Sequence[Work], jobs: int) -> Iterator[Row]:
    """Do what is not in the log yet, in parallel; yields rows in the order of `work`."""
    known: dict[str, Row] = {}
    torn = False
    if log.exists():
        text = log.read_text()
        torn = bool(text) and not text.endswith("\n")
        for line in text.splitlines():
            try:
                entry = json.loads(line)
                known[entry["key"]] = entry["row"]
            except (ValueError, KeyError, TypeError):
                continue  # the line that an interruption tore
    keys = [repr((astuple(item[1]), item[2].name, *item[3:])) for item in work]
    with ProcessPoolExecutor(jobs) as pool, log.open("a") as file:
        if torn:
            file.write("\n")
        futures = {
            key: pool.submit(_guarded, *item)
            for key, item in zip(keys, work, strict=True)
            if key not in known
        }
        for key in keys:
            if key not in known:
                known[key] = futures[key].result()
                file.write(json.dumps({"key": key, "row": known[key]}) + "\n")
                file.flush()
            yield known[key]


def _guarded(function: Callable[..., Row], *arguments: object) -> Row:
    try:
        return function(*arguments)
    except EvaluationError:
        return {}  # a module that cannot be measured tells nothing
