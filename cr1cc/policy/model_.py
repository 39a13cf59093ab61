"""A small language model that proposes recipes for the code at hand.

It is asked once for each module, for more answers than there is budget for: the distinct
recipes among them, most probable first. What it says is well formed by construction.

It is asked for pipelines to try on functions in the same way.

The first of the coreset are tried before: they are complementary, which samples of one
distribution are not, and a quarter of a budget spent on them gave more than all of it spent
on either. The rest of the coreset stands where the model repeats itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from cr1cc.model.choices import Action
from cr1cc.model.describe import ModelFacts
from cr1cc.passes.attributes import ATTRIBUTES
from cr1cc.passes.recipe import canonical
from cr1cc.policy.coreset import Coreset
from cr1cc.policy.interface import Measure
from cr1cc.records import Proposal, Recipe, Request
from cr1cc.util.messages import Resident

_SAMPLES = 2  # for each recipe or pipeline that is wanted
_KNOWN = 2  # one part in so many of a budget is the coreset's
_TEMPERATURE = 0.7
_ANSWER = (Action.ANSWER,)


class Model:
    name = "model"

    def __init__(
        self, facts: ModelFacts, environ: Mapping[str, str], resident: Resident | None = None,
        *, known: int = _KNOWN, penalty: float = 1.0,
    ) -> None:  # fmt: skip
        """`facts` are those of a model without a problem; `resident`: where it may run. For
        comparisons: one part in `known` of a budget is the coreset's, 0: none but where the
        model repeats itself, and its tails follow the attributes; `penalty` as in `Question`."""
        self._known = known
        self._attributes = () if known else tuple(row.name for row in ATTRIBUTES)
        self._penalty = penalty
        self._facts = facts
        self._environ = environ
        self._resident = resident
        self._coreset = Coreset()
        constants = " ".join((f"{_SAMPLES} {known} {_TEMPERATURE} {penalty}", *self._attributes))
        self.version = f"4 {facts.digest} {facts.version} {constants} {self._coreset.version}"
        self.machine = facts.engine

    def propose(self, request: Request, measure: Measure) -> Proposal:
        """Raises ModelError."""
        known = self._coreset.propose(request, measure)
        if request.budget < 1:
            return Proposal((), known.tails)
        first, tried = 0, 0
        own = [tail for tail in known.tails if tail in self._attributes]
        if self._known:
            first, tried = request.budget // self._known, -(-request.tails // self._known)
        left = max(0, request.tails - tried - len(own))
        sampled, tails = self._sampled(request, request.budget - first, left)
        recipes = map(canonical, [*known.recipes[:first], *sampled, *known.recipes[first:]])
        pipelines = (*known.tails[:tried], *own, *tails, *known.tails[tried:])
        return Proposal(
            tuple(dict.fromkeys(recipes))[: request.budget], tuple(dict.fromkeys(pipelines))
        )

    def _sampled(self, request: Request, wanted: int, tails: int) -> tuple[list[Recipe], list[str]]:
        """Answers, and pipelines to try on every function."""
        # Here, because a compile whose decision is known needs none of it.
        from cr1cc.model.client import ModelClient
        from cr1cc.model.conversation import CONVERSATIONS

        conversation = CONVERSATIONS[self._facts.kind](self._facts.stamps[0][1], request)
        seed = f"{self.name} {request.info.fingerprint}"
        rows = min(_SAMPLES * wanted, conversation.most)
        question = conversation.ask(_ANSWER, rows, _TEMPERATURE, seed)
        question = replace(question, penalty=self._penalty)
        rows = min(_SAMPLES * tails, conversation.most)
        other = conversation.ask_tails(rows, _TEMPERATURE, f"{seed} tails") if rows else None
        with ModelClient(self._facts.path, self._environ, self._resident) as client:
            samples = client.sample(question)
            pipelines = client.sample(other) if other else ()
        recipes = [conversation.heard(_ANSWER, sample).recipe for sample in samples]
        return recipes, [conversation.heard_tail(sample) for sample in pipelines][:tails]
