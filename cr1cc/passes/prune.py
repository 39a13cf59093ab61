"""Make a recipe smaller: drop what does nothing, or what does no harm to drop.

Both walk from the last element to the first, so that a pass whose only use was to
prepare a later one goes once the later one is gone. Deterministic; the budget is
in evaluations, that is, in calls of the function given.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from cr1cc.passes.grammar import Pipeline, format_pipeline, keep, leaves, parse_pipeline
from cr1cc.passes.macros import is_macro
from cr1cc.passes.recipe import begins, canonical
from cr1cc.records import Recipe


@dataclass(frozen=True)
class Pruned:
    """A smaller recipe and how many evaluations it took to find it."""

    recipe: Recipe
    evaluations: int


def prune(recipe: Recipe, token: Callable[[Recipe], Hashable | None], budget: int = 1000) -> Pruned:
    """Drop every stage, pass and option whose removal leaves the token as it was.

    `token` tells what a recipe acts like, e.g. a module's fingerprint or a pair
    (IC, bytes); None means that the recipe failed, and a failure is never kept.
    """
    goal = token(recipe)
    if goal is None:
        return Pruned(recipe, 1)
    return _shrink(recipe, lambda smaller: token(smaller) == goal, budget, 1, begins)


def minimise(recipe: Recipe, score: Callable[[Recipe], Any | None], budget: int = 1000) -> Pruned:
    """Drop whatever does not make the score worse; lower scores are better.

    A removal that improves the score raises the bar for the next. None: it failed.
    """
    best = score(recipe)
    if best is None:
        return Pruned(recipe, 1)

    def acceptable(smaller: Recipe) -> bool:
        nonlocal best
        new = score(smaller)
        if new is None or new > best:
            return False
        best = new
        return True

    return _shrink(recipe, acceptable, budget, 1, begins)


def reduce(recipe: Recipe, wanted: Callable[[Recipe], bool], budget: int = 1000) -> Pruned:
    """The smallest recipe found that still has a property, e.g. that still miscompiles. It may
    have lost the macro that recipes begin with."""
    return _shrink(recipe, wanted, budget, 0, lambda _: True)


def _shrink(
    recipe: Recipe, acceptable: Callable[[Recipe], bool], budget: int, spent: int,
    formed: Callable[[Recipe], bool],
) -> Pruned:  # fmt: skip
    """Delta debugging (Zeller and Hildebrandt, 2002): large pieces first, from the end. What
    is not well formed costs nothing."""
    recipe = canonical(recipe)
    seen = {recipe}
    size = max(1, _count_units(recipe) // 2)
    while True:
        progress = False
        end = _count_units(recipe)
        while end > 0:
            start = max(0, end - size)
            smaller = canonical(_without(recipe, range(start, end)))
            end = start
            if smaller in seen or not formed(smaller):
                continue
            if spent >= budget:
                return Pruned(recipe, spent)
            seen.add(smaller)
            spent += 1
            if acceptable(smaller):
                recipe, progress = smaller, True
        if size == 1 and not progress:
            return Pruned(recipe, spent)
        size = max(1, size // 2)


def _keep_outside(tree: Pipeline, offset: int, dropped: range) -> Pipeline:
    return keep(tree, lambda index: offset + index not in dropped)


def _stage_units(stage: str) -> int:
    """How many things can be dropped of a stage: its passes, or the macro as a whole."""
    return 1 if is_macro(stage) else len(leaves(parse_pipeline(stage)))


def _count_units(recipe: Recipe) -> int:
    return sum(map(_stage_units, recipe.stages)) + len(recipe.options)


def _without(recipe: Recipe, dropped: range) -> Recipe:
    """The recipe without some units, counted through the stages and then the options."""
    stages, offset = [], 0
    for stage in recipe.stages:
        count = _stage_units(stage)
        if is_macro(stage):
            text = "" if offset in dropped else stage
        else:
            text = format_pipeline(_keep_outside(parse_pipeline(stage), offset, dropped))
        if text:
            stages.append(text)
        offset += count
    options = (o for index, o in enumerate(recipe.options, offset) if index not in dropped)
    return Recipe(tuple(stages), tuple(options))
