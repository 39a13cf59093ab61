"""What every proposer is: features in, ordered recipes out, a budget in evaluations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from cr1cc.records import Failure, Proposal, Recipe, Request, Score

# Measures recipes for the module at hand, at the cost of one evaluation each. Plain -Oz has been
# measured already and costs nothing.
Measure = Callable[[Sequence[Recipe]], Sequence[Score | Failure]]


class Proposer(Protocol):
    """One way to propose. `version` names everything its proposals depend on, but for
    `machine`: what may be otherwise on other machines with the same version of this program."""

    name: str
    version: str
    machine: str

    def propose(self, request: Request, measure: Measure) -> Proposal:
        """At most `request.budget` recipes, those that were measured included."""
        ...
