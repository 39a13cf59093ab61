"""Known good recipes and tails: the coreset, mined over a corpus and shipped as data.

There is a list for each metric. The recipes stand in the order in which a greedy cover chose
them, so that any prefix of the list is the best set of its size that was found.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from functools import cache

from cr1cc.errors import RecipeError, ToolchainError
from cr1cc.passes.recipe import parse_recipe
from cr1cc.records import Metric, Recipe

DATA = os.path.join(os.path.dirname(__file__), "coreset.json")


@dataclass(frozen=True)
class Known:
    """What the data says, and a digest of what compiles depend on."""

    recipes: dict[Metric, tuple[Recipe, ...]]
    tails: tuple[str, ...]
    version: str


@cache
def known(path: str = DATA) -> Known:
    """Raises ToolchainError if the data cannot be read."""
    try:
        with open(path, "rb") as file:
            text = file.read()
        data = json.loads(text)
        recipes = {m: tuple(map(parse_recipe, data[m.value]["recipes"])) for m in Metric}
        tails = tuple(data["tails"])
        # The recipes for instructions are for comparisons.
        used = json.dumps([data[Metric.BYTES.value]["recipes"], data["tails"]])
    except (OSError, ValueError, KeyError, TypeError, RecipeError) as error:
        raise ToolchainError(f"{path}: no coreset: {error}") from None
    return Known(recipes, tails, hashlib.blake2b(used.encode(), digest_size=8).hexdigest())
