"""The first recipes of the coreset: complementary ones, the same for every module."""

from __future__ import annotations

from cr1cc.passes.coreset import DATA, known
from cr1cc.passes.recipe import adapt, fits, tail_holds
from cr1cc.policy.interface import Measure
from cr1cc.records import Proposal, Recipe, Request


class Coreset:
    name = "coreset"
    machine = ""

    def __init__(self, path: str = DATA) -> None:
        """Raises ToolchainError if the data cannot be read."""
        data = known(path)
        self.recipes, self.tails, self.version = data.recipes, data.tails, data.version

    def propose(self, request: Request, measure: Measure) -> Proposal:
        """The first recipes of the set that hold for this LLVM, target and size of module."""
        chosen: dict[Recipe, None] = {}
        for recipe in self.recipes[request.metric]:
            if len(chosen) < request.budget and fits(recipe, request.info.ic):
                chosen[request.suited(adapt(recipe, request.major, request.target))] = None
        tails = [tail for tail in self.tails if tail_holds(tail, request.major)]
        return Proposal(tuple(chosen), tuple(tails))
