"""Answers drawn from a network, token by token, under the masks that are in force in use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cr1cc.model.choices import Choices
from cr1cc.train.network import Network
from cr1cc.train.pytorch import Tensor, torch


@dataclass(frozen=True)
class Drawn:
    """One answer: its tokens behind the prompt, the turn included, and what was allowed at
    each place, as rows of a table of masks."""

    tokens: tuple[int, ...]
    allowed: tuple[int, ...]  # one for each token but the first, which is the turn


def draw(
    network: Network, prompts: Sequence[Sequence[int]], starts: Sequence[Choices],
    generator: torch.Generator,
) -> tuple[list[Drawn], Tensor]:  # fmt: skip
    """An answer for each prompt, and the table of masks, (masks, vocabulary) bool. Prompts are
    equally long, and end with the turn that the answer is."""
    with torch.no_grad():
        return _draw(network, prompts, starts, generator)


def _draw(
    network: Network, prompts: Sequence[Sequence[int]], starts: Sequence[Choices],
    generator: torch.Generator,
) -> tuple[list[Drawn], Tensor]:  # fmt: skip
    size = network.shape.vocabulary
    states = list(starts)
    tokens: list[list[int]] = [[prompt[-1]] for prompt in prompts]
    allowed: list[list[int]] = [[] for _ in prompts]
    table: dict[object, int] = {}
    masks: list[Tensor] = []
    logits, past = network.follow(torch.tensor(list(map(list, prompts))), 0, ())
    at, alive = len(prompts[0]), list(range(len(prompts)))
    while alive:
        for row in alive:
            key = states[row].mask_key()
            if key not in table:
                table[key] = len(masks)
                masks.append(_mask(states[row], size))
            allowed[row].append(table[key])
        now = torch.stack([masks[allowed[row][-1]] for row in alive])
        chances = logits.masked_fill(~now, -torch.inf).softmax(-1)
        chosen = torch.multinomial(chances, 1, generator=generator).squeeze(1).tolist()
        for row, token in zip(alive, chosen, strict=True):
            tokens[row].append(token)
            states[row] = states[row].step(token)
        still = [place for place, row in enumerate(alive) if not states[row].done]
        alive = [alive[place] for place in still]
        if alive:
            past = tuple((key[still], value[still]) for key, value in past)
            logits, past = network.follow(
                torch.tensor([[tokens[row][-1]] for row in alive]), at, past
            )
            at += 1
    drawn = [Drawn(tuple(t), tuple(a)) for t, a in zip(tokens, allowed, strict=True)]
    return drawn, torch.stack(masks)


def _mask(state: Choices, size: int) -> Tensor:
    mask = torch.zeros(size, dtype=torch.bool)
    mask[list(state.allowed())] = True
    return mask
