"""Greedy covers: from measurements of many recipes to a few that complement each other.

The gain of a set is that of the best of its members on each module, so gains are
submodular; for equal costs the greedy choice then has at least 1 - 1/e of the gain of
the best set of its size (Nemhauser, Wolsey and Fisher 1978).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from cr1cc.passes.macros import SIZE, is_macro
from cr1cc.passes.options import tuning
from cr1cc.passes.recipe import parse_recipe
from cr1cc.records import Recipe

Row = Mapping[str, Any]


def cover_recipes(
    texts: Sequence[str], rows: Sequence[Row], count: int
) -> tuple[list[str], tuple[float, ...], tuple[float, ...]]:
    """At most `count` recipes, and mean and total gain of each prefix of them.

    A row holds `bytes` of a module and its `sizes` by recipe, in the order of `texts`. Each
    step takes the recipe that adds most to mean gain plus total gain, for the square root of
    what it costs beside those that were taken: a budget counts recipes, a user waits for their
    time, and this is the geometric mean of both views.
    """
    before = [int(row["bytes"]) for row in rows]
    sizes: list[list[int]] = [row["sizes"] for row in rows]
    best, whole = list(before), sum(before) or 1
    chosen: list[str] = []
    means: list[float] = []
    totals: list[float] = []

    def value(column: int) -> float:
        gain = 0.0
        for i, row in enumerate(sizes):
            saved = max(0, best[i] - row[column])
            gain += saved / before[i] / len(before) + saved / whole
        return gain

    parsed = [parse_recipe(text) for text in texts]
    made: set[tuple[tuple[str, ...], ...]] = {((SIZE,), ())}  # plain -Oz is measured anyway
    while len(chosen) < count:
        worth = [value(c) / math.sqrt(_cost(recipe, made)) for c, recipe in enumerate(parsed)]
        column = max(range(len(texts)), key=lambda c: (worth[c], -c))
        if worth[column] <= 0:
            break
        made.add((parsed[column].stages, tuning(parsed[column].options)))
        best = [min(b, row[column]) for b, row in zip(best, sizes, strict=True)]
        chosen.append(texts[column])
        means.append(sum(1 - b / a for a, b in zip(before, best, strict=True)) / len(before))
        totals.append(1 - sum(best) / whole)
    return chosen, tuple(means), tuple(totals)


def _cost(recipe: Recipe, made: Collection[tuple[tuple[str, ...], ...]]) -> float:
    """Time of measuring a recipe, in code generations of the module. Running a standard
    pipeline takes about 0.6 of one, other stages and a new worker about 0.2."""
    if (recipe.stages, tuning(recipe.options)) in made:
        return 1.2
    return 1.2 + sum(0.6 if is_macro(stage) else 0.2 for stage in recipe.stages)


def cover_tails(tails: Sequence[str], rows: Sequence[Row], count: int) -> list[str]:
    """At most `count` pipelines, each the one that saves most beside those before it.

    A row holds `functions`: for each its own size, then its sizes by pipeline.
    """
    functions: list[list[int]] = [f for row in rows for f in row.get("functions", ())]
    best = [f[0] for f in functions]
    chosen: list[str] = []
    while len(chosen) < count:
        gains = [
            sum(max(0, b - f[c + 1]) for b, f in zip(best, functions, strict=True))
            for c in range(len(tails))
        ]
        column = max(range(len(tails)), key=lambda c: (gains[c], -c))
        if gains[column] <= 0:
            break
        best = [min(b, f[column + 1]) for b, f in zip(best, functions, strict=True)]
        chosen.append(tails[column])
    return chosen
