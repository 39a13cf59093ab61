"""What a model is asked and what it answers: plain records, known at both ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from cr1cc.errors import ModelError
from cr1cc.model.choices import Choices
from cr1cc.model.decoding import LENGTH
from cr1cc.model.text import Pieces, Spelling
from cr1cc.model.vocabulary import PROMPT_LENGTH
from cr1cc.util.remembered import Stamp

ROOM = -(-(PROMPT_LENGTH + 1 + LENGTH) // 128) * 128  # tokens of a prompt and one answer

Turns = tuple[tuple[int, ...], ...]  # tokens; each turn is decoded as one chunk
_RESPONSE = 64  # tokens that a turn of somebody else is thought to take
_STEP = 256  # tokens: conversations of about the same length get the same room


class Words(Protocol):
    """What a model makes of text (`engine.Engine`)."""

    context: int

    @property
    def beginning(self) -> tuple[int, ...]: ...
    @property
    def pieces(self) -> Pieces: ...
    def tokenize(self, text: str) -> tuple[int, ...]: ...
    def layout(self, messages: Sequence[tuple[str, str]]) -> str | None: ...


@dataclass(frozen=True)
class Question:
    """How would you go on? Equal questions get equal answers, whoever was asked before.

    The next question of a conversation has the same rows and room, and its turns begin
    with those of the one before: only what is new is decoded then.
    """

    patience: ClassVar[int] = 60  # wall seconds after which there will be no answer

    model: Stamp  # of the file that is meant
    turns: Turns
    start: Choices
    rows: int  # how many ways to go on
    room: int  # tokens that the conversation may get long, the answer included
    temperature: float
    seed: str
    penalty: float = 1.0  # of tokens that were said: 1 is none
    apart: bool = False  # rows begin with tokens of their own, the most probable ones

    def read(self, words: Words) -> tuple[Turns, Choices, int]:
        """Turns, what may be said behind them, and the room for all."""
        return self.turns, self.start, self.room


@dataclass(frozen=True)
class Exchange:
    """A text that a foreign model said, how much of it the prompt began, and the response."""

    begun: str
    said: str
    response: str


@dataclass(frozen=True)
class TextQuestion:
    """The same for a foreign model, which only itself knows how to turn text into tokens."""

    patience: ClassVar[int] = 900  # these models are large, and use one thread

    model: Stamp
    system: str
    user: str
    exchanges: tuple[Exchange, ...]
    spelling: Spelling
    rows: int
    questions: int  # that the conversation may have, with this one
    temperature: float
    seed: str
    penalty: float = 1.0
    apart: ClassVar[bool] = False

    def read(self, words: Words) -> tuple[Turns, Choices, int]:
        """Raises ModelError if it is too long, or cannot be answered in this vocabulary."""
        turns = self._turns(words)
        start = self.spelling.start(words.pieces)
        needed = sum(map(len, turns)) + start.left
        if needed > words.context:
            raise ModelError(f"its context of {words.context} tokens is too short for {needed}")
        room = len(turns[0]) + self.questions * (start.left + _RESPONSE)
        return turns, start, min(words.context, max(needed, -(-room // _STEP) * _STEP))

    def _turns(self, words: Words) -> Turns:
        turns: tuple[tuple[int, ...], ...] = ()
        before = ""
        for text in self._texts(words):
            if not turns or not text.startswith(before):  # a form that takes words back
                turns = ((*words.beginning, *words.tokenize(text)),)
            else:
                turns += (words.tokenize(text[len(before) :]),)
            before = text
        return turns

    def _texts(self, words: Words) -> Iterator[str]:
        """The conversation as it was at each question."""
        messages = [("system", self.system), ("user", self.user)]
        for exchange in self.exchanges:
            yield _laid_out(words, messages) + exchange.begun
            messages += [("assistant", exchange.said), ("user", exchange.response)]
        yield _laid_out(words, messages) + self.spelling.begun


def _laid_out(words: Words, messages: Sequence[tuple[str, str]]) -> str:
    """In the model's own form, else in a plain one."""
    text = words.layout(messages)
    if text is not None:
        return text
    return "".join(f"### {role}\n{content}\n\n" for role, content in messages) + "### assistant\n"


AnyQuestion = Question | TextQuestion


@dataclass(frozen=True)
class Sample:
    """One way to go on, and the logarithm of its probability among all allowed ones."""

    tokens: tuple[int, ...]
    logarithm: float
    text: str = ""  # what a foreign model's tokens spell, with what the prompt began of it
