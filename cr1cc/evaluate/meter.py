"""Count and remember measurements: a budget is in evaluations, never in seconds."""

from __future__ import annotations

from collections.abc import Sequence

from cr1cc.errors import EvaluationError
from cr1cc.evaluate.evaluator import Evaluator, Result
from cr1cc.passes.recipe import fits
from cr1cc.records import Failure, Recipe, Score


class Meter:
    """Measures recipes through an evaluator; every new recipe costs one evaluation."""

    def __init__(
        self, evaluator: Evaluator, budget: int, instructions: int = 0, *, emit: bool = True
    ) -> None:
        """`instructions`: of the module before optimisation. What does not fit a module of
        that size is rejected and costs nothing. Without `emit` instructions are counted only.
        """
        self.emit = emit
        self.evaluator = evaluator
        self.budget = budget
        self.instructions = instructions
        self.spent = 0
        self._base: Score | None = None
        self._ceiling = 0.0
        self._known: dict[Recipe, Result] = {}

    def against(self, base: Score, ceiling: float) -> None:
        """From now on a recipe that leaves more instructions than `ceiling` is not emitted, and
        one whose object cannot stand in for that of `base` has failed."""
        self._base, self._ceiling = base, ceiling

    def measure(self, recipes: Sequence[Recipe]) -> list[Result]:
        """One result per recipe, in order. Beyond the budget: Failure.REJECTED."""
        unknown = [r for r in dict.fromkeys(recipes) if r not in self._known]
        new = [r for r in unknown if fits(r, self.instructions)]
        new = new[: self.budget - self.spent]
        self.spent += len(new)
        if new:
            results = self.evaluator.measure(new, ceiling=self._ceiling, emit=self.emit)
            self._known.update(zip(new, map(self._judged, results), strict=True))
        return [self._known.get(recipe, Failure.REJECTED) for recipe in recipes]

    def _judged(self, result: Result) -> Result:
        if self._base is None or not isinstance(result, Score) or result.links_like(self._base):
            return result
        return Failure.SYMBOLS

    def score_of(self, recipe: Recipe) -> Score:
        """What was measured for a recipe. Raises EvaluationError if it has no score."""
        result = self._known.get(recipe)
        if not isinstance(result, Score):
            raise EvaluationError("the recipe was not measured")
        return result

    def gain(self, base: Recipe, recipe: Recipe) -> int:
        """Loadable bytes that `recipe` was measured to save against `base`."""
        before, after = self.score_of(base).loadable, self.score_of(recipe).loadable
        return 0 if before is None or after is None else before - after
