"""GRPO: an answer is as good as it is better than the others of its group (arXiv:2402.03300)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cr1cc.train.algorithm import Measured, clipped, divergence, per_answer
from cr1cc.train.pytorch import Tensor, nn, torch
from cr1cc.train.rollout import Batch

_LEAST = 1e-4  # a group whose answers are all alike teaches nothing


@dataclass(frozen=True)
class Grpo:
    """`clip` of the ratio, `drift`: weight of the divergence from the reference."""

    clip: float = 0.2
    drift: float = 0.001

    def parameters(self) -> Iterable[nn.Parameter]:
        return ()

    def advantages(self, batch: Batch, known: Measured) -> Tensor:
        rewards = batch.rewards.view(int(batch.group.max()) + 1, -1)
        centred = rewards - rewards.mean(1, keepdim=True)
        spread = rewards.std(1, keepdim=True)
        scaled = torch.where(spread > _LEAST, centred / (spread + _LEAST), 0.0)
        return scaled.flatten()[batch.owner]

    def loss(
        self, batch: Batch, known: Measured, advantages: Tensor, new: Tensor, states: Tensor
    ) -> Tensor:
        surrogate = clipped(new, known.old, advantages, self.clip)
        return per_answer(surrogate + self.drift * divergence(new, known.reference), batch).mean()
