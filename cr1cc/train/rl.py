"""Reinforcement learning (stage 2): the model learns from what its own recipes were measured to
save.

FOLDER/rl-NAME.pt      where the training stands (a run can be taken up again) and its best weights
FOLDER/rl-NAME.jsonl   the curves, a line a step: rewards, shares saved, divergence, seconds; at
                       times what conversations save on packages that are not learnt from

Begins with the best weights of the supervised stage, or with random ones. The modules and the
random numbers of a step follow from its number, so an interrupted run sees what an
uninterrupted one sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from cr1cc.errors import UserError
from cr1cc.train import reinforced, simulate
from cr1cc.train.algorithm import Algorithm
from cr1cc.train.gguf_file import Shape
from cr1cc.train.grpo import Grpo
from cr1cc.train.lessons import VIEWS, learnt
from cr1cc.train.network import Network
from cr1cc.train.ppo import Ppo
from cr1cc.train.pytorch import torch
from cr1cc.train.reinforce import Reinforce
from cr1cc.train.rollout import Batch, Reward, collect
from cr1cc.train.sft import SHAPE, VALIDATION, best
from cr1cc.train.tasks import Task
from cr1cc.train.trajectories import Lesson, split

ALGORITHMS: dict[str, Callable[[Shape], Algorithm]] = {
    "grpo": lambda shape: Grpo(),
    "ppo": lambda shape: Ppo(shape.width),
    "reinforce": lambda shape: Reinforce(),
}
_LARGEST = 4_000  # instructions of a module before optimisation: a step must not wait for one


@dataclass(frozen=True)
class Plan:
    """How to train. A step draws `group` answers for each of `batch` modules and learns from
    them `epochs` times."""

    algorithm: str = "grpo"
    turns: int = 7  # measurements of a conversation; 0: an answer is one recipe
    steps: int = 200
    batch: int = 16
    group: int = 8
    epochs: int = 2
    rate: float = 2e-4
    every: int = 10  # steps between two checkpoints
    seed: int = 1
    scratch: bool = False  # begin with random weights
    jobs: int = 2
    reward: Reward = field(default=Reward())
    shape: Shape = field(default=SHAPE)  # with random weights

    @property
    def name(self) -> str:
        """Of the run: the algorithm, and what is not as usual."""
        unusual = {
            "shot": not self.turns,
            "scratch": self.scratch,
            f"alpha{self.reward.alpha:g}": self.reward.alpha != Reward().alpha,
        }
        return "-".join([self.algorithm, *(word for word, is_so in unusual.items() if is_so)])


def train(
    folder: Path, task: Task, plan: Plan,
    note: Callable[[Iterable[int], str, int], Iterable[int]],
) -> dict[str, float]:  # fmt: skip
    """Train to the end of the plan; the means over the last steps. `note` shows progress.

    Raises UserError if there are no labels, no weights to begin with, or the checkpoint is of
    another plan.
    """
    learning, others = split(learnt(folder, VIEWS[0]), VALIDATION)
    small = [lesson for lesson in learning if _fits(lesson, plan.turns)]
    if not small:
        raise UserError(f"{folder}: no label is of a module that is small enough and known enough")
    with ProcessPoolExecutor(plan.jobs) as pool:
        course = _Course(folder, task, plan, small, others, pool)
        algorithm = ALGORITHMS[plan.algorithm]
        return reinforced.train(
            folder, plan, lambda: _beginning(folder, plan), algorithm, course, note
        )


def _beginning(folder: Path, plan: Plan) -> Network:
    return Network(plan.shape) if plan.scratch else best(folder)[0]


def _fits(lesson: Lesson, turns: int) -> bool:
    return len(lesson.named) > turns if turns else lesson.request.info.ic <= _LARGEST


def trained(folder: Path, name: str) -> tuple[Network, dict[str, Any]]:
    """The best weights of a run, and what is known of it. Raises UserError."""
    return reinforced.trained(folder, name, "cr1 train rl")


@dataclass(frozen=True)
class _Course:
    """Modules whose recipes are measured, scored by conversations about others."""

    folder: Path
    task: Task
    plan: Plan
    learning: Sequence[Lesson]
    others: Sequence[Lesson]
    pool: Executor

    def collect(self, network: Network, rng: Random, generator: torch.Generator) -> Batch:
        plan = self.plan
        chosen = rng.choices(self.learning, k=plan.batch)
        return collect(
            network, self.task, self.folder, chosen, plan.group, plan.turns, plan.reward,
            self.pool, generator,
        )  # fmt: skip

    def look(self, network: Network) -> tuple[float, dict[str, list[float]]]:
        """What conversations save on other packages now."""
        found = simulate.by_metric(network, self.others)
        return sum(map(sum, found.values())), found
