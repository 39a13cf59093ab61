"""Genetic search over whole pipelines and code-generation options.

The population starts from known good recipes, the standard pipeline pass by pass, thinner ones,
walks on the synergy graph and single options. Tournaments choose parents, crossover and
mutation keep nested pipelines valid by construction, and the winner is minimised: whatever does
no good leaves it.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from cr1cc.passes.prune import minimise
from cr1cc.passes.recipe import BASELINE, canonical
from cr1cc.policy.breeding import Breeder
from cr1cc.policy.coreset import Coreset
from cr1cc.policy.interface import Measure
from cr1cc.records import Failure, Proposal, Recipe, Request, Score, value_of

_FIRST = 40  # recipes of the first population
_PARENTS = 40  # the best, from which parents are chosen
_CHILDREN = 16  # of a generation
_TOURNAMENT = 3
_MINIMISE_SHARE = 3  # one part in three of the budget is kept for minimising the winner,
_MINIMISED = 300  # but no more: what delta debugging of a hundred passes seldom takes
_SEEDS = 8  # recipes of the coreset in the first population
_GIVEN = 16  # the best that are proposed

Fitness = tuple[int, int, int]  # what the metric counts, instructions, length of the recipe


class Search:
    name = "search"
    machine = ""

    def __init__(self, seeds: Sequence[Recipe] | None = None) -> None:
        """`seeds`: recipes to begin with; None: the first of the shipped coreset."""
        self._coreset = Coreset()
        self._seeds = seeds
        self.version = f"3+{self._coreset.version}"

    def propose(self, request: Request, measure: Measure) -> Proposal:
        """The best recipes found, best first; all of them have been measured."""
        known = self._coreset.propose(request, measure)
        seeds = known.recipes[:_SEEDS] if self._seeds is None else self._seeds
        return Proposal(find_best_pass_sequence(request, measure, seeds), known.tails)


def find_best_pass_sequence(
    request: Request, measure: Measure, seeds: Sequence[Recipe] = ()
) -> tuple[Recipe, ...]:
    """The best recipes that a search of `request.budget` evaluations finds, best first.

    `seeds` are recipes to begin with. The name is that of the tool of Compiler-R1
    (arXiv:2506.15701)."""
    run = _Run(request, measure)
    run.evolve([request.suited(seed) for seed in seeds])
    return tuple(run.minimised())


class _Run:
    """One search: the population, the budget that is left, and the random numbers."""

    def __init__(self, request: Request, measure: Measure) -> None:
        self.request = request
        self.measure = measure
        self.rng = Random(f"{Search.name} {request.info.fingerprint}")
        self.breeder = Breeder(request, self.rng)
        self.left = request.budget
        self.fitness: dict[Recipe, Fitness | None] = {}

    def evolve(self, seeds: Sequence[Recipe]) -> None:
        reserve = min(self.request.budget // _MINIMISE_SHARE, _MINIMISED)
        breeder = self.breeder
        known = [recipe for recipe in seeds if breeder.holds(recipe)]
        first = [BASELINE, *known, *breeder.standards()]
        self._evaluate([*first, *breeder.strangers(max(0, _FIRST - len(first)))], reserve)
        while self.left > reserve and (parents := self._alive()[:_PARENTS]):
            before = self.left
            self._evaluate([self._child(parents) for _ in range(_CHILDREN)], reserve)
            if self.left == before:  # nothing new was bred: bring in strangers
                self._evaluate(breeder.strangers(_CHILDREN), reserve)
            if self.left == before:
                return

    def minimised(self) -> list[Recipe]:
        """The winner without what does no good, then the others, best first."""
        alive = self._alive()
        if not alive or self.left <= 0:
            return alive
        winner = minimise(alive[0], self._score, self.left).recipe
        return list(dict.fromkeys([winner, *alive[:_GIVEN]]))

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
        value = value_of(result, self.request.metric)
        return None if value is None else (value, result.ic, length)

    def _child(self, parents: Sequence[Recipe]) -> Recipe:
        return self.breeder.child(self._parent(parents), self._parent(parents))

    def _parent(self, parents: Sequence[Recipe]) -> Recipe:
        """Of these, best first, one that a tournament chooses."""
        return parents[min(self.rng.randrange(len(parents)) for _ in range(_TOURNAMENT))]
