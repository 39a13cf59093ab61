"""A conversation with a model about one request, the same for both kinds of models.

A model of ours speaks in tokens of our vocabulary, a foreign one in text. Either is asked
to say one of some actions and told what came of it; then it is asked again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple, Protocol, Self

from cr1cc.errors import RecipeError
from cr1cc.model import dialogue, text, vocabulary
from cr1cc.model.choices import Action
from cr1cc.model.decoding import LENGTH, Rules, State, tail, turn
from cr1cc.model.question import (
    ROOM,
    AnyQuestion,
    Exchange,
    Question,
    Sample,
    TextQuestion,
    Turns,
)
from cr1cc.model.text import MOST_ITEMS, Spelling, beginning, read, recipe_of
from cr1cc.model.vocabulary import IDS, PROMPT_LENGTH, RESULT, TAIL
from cr1cc.passes.grammar import format_pipeline, normalise, parse_pipeline
from cr1cc.records import Recipe, Request
from cr1cc.util.remembered import Stamp

_WORDS = {
    Action.MEASURE: vocabulary.MEASURE,
    Action.SEARCH: vocabulary.SEARCH,
    Action.ANSWER: vocabulary.ANSWER,
}
_LONGEST = 512  # tokens of a conversation: most recipes that are measured take a few
_ACTIONS = {IDS[word]: action for action, word in _WORDS.items()}


class Said(NamedTuple):
    """What a sample means."""

    action: Action
    recipe: Recipe  # nothing to do if a search is asked for


class Conversation(Protocol):
    """All that was said up to now; a value, which nothing changes."""

    most: ClassVar[int]  # samples that may be asked for at once
    measured: ClassVar[int]  # recipes that may be measured turn by turn
    version: ClassVar[str]  # of the protocol and its limits

    def ask(
        self, actions: Sequence[Action], rows: int, temperature: float, seed: str
    ) -> AnyQuestion:
        """Which of these actions, and with what recipe? `rows` ways to go on."""
        ...

    def heard(self, actions: Sequence[Action], sample: Sample) -> Said:
        """What a sample says that answers the question for these actions."""
        ...

    def told(
        self,
        actions: Sequence[Action],
        sample: Sample,
        before: int,
        after: int | None,
        found: Recipe | None = None,
    ) -> Self:
        """The conversation behind this sample, once its recipe, or the one that was found,
        has made `after` of `before`; None: it could not be measured. Raises RecipeError
        for one that the model has no words for, or no room."""
        ...

    def ask_tails(self, rows: int, temperature: float, seed: str) -> AnyQuestion | None:
        """The question for pipelines to try on every function, which stands for itself; None:
        the model has no words for them."""
        ...

    def heard_tail(self, sample: Sample) -> str:
        """The pipeline that a sample says."""
        ...


@dataclass(frozen=True)
class TokenConversation:
    """With a model of ours: turns of tokens, as `cr1cc.train.trajectories` tells them."""

    most: ClassVar[int] = 64
    measured: ClassVar[int] = 16
    version: ClassVar[str] = (
        f"{LENGTH} of {ROOM} to {_LONGEST} tokens, {most} rows, {measured} turns"
    )

    model: Stamp
    request: Request
    questions: int = 1  # that there may be
    turns: Turns = ()
    ahead: tuple[int, ...] = ()  # of the next turn; () before the first one

    def ask(self, actions: Sequence[Action], rows: int, temperature: float, seed: str) -> Question:
        rules = Rules.of(self.request)
        forced = _forced(actions)
        start = State(rules) if forced else turn(rules, *(_WORDS[action] for action in actions))
        return Question(
            self.model, self._turns(forced), start, rows, self._room(), temperature, seed,
            apart=True,
        )  # fmt: skip

    def heard(self, actions: Sequence[Action], sample: Sample) -> Said:
        tokens = (*_forced(actions), *sample.tokens)
        action = _ACTIONS[tokens[0]]
        if action is Action.SEARCH:
            return Said(action, Recipe())
        recipe = vocabulary.decode_for(tokens[1:], self.request.major, self.request.target)
        return Said(action, recipe)

    def told(
        self,
        actions: Sequence[Action],
        sample: Sample,
        before: int,
        after: int | None,
        found: Recipe | None = None,
    ) -> Self:
        result = (IDS[RESULT], *_spelled(found), vocabulary.gain(before, after))
        turns = self._turns(_forced(actions))
        ahead = (*sample.tokens, *result)
        if sum(map(len, (*turns, ahead))) + 2 + LENGTH > self._room():
            raise RecipeError("the conversation has no room for another turn")
        return replace(self, turns=turns, ahead=ahead)

    def ask_tails(self, rows: int, temperature: float, seed: str) -> Question:
        turns = ((*vocabulary.prompt(self.request), IDS[TAIL]),)
        start = tail(Rules.of(self.request))
        return Question(self.model, turns, start, rows, ROOM, temperature, seed, apart=True)

    def heard_tail(self, sample: Sample) -> str:
        return format_pipeline(normalise(parse_pipeline(vocabulary.decode_tail(sample.tokens))))

    def _turns(self, forced: tuple[int, ...]) -> Turns:
        ahead = self.ahead or tuple(vocabulary.prompt(self.request))
        return (*self.turns, (*ahead, *forced))

    def _room(self) -> int:
        """Of the prompt, what is said with its result each time, and the answer."""
        exchanges = (self.questions - 1) * (LENGTH + 3)
        return min(-(-(PROMPT_LENGTH + exchanges + 1 + LENGTH) // 128) * 128, _LONGEST)


def _forced(actions: Sequence[Action]) -> tuple[int, ...]:
    """The one action that is left, unless there is nothing to be said behind it."""
    if len(actions) != 1 or Action.SEARCH in actions:
        return ()
    return (IDS[_WORDS[actions[0]]],)


def _spelled(recipe: Recipe | None) -> Sequence[int]:
    """Raises RecipeError for a recipe that the model has no words for."""
    tokens = vocabulary.encode(recipe) if recipe else []
    if len(tokens) > LENGTH:
        raise RecipeError("the recipe is too long")
    return tokens


@dataclass(frozen=True)
class TextConversation:
    """With a foreign model: texts and responses to them."""

    most: ClassVar[int] = 8
    measured: ClassVar[int] = 4
    version: ClassVar[str] = (
        f"text {dialogue.VERSION}, {text.LENGTH} tokens, {most} rows, {measured} turns"
    )

    model: Stamp
    request: Request
    questions: int = 1  # that there may be
    exchanges: tuple[Exchange, ...] = ()

    def ask(
        self, actions: Sequence[Action], rows: int, temperature: float, seed: str
    ) -> TextQuestion:
        return TextQuestion(
            model=self.model,
            system=dialogue.system(self.request),
            user=dialogue.user(self.request),
            exchanges=self.exchanges,
            spelling=Spelling(Rules.of(self.request), tuple(actions)),
            rows=rows,
            questions=self.questions,
            temperature=temperature,
            seed=seed,
        )

    def heard(self, actions: Sequence[Action], sample: Sample) -> Said:
        action, items = read(sample.text)
        return Said(action, Recipe() if action is Action.SEARCH else recipe_of(items))

    def told(
        self,
        actions: Sequence[Action],
        sample: Sample,
        before: int,
        after: int | None,
        found: Recipe | None = None,
    ) -> Self:
        if found is not None and len(dialogue.items_of(found)) > MOST_ITEMS:
            raise RecipeError("a list has no room for the recipe")
        response = dialogue.response(before, after, found)
        exchange = Exchange(beginning(actions), sample.text, response)
        return replace(self, exchanges=(*self.exchanges, exchange))

    def ask_tails(self, rows: int, temperature: float, seed: str) -> None:
        return None

    def heard_tail(self, sample: Sample) -> str:
        raise RecipeError("no words for pipelines of functions")


# By the kind that `describe` finds a model to be of.
CONVERSATIONS: dict[str, type[TokenConversation] | type[TextConversation]] = {
    "tokens": TokenConversation,
    "text": TextConversation,
}
