"""What a model is asked and what it answers: plain records, known at both ends."""

from __future__ import annotations

from dataclasses import dataclass

from cr1cc.model.decoding import LENGTH, State
from cr1cc.model.vocabulary import PROMPT_LENGTH
from cr1cc.util.remembered import Stamp

ROOM = -(-(PROMPT_LENGTH + 1 + LENGTH) // 128) * 128  # tokens of a prompt and one answer


@dataclass(frozen=True)
class Question:
    """How would you go on? Equal questions get equal answers, whoever was asked before.

    The next question of a conversation has the same rows and room, and its turns begin
    with those of the one before: only what is new is decoded then.
    """

    model: Stamp  # of the file that is meant
    turns: tuple[tuple[int, ...], ...]  # tokens; each turn is decoded as one chunk
    start: State
    rows: int  # how many ways to go on
    room: int  # tokens that the conversation may get long, the answer included
    temperature: float
    seed: str


@dataclass(frozen=True)
class Sample:
    """One way to go on, and the logarithm of its probability among all allowed ones."""

    tokens: tuple[int, ...]
    logarithm: float
