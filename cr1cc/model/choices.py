"""What a model can be asked to do, and how that which it may say is told, token by token."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Protocol


class Action(Enum):
    """What a model can do next. Names of tools are those of Compiler-R1 (arXiv:2506.15701)."""

    MEASURE = "instrcount"  # have this recipe measured
    SEARCH = "find_best_pass_sequence"  # have a better one searched
    ANSWER = "answer"  # this recipe it is


class Choices(Protocol):
    """Something that is being said. Every walk through allowed tokens ends, in sense."""

    @property
    def left(self) -> int:
        """Tokens that may still come, at most."""
        ...

    @property
    def done(self) -> bool: ...

    @property
    def said(self) -> str:
        """The text that a foreign model has spelt when it is done, else ""."""
        ...

    def allowed(self) -> Sequence[int]:
        """Ids of the tokens that may follow, ascending; nothing after the end."""
        ...

    def step(self, token: int) -> Choices:
        """What it is behind an allowed token."""
        ...

    def mask_key(self) -> object:
        """Equal for those that allow the same."""
        ...


def may_say(start: Choices, tokens: Iterable[int]) -> bool:
    """Whether these tokens can come out, to the end, where `start` begins."""
    state = start
    for token in tokens:
        if token not in state.allowed():
            return False
        state = state.step(token)
    return state.done
