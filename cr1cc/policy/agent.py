"""The model in conversation: it proposes, sees what a tool measured, and goes on or answers.

Two tools, those of Compiler-R1 (arXiv:2506.15701): `instrcount` measures a recipe,
`find_best_pass_sequence` searches with what is left of the budget. The first turn measures;
then the model chooses among measuring another recipe, the search, and its answer. Whatever it
answers, the best recipe that was measured is proposed first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cr1cc.errors import RecipeError
from cr1cc.model.client import ModelClient
from cr1cc.model.decoding import LENGTH, Rules, State, turn
from cr1cc.model.describe import ModelFacts
from cr1cc.model.question import Question
from cr1cc.model.vocabulary import (
    ANSWER,
    IDS,
    MEASURE,
    PROMPT_LENGTH,
    RESULT,
    SEARCH,
    TOKENS,
    decode,
    encode,
    gain,
    prompt,
)
from cr1cc.passes.macros import SIZE
from cr1cc.passes.recipe import canonical
from cr1cc.policy.coreset import Coreset
from cr1cc.policy.interface import Measure
from cr1cc.policy.search import Search
from cr1cc.records import Failure, Metric, Proposal, Recipe, Request, Score, Turn
from cr1cc.util.messages import Resident

_MEASURED = 4  # recipes that a conversation may measure by itself
_ROWS = 8  # ways to say a turn; the most probable one that is new is taken
_TEMPERATURE = 0.7
_ROOM = PROMPT_LENGTH + (_MEASURED + 1) * (LENGTH + 3)  # tokens of the longest conversation
_BASELINE = Recipe((SIZE,))


class Agent:
    name = "agent"

    def __init__(
        self, facts: ModelFacts, environ: Mapping[str, str], resident: Resident | None = None
    ) -> None:
        """`facts` are those of a model without a problem; `resident`: where it may run."""
        self._facts = facts
        self._environ = environ
        self._resident = resident
        self._coreset = Coreset()
        constants = f"{_MEASURED} {_ROWS} {_TEMPERATURE} {LENGTH}"
        self.version = f"1 {facts.digest} {facts.version} {constants} {Search().version}"

    def propose(self, request: Request, measure: Measure) -> Proposal:
        """Raises ModelError. Of a module whose baseline cannot be measured nothing is said."""
        tails = self._coreset.propose(request, measure).tails
        if request.budget < 1:
            return Proposal((), tails)
        base = measure([_BASELINE])[0]
        if _value(request, base) is None:
            return Proposal((), tails)
        with ModelClient(self._facts.path, self._environ, self._resident) as client:
            talk = _Talk(self._facts, client, request, measure, base)
            talk.run()
        return Proposal(talk.best(), tails, tuple(talk.trace))


class _Talk:
    """One conversation about one module."""

    def __init__(
        self, facts: ModelFacts, client: ModelClient, request: Request, measure: Measure,
        base: Score | Failure,
    ) -> None:  # fmt: skip
        self.facts = facts
        self.client = client
        self.request = request
        self.measure = measure
        self.results = {_BASELINE: base}  # all that was measured
        self.base = _value(request, base) or 0
        self.rules = Rules.of(request)
        self.turns: list[tuple[int, ...]] = [tuple(prompt(request))]
        self.trace: list[Turn] = []

    def run(self) -> None:
        """From the first measurement to the answer."""
        actions: tuple[str, ...] = (MEASURE,)
        while actions:
            said = self._say(turn(self.rules, *actions))
            actions = self._do(TOKENS[said[0]], said)

    def best(self) -> tuple[Recipe, ...]:
        """What was measured, best first, plain -Oz left out."""
        values = {recipe: self._known(recipe) for recipe in self.results if recipe != _BASELINE}
        scored = [(value, recipe) for recipe, value in values.items() if value is not None]
        return tuple(recipe for _, recipe in sorted(scored))

    def _do(self, action: str, said: tuple[int, ...]) -> tuple[str, ...]:
        """Carry out what was said; what may be said next, nothing after the answer."""
        if action == SEARCH:
            recipe = self._searched()
            value = self._known(recipe)
            self._note(Turn.SEARCHED, recipe, value)
            try:
                result = (IDS[RESULT], *_spelled(recipe), gain(self.base, value))
            except RecipeError:  # no words for it, so it is the answer
                self._note(Turn.ANSWERED, recipe, value)
                return ()
            self.turns.append((*said, *result))
            return (ANSWER,)
        recipe = canonical(decode(said[1:]))
        if action == ANSWER:
            self._note(Turn.ANSWERED, recipe, self._known(recipe))
            return ()
        self._measured([recipe])
        value = self._known(recipe)
        self._note(Turn.MEASURED, recipe, value)
        self.turns.append((*said, IDS[RESULT], gain(self.base, value)))
        if not self._left():
            return (ANSWER,)
        return (ANSWER, SEARCH, *([MEASURE] if len(self.turns) <= _MEASURED else []))

    def _say(self, start: State) -> tuple[int, ...]:
        """The most probable turn that would not measure again what is known."""
        question = Question(
            model=self.facts.stamps[0][1],
            turns=tuple(self.turns),
            start=start,
            rows=_ROWS,
            room=_ROOM,
            temperature=_TEMPERATURE,
            seed=f"{Agent.name} {self.request.info.fingerprint} {len(self.turns)}",
        )
        samples = [sample.tokens for sample in self.client.sample(question)]
        return next(filter(self._is_new, samples), samples[0])

    def _is_new(self, tokens: tuple[int, ...]) -> bool:
        return TOKENS[tokens[0]] != MEASURE or canonical(decode(tokens[1:])) not in self.results

    def _searched(self) -> Recipe:
        """The best of all, after a search with what is left of the budget."""
        known = Coreset().propose(self.request, self.measure).recipes
        search = Search([*self.best(), *known])
        search.propose(replace(self.request, budget=self._left()), self._measured)
        return next(iter(self.best()), _BASELINE)

    def _left(self) -> int:
        """Of the budget; plain -Oz is known to every caller and costs nothing."""
        return max(self.request.budget - len(self.results) + 1, 0)

    def _known(self, recipe: Recipe) -> int | None:
        result = self.results.get(recipe)
        return None if result is None else _value(self.request, result)

    def _measured(self, recipes: Sequence[Recipe]) -> Sequence[Score | Failure]:
        new = [recipe for recipe in dict.fromkeys(recipes) if recipe not in self.results]
        self.results.update(zip(new, self.measure(new) if new else (), strict=True))
        return [self.results[recipe] for recipe in recipes]

    def _note(self, action: str, recipe: Recipe, value: int | None) -> None:
        self.trace.append(Turn(action, recipe, self.base, value))


def _spelled(recipe: Recipe) -> list[int]:
    """Raises RecipeError for what the model has no words for."""
    tokens = encode(recipe)
    if len(tokens) > LENGTH:
        raise RecipeError("the recipe is too long")
    return tokens


def _value(request: Request, result: Score | Failure) -> int | None:
    if isinstance(result, Failure):
        return None
    return result.loadable if request.metric is Metric.BYTES else result.ic
