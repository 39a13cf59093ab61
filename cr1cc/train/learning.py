"""One step of learning, supervised or from rewards."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from cr1cc.train.algorithm import Algorithm, Measured, divergence
from cr1cc.train.network import Network
from cr1cc.train.pytorch import Tensor, nn, torch

if TYPE_CHECKING:
    from cr1cc.train.rollout import Batch


def adam(network: Network, rate: float, decay: float) -> torch.optim.AdamW:
    """What supervised training uses."""
    return torch.optim.AdamW(network.parameters(), lr=rate, betas=(0.9, 0.95), weight_decay=decay)


def schedule(step: int, steps: int, warmup: int) -> float:
    """The share of the rate: up in a line, down in half a cosine to a twentieth."""
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / max(steps - warmup, 1)
    return 0.05 + 0.95 * (1 + math.cos(math.pi * done)) / 2


def descend(
    network: Network, optimiser: torch.optim.Optimizer, loss: Tensor, rate: float | None = None
) -> None:
    """One step against the gradient of a loss, with another rate if one is given."""
    if rate is not None:
        for group in optimiser.param_groups:
            group["lr"] = rate
    optimiser.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimiser.step()


def learn(
    network: Network, reference: Network, algorithm: Algorithm,
    optimiser: torch.optim.Optimizer, batch: Batch, epochs: int,
) -> dict[str, float]:  # fmt: skip
    """Learn from a batch of rewarded answers; the figures of the step."""
    with torch.no_grad():
        old, states = batch.logarithms(network)
        first, _ = batch.logarithms(reference)
    known = Measured(old, first, states)
    advantages = algorithm.advantages(batch, known)
    for _ in range(epochs):
        new, states = batch.logarithms(network)
        descend(network, optimiser, algorithm.loss(batch, known, advantages, new, states))
    groups = int(batch.group.max()) + 1
    best_of = batch.saved.view(groups, -1).clamp(min=0).amax(1)
    return {
        "reward": round(float(batch.rewards.mean()), 5),
        "saved": round(float(batch.saved.clamp(min=0).mean()), 5),
        "best": round(float(best_of.mean()), 5),
        "divergence": round(float(divergence(old, first).mean()), 5),
        "tokens": round(len(old) / len(batch.rewards), 2),
    }
