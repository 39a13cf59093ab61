"""Reinforcement learning of the model of assembly (stage 2): GRPO, by two rewards.

FOLDER/rl-asm-REWARD.pt, FOLDER/rl-asm-REWARD.jsonl   see `cr1cc/train/reinforced.py`
FOLDER/verdicts.jsonl                                 what was judged, by any run

Begins with the best weights of the supervised stage. The weights are kept by which the best of some
answers saves most on windows that are not learnt from.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from cr1cc.assembly.appraisal import Appraiser
from cr1cc.train import reinforced
from cr1cc.train.asm import sft
from cr1cc.train.asm.lessons import Lesson, drawn, learnt
from cr1cc.train.asm.rollout import REWARDS, answers, asked, collect
from cr1cc.train.grpo import Grpo
from cr1cc.train.network import Network
from cr1cc.train.pytorch import torch
from cr1cc.train.rollout import Batch

VERDICTS = "verdicts.jsonl"
_LOOKED_AT = 64  # windows


@dataclass(frozen=True)
class Plan:
    """How to train. A step draws `group` answers for each of `batch` windows and learns from
    them `epochs` times."""

    reward: str = "correct"
    steps: int = 300
    batch: int = 16
    group: int = 8
    epochs: int = 2
    rate: float = 1e-4
    every: int = 20  # steps between two checkpoints
    seed: int = 1

    @property
    def name(self) -> str:
        return f"asm-{self.reward}"


def train(folder: Path, plan: Plan, note: reinforced.Note) -> dict[str, float]:
    """Train to the end of the plan; the means over the last steps. Raises UserError if there are
    no labels, no weights to begin with, or the checkpoint is of another plan, ProofError without
    the extra `prove`."""
    learning, checked = learnt(folder)
    chosen = drawn(checked or learning, _LOOKED_AT, Random(plan.seed))
    course = _Course(plan, learning, chosen, Appraiser(os.environ, folder / VERDICTS))
    return reinforced.train(
        folder, plan, lambda: sft.best(folder)[0], lambda _: Grpo(), course, note
    )


def trained(folder: Path, name: str, *, last: bool = False) -> tuple[Network, dict[str, Any]]:
    """The best weights of a run or its last ones, and what is known of it. Raises UserError."""
    return reinforced.trained(folder, name, "cr1 train asm rl", last=last)


@dataclass(frozen=True)
class _Course:
    plan: Plan
    learning: Sequence[Lesson]
    checked: Sequence[Lesson]
    appraiser: Appraiser

    def collect(self, network: Network, rng: Random, generator: torch.Generator) -> Batch:
        plan = self.plan
        chosen = drawn(self.learning, plan.batch, rng)
        return collect(network, chosen, plan.group, self.appraiser, REWARDS[plan.reward], generator)

    def look(self, network: Network) -> tuple[float, dict[str, float]]:
        """What the best of a group saves, how many of all are proved, and proved and better."""
        generator = torch.Generator().manual_seed(self.plan.seed)
        found, _ = answers(network, self.checked, self.plan.group, generator)
        saved, proved, better = 0.0, 0, 0
        for lesson, some in zip(self.checked, found, strict=True):
            judged = self.appraiser.appraise([asked(lesson, one.tokens[1:]) for one in some])
            shares = [one.saved(lesson.goal) for one in judged]
            saved += max(0.0, *shares)
            proved += sum(one.proved for one in judged)
            better += sum(share > 0 for share in shares)
        count = len(self.checked) * self.plan.group
        mean = saved / len(self.checked)
        return mean, {"saved": mean, "proved": proved / count, "better": better / count}
