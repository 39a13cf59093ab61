"""Conversations played against the labels: nothing is compiled.

The labels know what every recipe of the coreset makes of a module. So a model can be asked what
it would measure, told the result, and asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cr1cc.model import vocabulary
from cr1cc.model.vocabulary import END, FIRST_NAME, IDS, MEASURE, NAMED, RESULT
from cr1cc.records import Metric
from cr1cc.train.network import Network, Past
from cr1cc.train.pytorch import Tensor, torch
from cr1cc.train.trajectories import Lesson

TURNS = (1, 4, 7, 16)  # lengths of conversations: the weights that save most there are kept
_LONG = max(TURNS)

# Of each row (rows, names) logits, minus infinity for names that may not be said: which name.
Choose = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Talks:
    """Conversations of equal length. A turn is: measure, the name, the end, result, gain."""

    tokens: Tensor  # (rows, tokens) behind the prompt
    open: Tensor  # (rows, turns, names) bool: what might have been said
    best: Tensor  # (rows, turns) share of the baseline that the best until then saves


def play(network: Network, lessons: Sequence[Lesson], turns: int, choose: Choose) -> Talks:
    """One conversation for each lesson, which names more recipes than there are turns."""
    with torch.no_grad():
        return _play(network, lessons, turns, choose)


def _play(network: Network, lessons: Sequence[Lesson], turns: int, choose: Choose) -> Talks:
    tokens, free = _prompts(lessons), _known(lessons)
    said, masks, best = [], [], [torch.zeros(len(lessons))]
    at = 0
    past: Past = ()
    for _ in range(turns):
        logits, past = network.follow(tokens, at, past)
        at += tokens.shape[1]
        names = choose(logits[:, FIRST_NAME:].masked_fill(~free, -torch.inf))
        masks.append(free.clone())
        free[torch.arange(len(lessons)), names] = False
        chosen = list(zip(lessons, (names + FIRST_NAME).tolist(), strict=True))
        saved = torch.tensor([one.named[token] for one, token in chosen])
        best.append(torch.maximum(best[-1], saved))
        tokens = torch.tensor(
            [[token, IDS[END], IDS[RESULT], one.gain_of(token), IDS[MEASURE]]
             for one, token in chosen]
        )  # fmt: skip
        said.append(tokens.roll(1, 1))  # the next one begins with what ends this one
    return Talks(torch.cat(said, 1), torch.stack(masks, 1), torch.stack(best[1:], 1))


def saved(network: Network, lessons: Sequence[Lesson], turns: int) -> list[float]:
    """The share of the baseline that the best of the first recipes saves if the most probable
    one is measured each time, mean over lessons, after each turn."""
    means: list[float] = play(network, lessons, turns, lambda x: x.argmax(1)).best.mean(0).tolist()
    return means


def by_metric(network: Network, lessons: Sequence[Lesson]) -> dict[str, list[float]]:
    """What conversations of `TURNS` turns save, for each metric that there are lessons of."""
    training = network.training
    network.eval()
    found = {}
    for metric in Metric:
        some = [one for one in lessons if one.request.metric is metric and len(one.named) > _LONG]
        if some:
            means = saved(network, some, _LONG)
            found[metric.value] = [round(means[turns - 1], 5) for turns in TURNS]
    network.train(training)
    return found


def at_once(network: Network, lessons: Sequence[Lesson], turns: int) -> list[float]:
    """The same for the most probable recipes of the first turn: no result is told."""
    with torch.no_grad():
        logits, _ = network.follow(_prompts(lessons), 0, ())
    logits = logits[:, FIRST_NAME:].masked_fill(~_known(lessons), -torch.inf)
    names = logits.argsort(1, descending=True)[:, :turns] + FIRST_NAME
    pairs = zip(lessons, names.tolist(), strict=True)
    return _best_so_far([[one.named[token] for token in some] for one, some in pairs])


def in_order(lessons: Sequence[Lesson], turns: int) -> list[float]:
    """The same for the first recipes of the coreset."""
    return _best_so_far([list(one.named.values())[:turns] for one in lessons])


def _best_so_far(shares: Sequence[Sequence[float]]) -> list[float]:
    best = torch.tensor(shares).clamp(min=0).cummax(1).values
    means: list[float] = best.mean(0).tolist()
    return means


def _prompts(lessons: Sequence[Lesson]) -> Tensor:
    return torch.tensor([[*vocabulary.prompt(one.request), IDS[MEASURE]] for one in lessons])


def _known(lessons: Sequence[Lesson]) -> Tensor:
    """(rows, names) bool: of which the labels know the value."""
    known = torch.zeros(len(lessons), len(NAMED), dtype=torch.bool)
    for row, lesson in enumerate(lessons):
        known[row, torch.tensor(list(lesson.named)) - FIRST_NAME] = True
    return known
