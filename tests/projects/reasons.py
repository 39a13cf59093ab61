"""Why each object of a build is as it is, from the journal that the compilers keep."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from cr1cc import config
from cr1cc.outcome import Outcome
from cr1cc.storage import journal
from tests.projects.build import Build, Compiler


def events(compiler: Compiler) -> list[journal.Event]:
    """Every command that this compiler was given, oldest first."""
    return list(journal.read(config.state_home({**os.environ, **compiler.environ})))


def by_object(compiler: Compiler, built: Build) -> dict[str, str]:
    """A sentence for each object of `built`, by its path in the tree."""
    last = {os.path.normpath(event.output): event for event in events(compiler) if event.output}
    tree = Path(os.path.normpath(built.tree))
    return {
        item.path: _sentence(last[str(tree / item.path)]) if str(tree / item.path) in last
        else "no decision: the command was passed through or is not the object's own"
        for item in built.objects
    }  # fmt: skip


def decided(compiler: Compiler, built: Build, since: int = 0) -> set[str]:
    """The objects of `built` for which events after the first `since` hold a decision."""
    tree = Path(os.path.normpath(built.tree))
    seen = {os.path.normpath(event.output) for event in events(compiler)[since:] if event.output}
    return {item.path for item in built.objects if str(tree / item.path) in seen}


def counts(compiler: Compiler) -> dict[str, int]:
    """Commands by outcome, most frequent first."""
    return dict(Counter(event.outcome for event in events(compiler)).most_common())


def _sentence(event: journal.Event) -> str:
    outcome = Outcome.__members__.get(event.outcome.upper())
    words = outcome.sentence if outcome else event.outcome
    if event.detail:
        words += f" ({event.detail})"
    if event.hit:
        return f"{words}; known from {'the shipped pack' if event.hit == 'pack' else 'before'}"
    if event.evaluations:
        return f"{words}; {event.proposer}, {event.evaluations} evaluations"
    return words
