"""What both settings share: the task, and how an answer becomes a record."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from cr1cc.bench.contenders import Contender
from cr1cc.bench.results import Result, share
from cr1cc.errors import EvaluationError
from cr1cc.evaluate.evaluator import Evaluator
from cr1cc.evaluate.worker import Subject
from cr1cc.llvm.library import Library
from cr1cc.llvm.triple import target_name
from cr1cc.passes.recipe import format_recipe, holds
from cr1cc.records import ModuleInfo, Recipe, Score, Toolchain


@dataclass(frozen=True)
class Task:
    """What holds for all modules. `flags` are given to the compiler with every C file."""

    toolchain: Toolchain
    flags: tuple[str, ...] = ()

    def evaluator(self, subject: Subject) -> Evaluator:
        assert self.toolchain.libllvm
        return Evaluator(Library(self.toolchain.libllvm), subject)


@dataclass(frozen=True)
class Answer:
    """What a proposer came to: the recipe, the evaluations it took, what the recipe gives."""

    recipe: Recipe
    candidates: int
    ic: int
    bytes: int


def result(
    task: Task, path: str, contender: Contender, info: ModuleInfo, baseline: tuple[int, int],
    answer: Answer, seconds: float,
) -> Result:  # fmt: skip
    """The record of an answer; `baseline` are instructions and bytes."""
    ic, size = baseline
    protocol = contender.proposer.protocol
    vetted = holds(answer.recipe, task.toolchain.major, target_name(info.triple) or "")
    return Result(
        path, contender.name, answer.candidates, info.ic, ic, answer.ic,
        share(ic, answer.ic), share(info.ic, answer.ic), size, answer.bytes,
        vetted and not protocol.failed,
        round(seconds, 3), round(contender.proposer.thinking, 4), format_recipe(answer.recipe),
        **asdict(protocol),
    )  # fmt: skip


def score_of(evaluator: Evaluator, recipe: Recipe) -> Score:
    """What a recipe makes of the module. Raises EvaluationError if that is nothing."""
    found = evaluator.measure([recipe])[0]
    if not isinstance(found, Score):
        raise EvaluationError(f"the module {found.value}")
    return found
