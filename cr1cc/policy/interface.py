"""What every proposer is: features in, ordered recipes out, a budget in evaluations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from cr1cc.records import Failure, Level, Metric, ModuleInfo, Recipe, Score

# Measures recipes for the module at hand, at the cost of one evaluation each.
Measure = Callable[[Sequence[Recipe]], Sequence[Score | Failure]]


@dataclass(frozen=True)
class Request:
    """What a proposer may look at. Equal requests must get equal proposals."""

    info: ModuleInfo
    level: Level
    major: int  # LLVM major version: which passes there are
    target: str  # LLVM target name: which code-generation options hold
    budget: int  # recipes that may be proposed or measured in all
    metric: Metric = Metric.BYTES

    def suited(self, recipe: Recipe) -> Recipe:
        """The recipe as far as the metric can tell: instructions are those of passes alone."""
        return recipe if self.metric is Metric.BYTES else replace(recipe, options=())


@dataclass(frozen=True)
class Proposal:
    """Recipes for the module, best first, and pipelines to try on every function."""

    recipes: tuple[Recipe, ...] = ()
    tails: tuple[str, ...] = ()


class Proposer(Protocol):
    """One way to propose. `version` names everything its proposals depend on."""

    name: str
    version: str

    def propose(self, request: Request, measure: Measure) -> Proposal:
        """At most `request.budget` recipes, those that were measured included."""
        ...
