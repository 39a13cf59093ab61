"""From measurements to a decision. Pure functions: nothing is compiled or stored here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cr1cc.records import Failure, FunctionChange, Metric, Recipe, Score, Turn, value_of

# A recipe that leaves more than this share of the instructions of plain -Oz is not emitted.
CEILING = 1.1

# Instructions, before optimisation, of the largest module that gets all of a budget.
_FULL = 60_000


def affordable(budget: int, instructions: int, least: int) -> int:
    """The evaluations that a module gets: fewer than `budget` if it is very large, so that
    its compile takes no larger multiple of the plain one, but at least `least`."""
    return min(budget, max(least, budget * _FULL // max(instructions, 1)))


def promising(
    base: Score, recipes: Sequence[Recipe], results: Sequence[Score | Failure],
    metric: Metric = Metric.BYTES,
) -> list[Recipe]:  # fmt: skip
    """The recipes that were measured smaller than `base`, smallest first. One whose object
    defines other symbols (C++ functions that are inlined or not) or needs others is refused.

    Equal sizes are ordered by instruction count, then as they were proposed.
    """
    ranked = []
    before = value_of(base, metric)
    for position, (recipe, result) in enumerate(zip(recipes, results, strict=True)):
        after = value_of(result, metric)
        if not isinstance(result, Score) or before is None or after is None:
            continue
        if after < before and result.links_like(base):
            ranked.append((after, result.ic, position, recipe))
    return [recipe for _, _, _, recipe in sorted(ranked, key=lambda row: row[:3])]


_TRACED = 64  # turns of a trace that are kept


def trace(
    base: Score, recipes: Sequence[Recipe], results: Sequence[Score | Failure]
) -> tuple[Turn, ...]:
    """What was tried, as turns, of a proposer that only proposes."""
    pairs = zip(recipes[:_TRACED], results[:_TRACED], strict=True)
    return tuple(
        Turn(
            Turn.MEASURED, recipe, base.loadable or 0, r.loadable if isinstance(r, Score) else None
        )
        for recipe, r in pairs
    )


def best_tails(
    base: Mapping[str, int], tails: Sequence[str], sizes: Sequence[Mapping[str, int] | Failure]
) -> dict[str, tuple[str, int]]:
    """For every function of `base`, its best tail and the size with it.

    "" and its own size where no tail makes it strictly smaller; of equal tails the
    first. A function that a tail makes disappear from the object is left alone:
    its body went elsewhere.
    """
    best = {name: ("", size) for name, size in base.items()}
    for tail, measured in zip(tails, sizes, strict=True):
        if isinstance(measured, Failure):
            continue
        for name, size in measured.items():
            if name in best and size < best[name][1]:
                best[name] = (tail, size)
    return best


def function_changes(
    before: Mapping[str, int],
    after: Mapping[str, int],
    tails: Mapping[str, str],
    origins: Mapping[str, str],
) -> tuple[FunctionChange, ...]:
    """What became of every function of two objects, by name."""
    return tuple(
        FunctionChange(
            name,
            before.get(name, 0),
            after.get(name, 0),
            tails.get(name, ""),
            origins.get(name, ""),
        )
        for name in sorted(before.keys() | after.keys())
    )
