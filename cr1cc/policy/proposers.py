"""The table of proposers."""

from __future__ import annotations

from collections.abc import Callable

from cr1cc.errors import UserError
from cr1cc.policy.baseline import Baseline
from cr1cc.policy.coreset import Coreset
from cr1cc.policy.interface import Proposer
from cr1cc.policy.random_ import RandomRecipes
from cr1cc.policy.search import Search

PROPOSERS: dict[str, Callable[[], Proposer]] = {
    "baseline": Baseline,
    "coreset": Coreset,
    "random": RandomRecipes,
    "search": Search,
}


def proposer_named(name: str) -> Proposer:
    """Raises UserError for a name that is not in the table."""
    try:
        return PROPOSERS[name]()
    except KeyError:
        raise UserError(f"{name} is no proposer: one of {', '.join(PROPOSERS)}") from None
