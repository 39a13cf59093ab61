"""A small set of complementary recipes, mined over a corpus and shipped as data.

The recipes stand in the order in which a greedy cover chose them, so that any
prefix of the list is the best set of its size that was found.
"""

from __future__ import annotations

import hashlib
import json
import os
from functools import cache

from cr1cc.errors import RecipeError, ToolchainError
from cr1cc.passes.recipe import adapt, check_tail, parse_recipe
from cr1cc.policy.interface import Measure, Proposal, Request
from cr1cc.records import Recipe

DATA = os.path.join(os.path.dirname(__file__), "coreset.json")


class Coreset:
    name = "coreset"

    def __init__(self, path: str = DATA) -> None:
        """Raises ToolchainError if the data cannot be read."""
        self.recipes, self.tails, self.version = _load(path)

    def propose(self, request: Request, measure: Measure) -> Proposal:
        """The first recipes of the set that hold for this LLVM and target."""
        adapted = dict.fromkeys(
            adapt(recipe, request.major, request.target) for recipe in self.recipes
        )
        tails = [tail for tail in self.tails if _holds(tail, request.major)]
        return Proposal(tuple(list(adapted)[: request.budget]), tuple(tails))


def _holds(tail: str, major: int) -> bool:
    try:
        check_tail(tail, major)
    except RecipeError:
        return False
    return True


@cache
def _load(path: str) -> tuple[tuple[Recipe, ...], tuple[str, ...], str]:
    try:
        with open(path, "rb") as file:
            text = file.read()
        data = json.loads(text)
        recipes = tuple(parse_recipe(row) for row in data["recipes"])
        tails = tuple(data["tails"])
    except (OSError, ValueError, KeyError, TypeError, RecipeError) as error:
        raise ToolchainError(f"{path}: no coreset: {error}") from None
    return recipes, tails, hashlib.blake2b(text, digest_size=8).hexdigest()
