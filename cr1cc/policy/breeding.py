"""How a genetic search makes new recipes from old ones: valid by construction.

A recipe is a macro, the stages that follow it, and options of code generation. Operators work
on one stage at a time and keep its nesting (`cr1cc.passes.pipeline`); a stage that is a macro
is moved or dropped as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from cr1cc.passes.grammar import leaves, parse_pipeline
from cr1cc.passes.macros import SIZE, START, is_macro
from cr1cc.passes.options import options_for
from cr1cc.passes.pipeline import crossover, mutate, thin
from cr1cc.passes.recipe import fits, holds
from cr1cc.passes.standard import seeds as standard_seeds
from cr1cc.policy.synergy import graph
from cr1cc.records import Metric, Recipe, Request

_LONGEST = 100  # passes of a recipe: with more it is not bred from
_MOST_STAGES = 5
_THIN = (0.03, 0.08, 0.15)  # shares of passes that a child goes without
_THINNER = (0.05, 0.1, 0.2, 0.3)  # the same of the first population
_WALK = (2, 24)  # passes of a stranger
_TAIL = (1, 4)  # passes that come behind what there is


class Breeder:
    """New recipes for one request."""

    def __init__(self, request: Request, rng: Random) -> None:
        self.request = request
        self.rng = rng
        rows = options_for(request.major, request.target)
        self.options = [row.text for row in rows if request.metric is Metric.BYTES]

    def holds(self, recipe: Recipe) -> bool:
        """Whether it is vetted, fits the module and can be bred from."""
        return (
            holds(recipe, self.request.major, self.request.target)
            and fits(recipe, self.request.info.ic)
            and sum(map(_length, recipe.stages)) <= _LONGEST
        )

    def strangers(self, count: int) -> list[Recipe]:
        """Single options, walks from scratch and behind the size pipeline, thinned standards."""
        kinds: list[Callable[[], Recipe]] = [self._walk, self._thinned, self._behind]
        if self.options:
            kinds.append(lambda: Recipe((SIZE,), (self.rng.choice(self.options),)))
        made = [kinds[i % len(kinds)]() for i in range(count)]
        return [recipe for recipe in made if self.holds(recipe)]

    def child(self, mother: Recipe, father: Recipe) -> Recipe:
        """Changed a little, or the mother where what came out does not hold."""
        body = list(mother.stages[1:])
        self._mix(body, father.stages[1:])
        for _ in range(self.rng.choice((0, 1, 1, 2, 3))):
            spots = [i for i, stage in enumerate(body) if not is_macro(stage)]
            if spots:
                spot = self.rng.choice(spots)
                body[spot] = mutate(self.rng, body[spot], self.request.major)
        stages = (mother.stages[0], *(stage for stage in body if stage))
        child = Recipe(stages, self._options(mother, father))
        return child if self.holds(child) else mother

    def _mix(self, body: list[str], other: Sequence[str]) -> None:
        """Cross a stage with one of the father's, take one of his, thin out, or go on."""
        rng, kind = self.rng, self.rng.random()
        if kind < 0.3 and body and other:
            spot = rng.randrange(len(body))
            theirs = other[min(spot, len(other) - 1)]
            plain = not (is_macro(body[spot]) or is_macro(theirs))
            body[spot] = crossover(rng, body[spot], theirs) if plain else theirs
        elif kind < 0.5:
            share = rng.choice(_THIN)
            body[:] = [s if is_macro(s) else thin(rng, s, share) for s in body]
        elif kind < 0.6 and len(body) < _MOST_STAGES:
            body.append(graph().walk(rng, self.request.major, rng.randint(*_TAIL)))
        elif kind < 0.65 and len(body) > 1:
            del body[rng.randrange(len(body))]

    def _options(self, mother: Recipe, father: Recipe) -> tuple[str, ...]:
        pool = sorted({*mother.options, *father.options})
        kept = [option for option in pool if self.rng.random() < 0.8]
        if self.options and self.rng.random() < 0.4:
            kept.append(self.rng.choice(self.options))
        chosen: list[str] = []
        for option in kept:  # two options of one group conflict: the first stays
            if self.holds(Recipe((SIZE,), (*chosen, option))):
                chosen.append(option)
        return tuple(sorted(chosen))

    def _walk(self) -> Recipe:
        return Recipe((START, self._passes(*_WALK)))

    def _behind(self) -> Recipe:
        return Recipe((SIZE, self._passes(*_TAIL)))

    def _thinned(self) -> Recipe:
        recipe = self.rng.choice(self.standards())
        share = self.rng.choice(_THINNER)
        body = (thin(self.rng, stage, share) for stage in recipe.stages[1:])
        return Recipe((START, *(stage for stage in body if stage)))

    def _passes(self, least: int, most: int) -> str:
        return graph().walk(self.rng, self.request.major, self.rng.randint(least, most))

    def standards(self) -> list[Recipe]:
        """The standard pipelines, pass by pass, as far as they hold."""
        found = standard_seeds(self.request.major, self.request.target)
        return [recipe for recipe in found if self.holds(recipe)]


def _length(stage: str) -> int:
    return 1 if is_macro(stage) else len(leaves(parse_pipeline(stage)))
