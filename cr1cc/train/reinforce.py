"""REINFORCE++: no critic and no groups; advantages are normalised over the whole batch.

The divergence from the reference is part of the reward, token by token; what counts for a
token is what comes from there on (arXiv:2501.03262).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cr1cc.train.algorithm import Measured, clipped, last_tokens, per_answer
from cr1cc.train.pytorch import Tensor, nn
from cr1cc.train.rollout import Batch


@dataclass(frozen=True)
class Reinforce:
    """`clip` of the ratio, `drift`: weight of the divergence from the reference."""

    clip: float = 0.2
    drift: float = 0.001

    def parameters(self) -> Iterable[nn.Parameter]:
        return ()

    def advantages(self, batch: Batch, known: Measured) -> Tensor:
        gaps = self.drift * (known.old - known.reference)
        behind = gaps.cumsum(0)
        whole = behind[last_tokens(batch)]
        ahead = whole[batch.owner] - behind + gaps  # from each token on, the token included
        found = batch.rewards[batch.owner] - ahead
        return (found - found.mean()) / (found.std() + 1e-6)

    def loss(
        self, batch: Batch, known: Measured, advantages: Tensor, new: Tensor, states: Tensor
    ) -> Tensor:
        return per_answer(clipped(new, known.old, advantages, self.clip), batch).mean()
