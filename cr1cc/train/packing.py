"""Examples side by side, as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cr1cc.model.vocabulary import FIRST_NAME, IDS, NAMED, PAD
from cr1cc.train.pytorch import Tensor, torch
from cr1cc.train.trajectories import Example


@dataclass(frozen=True)
class Packed:
    """Examples side by side: what `Network` takes, what comes next, and what of it counts."""

    tokens: Tensor
    positions: Tensor
    seen: Tensor
    targets: Tensor
    learnt: Tensor
    chosen: Tensor  # (choices, 2) row and place of those where it is known what a name adds
    adds: Tensor  # (choices, names) the share of the baseline that each name adds there

    def to(self, device: str) -> Packed:
        return Packed(**{name: value.to(device) for name, value in vars(self).items()})


def pack(examples: Sequence[Example]) -> Packed:
    """Branches follow their prompt one after the other. Each goes on in position from the
    prompt, and sees it and itself only: so a prompt is computed once for all of them."""
    length = max(len(e.prompt) + sum(len(b.tokens) for b in e.branches) for e in examples)
    size = (len(examples), length)
    tokens = torch.full(size, IDS[PAD])
    positions = torch.zeros(size, dtype=torch.long)
    seen = torch.eye(length, dtype=torch.bool).repeat(len(examples), 1, 1)
    targets, learnt = torch.zeros(size, dtype=torch.long), torch.zeros(size, dtype=torch.bool)
    chosen: list[tuple[int, int]] = []
    adds: list[Tensor] = []
    for row, told in enumerate(examples):
        begin = len(told.prompt)
        tokens[row, :begin] = torch.tensor(told.prompt)
        positions[row, :begin] = torch.arange(begin)
        seen[row, :begin, :begin] = torch.ones(begin, begin, dtype=torch.bool).tril()
        at = begin
        for branch in told.branches:
            count = len(branch.tokens)
            place = slice(at, at + count)
            tokens[row, place] = torch.tensor(branch.tokens)
            positions[row, place] = torch.arange(begin, begin + count)
            seen[row, place, :begin] = True
            seen[row, place, place] = torch.ones(count, count, dtype=torch.bool).tril()
            # Where a token is said is the place before it. What begins a branch is nothing that
            # the end of the prompt could say for all branches: the caller chooses the turn.
            targets[row, at : at + count - 1] = torch.tensor(branch.tokens[1:])
            learnt[row, at : at + count - 1] = torch.tensor(branch.learnt[1:])
            for behind, token in branch.better.items():
                targets[row, at + behind - 1] = token
            for behind, known in branch.adds.items():
                chosen.append((row, at + behind - 1))
                adds.append(torch.zeros(len(NAMED)))
                adds[-1][torch.tensor(list(known)) - FIRST_NAME] = torch.tensor(
                    list(known.values())
                )
            at += count
    return Packed(
        tokens, positions, seen, targets, learnt, torch.tensor(chosen).view(-1, 2),
        torch.stack(adds) if adds else torch.zeros(0, len(NAMED)),
    )  # fmt: skip
