"""What is compared: a proposer, its model file and its evaluations, NAME[@FILE][:EVALUATIONS]."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from cr1cc.bench.results import Protocol
from cr1cc.config import Config
from cr1cc.errors import ModelError, UserError
from cr1cc.passes.macros import SIZE
from cr1cc.passes.recipe import holds
from cr1cc.policy.interface import Measure, Proposer
from cr1cc.policy.model_ import Model
from cr1cc.policy.proposers import PROPOSERS, Circumstances, described, proposer_named
from cr1cc.records import Failure, Proposal, Recipe, Request, Score, Turn
from cr1cc.rewrite.version import rewriting

_MOST = 100_000  # evaluations


@dataclass(frozen=True)
class Contender:
    """One column of a comparison. `rewriting`: what its object depends on besides, if the assembly
    of it is made shorter as in a build; empty if it is not."""

    name: str
    proposer: Timed
    candidates: int
    rewriting: str = ""


class Timed:
    """A proposer, how long it thought about its last proposal without measurements, and how it
    kept to the protocol there. One that fails has answered nothing, which is plain -Oz."""

    def __init__(self, proposer: Proposer) -> None:
        self.proposer = proposer
        self.name = proposer.name
        self.version = proposer.version
        self.machine = proposer.machine
        self.thinking = 0.0  # seconds
        self.protocol = Protocol()

    def propose(self, request: Request, measure: Measure) -> Proposal:
        measuring = 0.0

        def timed(recipes: Sequence[Recipe]) -> Sequence[Score | Failure]:
            nonlocal measuring
            begin = time.perf_counter()
            try:
                return measure(recipes)
            finally:
                measuring += time.perf_counter() - begin

        start = time.perf_counter()
        try:
            proposal = self.proposer.propose(request, timed)
            self.protocol = _protocol(proposal, request)
        except ModelError:
            proposal, self.protocol = Proposal(), Protocol(failed=True)
        self.thinking = time.perf_counter() - start - measuring
        return proposal


def _protocol(proposal: Proposal, request: Request) -> Protocol:
    """Recipes are looked at again here, whatever made them well formed."""
    actions = [turn.action for turn in proposal.trace]
    said = {*proposal.recipes, *(turn.recipe for turn in proposal.trace)}
    return Protocol(
        actions.count(Turn.MEASURED),
        actions.count(Turn.SEARCHED),
        sum(not holds(recipe, request.major, request.target) for recipe in said),
    )


class Twice:
    """The size pipeline once more: what is gained without any choice."""

    name = "twice"
    version = "1"
    machine = ""

    def propose(self, request: Request, measure: Measure) -> Proposal:
        return Proposal((Recipe((SIZE, SIZE)),))


def _samples(around: Circumstances) -> Proposer:
    """The model's own answers, nothing of the coreset."""
    return Model(*described(around), known=0)


def _penalised(around: Circumstances) -> Proposer:
    """The same with the repetition penalty of Compiler-R1 (arXiv:2506.15701)."""
    return Model(*described(around), known=0, penalty=1.05)


# What is compared but cannot be set as proposer. "default" is a build by the settings as they come.
_DEFAULT = "default"
_VARIANTS: dict[str, Callable[[Circumstances], Proposer]] = {
    _DEFAULT: lambda around: proposer_named(Config().proposer, around),
    "penalised": _penalised,
    "samples": _samples,
    "twice": lambda around: Twice(),
}
NAMES = (*PROPOSERS, *_VARIANTS)


def contenders(
    words: Sequence[str], candidates: int, around: Circumstances, note: Callable[[str], None]
) -> list[Contender]:
    """Those that are named, or all proposers; `candidates` where a word says no number. Among
    all, a model that cannot be used is missing, and `note` is told. Raises UserError."""
    found = []
    for word in dict.fromkeys(words or PROPOSERS):
        whole, _, number = word.partition(":")
        name, _, file = whole.partition("@")
        budget = _number(word, number) if number else candidates
        where = replace(around, config=around.config._replace(model=file)) if file else around
        try:
            shorter = rewriting(Config().rewrite, "clang") if name == _DEFAULT else ""
            found.append(Contender(word, Timed(_proposer(name, where)), budget, shorter))
        except ModelError as error:
            if words:
                raise
            note(f"left out: {name}: {error}")
    return found


def _proposer(name: str, around: Circumstances) -> Proposer:
    if name in _VARIANTS:
        return _VARIANTS[name](around)
    if name not in NAMES:
        raise UserError(f"{name} is no proposer: {', '.join(NAMES)}")
    return proposer_named(name, around)


def _number(word: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _MOST):
        raise UserError(f"{word}: evaluations are a number from 1 to {_MOST}")
    return int(text)
