"""The model in conversation: it proposes, sees what a tool measured, and goes on or answers.

Two tools, those of Compiler-R1 (arXiv:2506.15701): `instrcount` measures a recipe,
`find_best_pass_sequence` searches with what is left of the budget. The first turn measures;
then the model chooses between measuring another recipe and the search, as long as there is budget
for them, and answers in the end. Whatever it answers, the best recipe that was measured is proposed
first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cr1cc.errors import RecipeError
from cr1cc.model.choices import Action
from cr1cc.model.client import ModelClient
from cr1cc.model.conversation import CONVERSATIONS, Conversation, Said
from cr1cc.model.describe import ModelFacts
from cr1cc.model.question import Sample
from cr1cc.passes.recipe import BASELINE, canonical
from cr1cc.policy.coreset import Coreset
from cr1cc.policy.interface import Measure
from cr1cc.policy.search import Search, find_best_pass_sequence
from cr1cc.records import Failure, Proposal, Recipe, Request, Score, Turn, value_of
from cr1cc.util.messages import Resident

_SEARCH = 32  # evaluations that a search takes at least
_SEEDS = 8  # recipes of the coreset that its search begins with, besides what was measured
_ROWS = 17  # ways to say a turn; the most probable one that is new is taken
_TEMPERATURE = 0.7


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
        constants = f"{_SEARCH} {_SEEDS} {_ROWS} {_TEMPERATURE}"
        self.version = f"4 {facts.digest} {facts.version} {constants} {Search().version}"
        self.machine = facts.engine

    def propose(self, request: Request, measure: Measure) -> Proposal:
        """Raises ModelError. Of a module whose baseline cannot be measured nothing is said."""
        tails = self._coreset.propose(request, measure).tails
        if request.budget < 1:
            return Proposal((), tails)
        base = measure([BASELINE])[0]
        if value_of(base, request.metric) is None:
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
        self.client = client
        self.request = request
        self.measure = measure
        self.results = {BASELINE: base}  # all that was measured
        self.base = value_of(base, request.metric) or 0
        kind, model = CONVERSATIONS[facts.kind], facts.stamps[0][1]
        # The longest has the search and the answer besides.
        self.conversation: Conversation = kind(model, request, kind.measured + 2)
        self.asked = 0
        self.trace: list[Turn] = []

    def run(self) -> None:
        """From the first measurement to the answer."""
        actions: tuple[Action, ...] = (Action.MEASURE,)
        while actions:
            actions = self._turn(actions)

    def best(self) -> tuple[Recipe, ...]:
        """What was measured, best first, plain -Oz left out."""
        values = {recipe: self._known(recipe) for recipe in self.results if recipe != BASELINE}
        scored = [(value, recipe) for recipe, value in values.items() if value is not None]
        return tuple(recipe for _, recipe in sorted(scored))

    def _turn(self, actions: tuple[Action, ...]) -> tuple[Action, ...]:
        """Have one of these said and carry it out; what may be said next, nothing after the
        answer."""
        actions, sample, said = self._say(actions)
        if said.action is Action.ANSWER:
            self._note(Turn.ANSWERED, said.recipe)
            return ()
        found = self._searched() if said.action is Action.SEARCH else None
        if found is None:
            self._measured([said.recipe])
        recipe = said.recipe if found is None else found
        self._note(Turn.MEASURED if found is None else Turn.SEARCHED, recipe)
        try:
            self.conversation = self.conversation.told(
                actions, sample, self.base, self._known(recipe), found
            )
        except RecipeError:  # no words for what was found, so it is the answer
            self._note(Turn.ANSWERED, recipe)
            return ()
        if found is not None or not self._left():
            return (Action.ANSWER,)
        count = sum(turn.action == Turn.MEASURED for turn in self.trace)
        more = (Action.MEASURE,) if count < self.conversation.measured else ()
        search = (Action.SEARCH,) if self._left() >= _SEARCH else ()
        return (*search, *more) or (Action.ANSWER,)

    def _say(self, actions: tuple[Action, ...]) -> tuple[tuple[Action, ...], Sample, Said]:
        """The most probable turn, and the actions that it was one of. What is known is not
        measured again as long as something else is said."""
        self.asked += 1
        seed = f"{Agent.name} {self.request.info.fingerprint} {self.asked}"
        question = self.conversation.ask(actions, _ROWS, _TEMPERATURE, seed)
        turns = []
        for sample in self.client.sample(question):
            action, recipe = self.conversation.heard(actions, sample)
            turns.append((sample, Said(action, canonical(recipe))))
        new = [turn for turn in turns if self._is_new(turn[1])]
        if len(actions) > 1 and turns[0] not in new:
            return self._say((Action.MEASURE,))
        return (actions, *(new[0] if new else turns[0]))

    def _is_new(self, said: Said) -> bool:
        return said.action is not Action.MEASURE or said.recipe not in self.results

    def _searched(self) -> Recipe:
        """The best of all, after a search with what is left of the budget."""
        known = Coreset().propose(self.request, self.measure).recipes
        request = replace(self.request, budget=self._left())
        find_best_pass_sequence(request, self._measured, [*self.best(), *known[:_SEEDS]])
        return next(iter(self.best()), BASELINE)

    def _left(self) -> int:
        """Of the budget; plain -Oz is known to every caller and costs nothing."""
        return max(self.request.budget - len(self.results) + 1, 0)

    def _known(self, recipe: Recipe) -> int | None:
        result = self.results.get(recipe)
        return None if result is None else value_of(result, self.request.metric)

    def _measured(self, recipes: Sequence[Recipe]) -> Sequence[Score | Failure]:
        new = [recipe for recipe in dict.fromkeys(recipes) if recipe not in self.results]
        self.results.update(zip(new, self.measure(new) if new else (), strict=True))
        return [self.results[recipe] for recipe in recipes]

    def _note(self, action: str, recipe: Recipe) -> None:
        self.trace.append(Turn(action, recipe, self.base, self._known(recipe)))
