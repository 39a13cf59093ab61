"""Choose tokens among those that may follow: whatever a model says, recipes are well formed.

Row 0 takes the most probable token each time; the others draw with random numbers of
their own, so no row depends on how many there are. Rows that stand apart begin with the most
probable tokens, row 1 with the second one and so on as far as there are tokens, and go on with
the most probable ones: answers of one token would be drawn again and again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from cr1cc.model.choices import Choices
from cr1cc.model.question import Sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Logits = NDArray[np.float32]
    Numbers = NDArray[np.float64]


class Rows(Protocol):
    """What goes on from one prefix side by side (`engine.Session`)."""

    def branch(self) -> None:
        """Let every row begin behind the prefix."""
        ...

    def step(self, rows: Sequence[int], tokens: Sequence[int]) -> Logits:
        """Let each of these rows go on with its token; a row of logits for each."""
        ...


def sample(
    model: Rows, logits: Logits, start: Choices, rows: int, temperature: float, seed: str,
    penalty: float = 1.0, *, apart: bool = False,
) -> list[Sample]:  # fmt: skip
    """Let `rows` rows go on from `start` until each is done: the distinct ones, most probable
    first, or, apart, those with the most probable beginning. `logits` are those behind the
    prefix. With a `penalty` above 1 what a row has said is less probable to be said again
    (arXiv:1909.05858, section 4.1). Equal arguments give equal samples."""
    masks: dict[object, NDArray[np.intp]] = {}
    led = len(start.allowed()) if apart else 1  # rows that draw nothing
    drawn = [_draws(seed, row, start.left) if row >= led else None for row in range(rows)]
    states: list[Choices] = [start] * rows
    tokens: list[list[int]] = [[] for _ in range(rows)]
    logarithms = [0.0] * rows
    alive = [row for row in range(rows) if not start.done]
    model.branch()
    current = np.broadcast_to(logits, (rows, len(logits)))
    while alive:
        for index, row in enumerate(alive):
            key = states[row].mask_key()
            if key not in masks:
                masks[key] = np.array(states[row].allowed(), dtype=np.intp)
            allowed, draws = masks[key], drawn[row]
            number = None if draws is None else float(draws[len(tokens[row])])
            heard = current[index]
            if penalty != 1:
                heard = _penalised(heard, tokens[row], penalty)
            place = row if row < led and not tokens[row] else 0
            choice, logarithm = _choose(heard[allowed], temperature, number, place)
            token = int(allowed[choice])
            tokens[row].append(token)
            logarithms[row] += logarithm
            states[row] = _ended(states[row].step(token), tokens[row])
        alive = [row for row in alive if not states[row].done]
        if alive:
            current = model.step(alive, [tokens[row][-1] for row in alive])
    found = [
        Sample(tuple(t), p, state.said)
        for t, p, state in zip(tokens, logarithms, states, strict=True)
    ]
    distinct: dict[object, Sample] = {}
    if not apart:
        found.sort(key=lambda one: (-one.logarithm, one.tokens))
    for one in found:
        distinct.setdefault(one.text or one.tokens, one)  # other tokens may spell the same text
    return list(distinct.values())


def _ended(state: Choices, said: list[int]) -> Choices:
    """What a state is with the end behind it, where nothing else may come: that takes no model."""
    if state.done:
        return state
    allowed = state.allowed()
    if len(allowed) == 1 and (last := state.step(allowed[0])).done:
        said.append(allowed[0])
        return last
    return state


def _penalised(logits: Logits, said: Sequence[int], penalty: float) -> Logits:
    found = logits.copy()
    again = list(set(said))
    found[again] = np.where(found[again] > 0, found[again] / penalty, found[again] * penalty)
    return found


def _draws(seed: str, row: int, count: int) -> Numbers:
    """Numbers from 0 up to 1, one for each token of a row."""
    digest = hashlib.blake2b(f"{seed} {row}".encode(), digest_size=16).digest()
    generator = np.random.PCG64(int.from_bytes(digest, "little"))
    return np.random.Generator(generator).random(count)


def _choose(
    logits: Logits, temperature: float, number: float | None, place: int
) -> tuple[int, float]:
    """The index of the token taken, and the logarithm of its probability at temperature 1.

    `number` draws it; None: it is the most probable one, or the one at that place behind it,
    the first of equal ones.
    """
    shifted = logits.astype(np.float64)
    shifted -= shifted.max()
    if number is None or temperature <= 0:
        choice = int(np.argsort(-shifted, kind="stable")[place])
    else:
        sums = np.exp(shifted / temperature).cumsum()
        choice = int(sums.searchsorted(number * sums[-1], side="right"))
        choice = min(choice, len(sums) - 1)
    return choice, float(shifted[choice] - np.log(np.exp(shifted).sum()))
