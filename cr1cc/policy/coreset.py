"""A small set of complementary recipes, mined over a corpus and shipped as data.

There is a list for each metric. The recipes stand in the order in which a greedy cover chose
them, so that any prefix of the list is the best set of its size that was found.
"""

from __future__ import annotations

import hashlib
import json
import os
from functools import cache

from cr1cc.errors import RecipeError, ToolchainError
from cr1cc.passes.recipe import adapt, fits, parse_recipe, tail_holds
from cr1cc.policy.interface import Measure
from cr1cc.records import Metric, Proposal, Recipe, Request

DATA = os.path.join(os.path.dirname(__file__), "coreset.json")


class Coreset:
    name = "coreset"
    machine = ""

    def __init__(self, path: str = DATA) -> None:
        """Raises ToolchainError if the data cannot be read."""
        self.recipes, self.tails, self.version = _load(path)  # recipes by metric

    def propose(self, request: Request, measure: Measure) -> Proposal:
        """The first recipes of the set that hold for this LLVM, target and size of module."""
        chosen: dict[Recipe, None] = {}
        for recipe in self.recipes[request.metric]:
            if len(chosen) < request.budget and fits(recipe, request.info.ic):
                chosen[request.suited(adapt(recipe, request.major, request.target))] = None
        tails = [tail for tail in self.tails if tail_holds(tail, request.major)]
        return Proposal(tuple(chosen), tuple(tails))


@cache
def _load(path: str) -> tuple[dict[Metric, tuple[Recipe, ...]], tuple[str, ...], str]:
    try:
        with open(path, "rb") as file:
            text = file.read()
        data = json.loads(text)
        recipes = {m: tuple(map(parse_recipe, data[m.value]["recipes"])) for m in Metric}
        tails = tuple(data["tails"])
        # What compiles depend on: the recipes for instructions are for comparisons.
        used = json.dumps([data[Metric.BYTES.value]["recipes"], data["tails"]])
    except (OSError, ValueError, KeyError, TypeError, RecipeError) as error:
        raise ToolchainError(f"{path}: no coreset: {error}") from None
    return recipes, tails, hashlib.blake2b(used.encode(), digest_size=8).hexdigest()
