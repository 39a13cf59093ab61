"""PPO with a critic: a token is as good as what comes after it is better than expected.

The critic is a linear head on the states of the network, which it does not change. The only
reward comes with the end of an answer, so advantages are generalised ones (arXiv:1506.02438)
without discount; the loss is that of arXiv:1707.06347.
"""

from __future__ import annotations

from collections.abc import Iterable

from cr1cc.train.algorithm import Measured, clipped, last_tokens
from cr1cc.train.pytorch import Tensor, nn, torch
from cr1cc.train.rollout import Batch


class Ppo:
    def __init__(
        self, width: int, clip: float = 0.2, drift: float = 0.001, trace: float = 0.95,
        critic_weight: float = 0.5,
    ) -> None:  # fmt: skip
        """`width` of the network's states; `drift`: weight of the divergence from the
        reference, in the reward; `trace`: lambda of the advantages."""
        self.critic = nn.Linear(width, 1)
        self.clip = clip
        self.drift = drift
        self.trace = trace
        self.critic_weight = critic_weight

    def parameters(self) -> Iterable[nn.Parameter]:
        return list(self.critic.parameters())

    def advantages(self, batch: Batch, known: Measured) -> Tensor:
        with torch.no_grad():
            values = self._values(known.states)
        rewards = -self.drift * (known.old - known.reference)
        last = last_tokens(batch)
        rewards[last] += batch.rewards
        following = torch.cat((values[1:], values[:1]))
        following[last] = 0.0
        gaps = (rewards + following - values).tolist()
        ends = set(last.tolist())
        found, ahead = [0.0] * len(gaps), 0.0
        for place in range(len(gaps) - 1, -1, -1):
            ahead = gaps[place] + (0.0 if place in ends else self.trace * ahead)
            found[place] = ahead
        return known.old.new_tensor(found)

    def loss(
        self, batch: Batch, known: Measured, advantages: Tensor, new: Tensor, states: Tensor
    ) -> Tensor:
        with torch.no_grad():
            returns = advantages + self._values(known.states)
        scaled = (advantages - advantages.mean()) / (advantages.std() + 1e-6)
        surrogate = clipped(new, known.old, scaled, self.clip).mean()
        error = (self._values(known.states) - returns).square().mean()
        return surrogate + self.critic_weight * error

    def _values(self, states: Tensor) -> Tensor:
        values: Tensor = self.critic(states).squeeze(-1)
        return values
