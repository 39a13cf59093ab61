"""Supervised training of the model of assembly on the labels (stage 1).

FOLDER/asm-sft.pt, FOLDER/asm-sft.jsonl   see `cr1cc/train/supervised.py`

A step's windows are drawn anew by a generator seeded with the step. The weights are kept that give
the labels of windows that are not learnt from the most probability.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from cr1cc.assembly.vocabulary import TOKENS
from cr1cc.train import supervised
from cr1cc.train.asm.lessons import Lesson, drawn, example, learnt
from cr1cc.train.gguf_file import Shape
from cr1cc.train.network import Network
from cr1cc.train.packing import Packed, pack
from cr1cc.train.pytorch import Tensor, functional

SHAPE = Shape(vocabulary=len(TOKENS), width=128, layers=4, heads=4, hidden=384, context=256)
NAME = "asm-sft"


@dataclass(frozen=True)
class Plan:
    """How to train."""

    steps: int = 2000
    batch: int = 64
    rate: float = 2e-3
    warmup: int = 100
    decay: float = 0.1
    every: int = 100  # steps between two looks at windows that are not learnt from
    seed: int = 1
    shape: Shape = field(default=SHAPE)
    name: str = NAME


def train(folder: Path, plan: Plan, note: supervised.Note) -> dict[str, float]:
    """Train to the end of the plan; the best figures. Raises UserError if there are no labels or
    the checkpoint is of another plan."""
    learning, checked = learnt(folder)
    return supervised.train(folder, plan, _Course(plan, learning, checked or learning), note)


def best(folder: Path, name: str = NAME) -> tuple[Network, dict[str, Any]]:
    """The best weights of a training and what is known of it. Raises UserError."""
    return supervised.best(folder / f"{name}.pt", "cr1 train asm sft")


class _Course:
    def __init__(self, plan: Plan, learning: Sequence[Lesson], checked: Sequence[Lesson]) -> None:
        self._plan, self._learning = plan, learning
        chosen = drawn(checked, min(len(checked), 8 * plan.batch), Random(plan.seed))
        self._check = [
            pack(list(map(example, chosen[at : at + plan.batch])))
            for at in range(0, len(chosen), plan.batch)
        ]

    def loss(self, network: Network, step: int, device: str) -> Tensor:
        chosen = drawn(self._learning, self._plan.batch, Random(f"{self._plan.seed} {step}"))
        return _loss(network, pack(list(map(example, chosen))).to(device))

    def look(self, network: Network, device: str) -> supervised.Look:
        losses, right, count = 0.0, 0, 0
        for batch in self._check:
            some = batch.to(device)
            losses += float(_loss(network, some))
            said = network(some.tokens, some.positions, some.seen).argmax(-1) == some.targets
            right += int((said | ~some.learnt).all(1).sum())
            count += len(said)
        loss = losses / len(self._check)
        return supervised.Look(loss, math.exp(-loss), {"right": right / count})


def _loss(network: Network, batch: Packed) -> Tensor:
    """Mean over the tokens of answers of minus the logarithm of their probability."""
    states = network.states(batch.tokens, batch.positions, batch.seen)[batch.learnt]
    return functional.cross_entropy(network.logits(states), batch.targets[batch.learnt])
