"""What an algorithm of reinforcement learning is: from a batch of answers to a loss."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from cr1cc.train.pytorch import Tensor, nn, torch
from cr1cc.train.rollout import Batch


@dataclass(frozen=True)
class Measured:
    """Of every token that was said: logarithms of its probability when it was drawn and by the
    network that training began with, and the state behind which it was said."""

    old: Tensor  # (tokens,)
    reference: Tensor  # (tokens,)
    states: Tensor  # (tokens, width), without gradient


class Algorithm(Protocol):
    def parameters(self) -> Iterable[nn.Parameter]:
        """What is trained besides the network."""
        ...

    def advantages(self, batch: Batch, known: Measured) -> Tensor:
        """(tokens,): how much better a token was than expected, without gradient."""
        ...

    def loss(
        self, batch: Batch, known: Measured, advantages: Tensor, new: Tensor, states: Tensor
    ) -> Tensor:
        """Of the network as it is now: `new` are logarithms as in Measured, `states` likewise,
        both with gradients."""
        ...


def clipped(new: Tensor, old: Tensor, advantages: Tensor, clip: float) -> Tensor:
    """(tokens,): minus the clipped surrogate of PPO (arXiv:1707.06347, equation 7)."""
    ratio = (new - old).exp()
    bounded = ratio.clamp(1 - clip, 1 + clip)
    return -torch.minimum(ratio * advantages, bounded * advantages)


def divergence(new: Tensor, reference: Tensor) -> Tensor:
    """(tokens,): an estimate of the divergence from the reference that is never negative and
    has no bias (k3, http://joschu.net/blog/kl-approx.html)."""
    gap = reference - new
    return gap.exp() - gap - 1


def last_tokens(batch: Batch) -> Tensor:
    """(answers,): the place of the last token of each answer."""
    return torch.cumsum(torch.bincount(batch.owner), 0) - 1


def per_answer(values: Tensor, batch: Batch) -> Tensor:
    """(answers,): the mean over the tokens of each answer."""
    size = len(batch.rewards)
    sums = values.new_zeros(size).index_add(0, batch.owner, values)
    return sums / torch.bincount(batch.owner, minlength=size)
