"""Genetic search over valid pipelines and code-generation options.

A genome is what follows the standard pipeline: one stage and a set of options. The
population starts from single options, short random stages and known good recipes;
tournaments choose parents, crossover and mutation keep pipelines valid by
construction, and the winner is minimised: whatever does no good leaves it.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from cr1cc.passes.macros import SIZE
from cr1cc.passes.options import options_for
from cr1cc.passes.pipeline import crossover, mutate, random_pipeline
from cr1cc.passes.prune import minimise
from cr1cc.passes.recipe import canonical, fits, holds
from cr1cc.policy.coreset import Coreset
from cr1cc.policy.interface import Measure
from cr1cc.records import Failure, Metric, Proposal, Recipe, Request, Score

_POPULATION = 16
_TOURNAMENT = 3
_MINIMISE_SHARE = 5  # one part in five of the budget is kept for minimising the winner
_SEEDS = 8  # recipes of the coreset in the first population
_MAX_WORDS = 600  # characters of a stage: a longer one is not bred from

Fitness = tuple[int, int, int]  # what the metric counts, instructions, length of the recipe


class Search:
    name = "search"
    machine = ""

    def __init__(self, seeds: Sequence[Recipe] | None = None) -> None:
        """`seeds`: recipes to begin with; None: the first of the shipped coreset."""
        self._coreset = Coreset()
        self._seeds = seeds
        self.version = f"1+{self._coreset.version}"

    def propose(self, request: Request, measure: Measure) -> Proposal:
        """The best recipes found, best first; all of them have been measured."""
        known = self._coreset.propose(request, measure)
        seeds = known.recipes[:_SEEDS] if self._seeds is None else self._seeds
        run = _Run(request, measure, Random(f"{self.name} {request.info.fingerprint}"))
        run.evolve([recipe for recipe in map(request.suited, seeds) if run.holds(recipe)])
        return Proposal(tuple(run.minimised()), known.tails)


class _Run:
    """One search: the population, the budget that is left, and the random numbers."""

    def __init__(self, request: Request, measure: Measure, rng: Random) -> None:
        self.request = request
        self.measure = measure
        self.rng = rng
        self.left = request.budget
        options = options_for(request.major, request.target)
        self.options = [row.text for row in options if request.metric is Metric.BYTES]
        self.fitness: dict[Recipe, Fitness | None] = {}

    def holds(self, recipe: Recipe) -> bool:
        return (
            holds(recipe, self.request.major, self.request.target)
            and fits(recipe, self.request.info.ic)
            and all(len(stage) <= _MAX_WORDS for stage in recipe.stages)
        )

    def evolve(self, seeds: Sequence[Recipe]) -> None:
        reserve = self.request.budget // _MINIMISE_SHARE
        self._evaluate([Recipe((SIZE,)), *seeds, *self._newcomers()][:_POPULATION], reserve)
        while self.left > reserve and self._alive():
            before = self.left
            self._evaluate([self._child() for _ in range(_POPULATION // 2)], reserve)
            if self.left == before:  # nothing new was bred: bring in strangers
                self._evaluate(self._newcomers(), reserve)
            if self.left == before:
                return

    def minimised(self) -> list[Recipe]:
        """The winner without what does no good, then the others, best first."""
        alive = self._alive()
        if not alive or self.left <= 0:
            return alive
        winner = minimise(alive[0], self._score, self.left).recipe
        return list(dict.fromkeys([winner, *alive[:_POPULATION]]))

    def _score(self, recipe: Recipe) -> tuple[int, int] | None:
        self._evaluate([recipe], 0)
        fitness = self.fitness.get(canonical(recipe))
        return fitness[:2] if fitness else None

    def _alive(self) -> list[Recipe]:
        scored = [(fitness, recipe) for recipe, fitness in self.fitness.items() if fitness]
        return [recipe for _, recipe in sorted(scored)]

    def _evaluate(self, recipes: Sequence[Recipe], reserve: int) -> None:
        new = [r for r in dict.fromkeys(map(canonical, recipes)) if r not in self.fitness]
        new = new[: max(0, self.left - reserve)]
        self.left -= len(new)
        for recipe, result in zip(new, self.measure(new) if new else (), strict=True):
            length = sum(map(len, recipe.stages)) + sum(map(len, recipe.options))
            self.fitness[recipe] = self._fitness(result, length)

    def _fitness(self, result: Score | Failure, length: int) -> Fitness | None:
        if isinstance(result, Failure):
            return None
        size = result.loadable if self.request.metric is Metric.BYTES else result.ic
        return None if size is None else (size, result.ic, length)

    def _newcomers(self) -> list[Recipe]:
        strangers = [Recipe((SIZE,), (option,)) for option in self._sample(_POPULATION // 2)]
        strangers += [
            Recipe((SIZE, random_pipeline(self.rng, self.request.major, self.rng.randint(1, 6))))
            for _ in range(_POPULATION // 2)
        ]
        return [recipe for recipe in strangers if self.holds(recipe)]

    def _sample(self, count: int) -> list[str]:
        return self.rng.sample(self.options, min(count, len(self.options)))

    def _child(self) -> Recipe:
        mother, father = self._parent(), self._parent()
        stage = mother.stages[-1] if len(mother.stages) > 1 else ""
        other = father.stages[-1] if len(father.stages) > 1 else ""
        if stage.startswith("@") or other.startswith("@"):
            stages = [*mother.stages]
            fresh = random_pipeline(self.rng, self.request.major, self.rng.randint(1, 4))
            stages.append(fresh)
        else:
            if stage and other and self.rng.random() < 0.5:
                stage = crossover(self.rng, stage, other)
            if self.rng.random() < 0.8:
                stage = mutate(self.rng, stage, self.request.major)
            stages = [*mother.stages[:-1], stage] if len(mother.stages) > 1 else [SIZE, stage]
        child = Recipe(tuple(s for s in stages if s), self._options(mother, father))
        return child if self.holds(child) else mother

    def _options(self, mother: Recipe, father: Recipe) -> tuple[str, ...]:
        pool = sorted({*mother.options, *father.options})
        kept = [option for option in pool if self.rng.random() < 0.7]
        if self.options and self.rng.random() < 0.4:
            kept.append(self.rng.choice(self.options))
        chosen: list[str] = []
        for option in kept:  # two options of one group conflict: the first stays
            if self.holds(Recipe((SIZE,), (*chosen, option))):
                chosen.append(option)
        return tuple(sorted(chosen))

    def _parent(self) -> Recipe:
        alive = self._alive()[: _POPULATION * 2]
        return alive[min(self.rng.randrange(len(alive)) for _ in range(_TOURNAMENT))]
