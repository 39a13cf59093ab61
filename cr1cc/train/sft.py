"""Supervised training: the model learns to say what the labels say (stage 1).

FOLDER/NAME.pt      where the training stands (a run can be taken up again) and its best weights
FOLDER/NAME.jsonl   the curves: step, loss on what is learnt, loss on other packages, and what
                    conversations save there, played against the labels (`simulate.py`)

NAME is sft, sft-opcodes with that view of the modules (`lessons.py`), sft-200 if only so many
lessons are learnt from.

Every step's examples are drawn anew from the labels by a generator seeded with the step, so a
run that was interrupted sees what an uninterrupted one sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from cr1cc.model.vocabulary import FIRST_NAME, TOKENS
from cr1cc.train import simulate, supervised
from cr1cc.train.gguf_file import Shape
from cr1cc.train.lessons import VIEWS, learnt
from cr1cc.train.network import Network
from cr1cc.train.packing import Packed, pack
from cr1cc.train.pytorch import Tensor, functional
from cr1cc.train.trajectories import Example, Lesson, example, split

SHAPE = Shape(vocabulary=len(TOKENS), width=128, layers=4, heads=4, hidden=384, context=1024)

_ADDED = 40.0  # weight of the share of the baseline that a choice adds

# Packages of the corpus that only say when to stop: the weights that are best on them are kept.
# They have no code in common with others, as those that include Gnulib have.
VALIDATION = (
    "cmocka", "dosfstools", "gdbm", "jansson", "jbigkit", "lcms2", "leveldb", "lhasa", "libexif",
    "libyaml", "mawk", "mujs", "nlopt", "popt", "speex", "uchardet", "units",
)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """How to train. A module in a batch is told in `branches` ways."""

    steps: int = 2000
    batch: int = 16
    branches: int = 4
    rate: float = 2e-3
    warmup: int = 100
    decay: float = 0.1
    every: int = 100  # steps between two looks at the other packages
    seed: int = 1
    view: str = VIEWS[0]
    lessons: int = 0  # learn from so many, drawn with the seed; 0: from all
    shape: Shape = field(default=SHAPE)

    @property
    def name(self) -> str:
        words = ["sft", *([self.view] if self.view != VIEWS[0] else [])]
        return "-".join(words + ([str(self.lessons)] if self.lessons else []))


def train(folder: Path, plan: Plan, note: supervised.Note) -> dict[str, float]:
    """Train to the end of the plan; the best figures. `note` shows progress.

    Raises UserError if there are no labels or the checkpoint is of another plan.
    """
    learning, others = split(learnt(folder, plan.view), VALIDATION)
    if plan.lessons:
        learning = Random(plan.seed).sample(learning, min(plan.lessons, len(learning)))
    return supervised.train(folder, plan, _Course(plan, learning, others), note)


def best(folder: Path, name: str = "sft") -> tuple[Network, dict[str, Any]]:
    """The best weights of a training and what is known of it. Raises UserError."""
    return supervised.best(folder / f"{name}.pt", "cr1 train sft")


class _Course:
    """What the labels of some packages say, scored by conversations about the others."""

    def __init__(self, plan: Plan, learning: Sequence[Lesson], others: Sequence[Lesson]) -> None:
        self._plan, self._learning, self._others = plan, learning, others
        self._check = [pack(batch) for batch in _checks(others or learning, plan)]

    def loss(self, network: Network, step: int, device: str) -> Tensor:
        rng = Random(f"{self._plan.seed} {step}")
        chosen = rng.choices(self._learning, k=self._plan.batch)
        told = [example(lesson, self._plan.branches, rng) for lesson in chosen]
        return _loss(network, pack(told).to(device))

    def look(self, network: Network, device: str) -> supervised.Look:
        losses = [float(_loss(network, batch.to(device))) for batch in self._check]
        saved = simulate.by_metric(network, self._others)
        score = sum(map(sum, saved.values())) if saved else None
        return supervised.Look(sum(losses) / len(losses), score, {"saved": saved})


def _loss(network: Network, batch: Packed) -> Tensor:
    """Mean over what is learnt of minus the logarithm of its probability; less the mean over
    choices among names of what the one that is drawn is expected to add."""
    logits = network(batch.tokens, batch.positions, batch.seen)
    loss = functional.cross_entropy(logits[batch.learnt], batch.targets[batch.learnt])
    if not len(batch.chosen):
        return loss
    chances = logits[batch.chosen[:, 0], batch.chosen[:, 1]].softmax(-1)[:, FIRST_NAME:]
    return loss - _ADDED * (chances * batch.adds).sum(-1).mean()


def _checks(others: Sequence[Lesson], plan: Plan) -> list[list[Example]]:
    told = [example(lesson, plan.branches, Random(i)) for i, lesson in enumerate(others)]
    return [told[i : i + plan.batch] for i in range(0, len(told), plan.batch)]
