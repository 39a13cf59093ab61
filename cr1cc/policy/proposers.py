"""The table of proposers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cr1cc.config import Config
from cr1cc.errors import ModelError, UserError
from cr1cc.policy.baseline import Baseline
from cr1cc.policy.coreset import Coreset
from cr1cc.policy.interface import Proposer
from cr1cc.util.messages import Resident

if TYPE_CHECKING:
    from cr1cc.model.describe import ModelFacts


@dataclass(frozen=True)
class Circumstances:
    """What a proposer may need besides the request."""

    config: Config
    environ: Mapping[str, str]
    # Gives, for a model and the files that its answers depend on, where it is resident.
    resident: Callable[[str, tuple[str, ...]], Resident | None] = lambda path, files: None


# A compile has one proposer, and imports no other.


def _agent(around: Circumstances) -> Proposer:
    from cr1cc.policy.agent import Agent

    return Agent(*described(around))


def _model(around: Circumstances) -> Proposer:
    from cr1cc.policy.model_ import Model

    return Model(*described(around))


def _random(around: Circumstances) -> Proposer:
    from cr1cc.policy.random_ import RandomRecipes

    return RandomRecipes()


def _search(around: Circumstances) -> Proposer:
    from cr1cc.policy.search import Search

    return Search()


def described(around: Circumstances) -> tuple[ModelFacts, Mapping[str, str], Resident | None]:
    """Raises ModelError if there is no model that can be used."""
    from cr1cc.model.describe import describe

    config = around.config
    facts = describe(config.model, cache_dir=config.cache_dir, environ=around.environ)
    if facts.problem:
        raise ModelError(facts.problem)
    files = tuple(path for path, _ in facts.stamps)
    return facts, around.environ, around.resident(facts.path, files)


PROPOSERS: dict[str, Callable[[Circumstances], Proposer]] = {
    "agent": _agent,
    "baseline": lambda around: Baseline(),
    "coreset": lambda around: Coreset(),
    "model": _model,
    "random": _random,
    "search": _search,
}

WITH_MODEL = ("agent", "model")


def proposer_named(name: str, around: Circumstances) -> Proposer:
    """Raises UserError for a name that is not in the table, ModelError if a model is wanted
    that cannot be used."""
    try:
        make = PROPOSERS[name]
    except KeyError:
        raise UserError(f"{name} is no proposer: one of {', '.join(PROPOSERS)}") from None
    return make(around)
