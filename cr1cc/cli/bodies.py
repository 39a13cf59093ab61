"""The body that a function had, and the one that was chosen for it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace

from cr1cc.asm.ifunc import ending
from cr1cc.cli import sides
from cr1cc.config import find_lock, load
from cr1cc.errors import AsmError, EvaluationError, UserError
from cr1cc.journey import Fallback
from cr1cc.listing import Recorded
from cr1cc.lock import Locked
from cr1cc.outcome import Kind, Outcome
from cr1cc.records import Decision
from cr1cc.rewrite.change import Change
from cr1cc.speed.table import build_of
from cr1cc.storage import journal


@dataclass(frozen=True)
class Shorter:
    """A window that was replaced. `by`: the rule; `saved` in bytes."""

    by: str
    old: str
    new: str
    saved: int
    verdict: str
    evidence: str


@dataclass(frozen=True)
class Bodies:
    """Lines of assembly before and after; `made_by` is what made the second ones, `windows` what
    was made shorter in them."""

    function: str
    made_by: str
    titles: tuple[str, str]
    before: list[str]
    after: list[str]
    windows: list[Shorter] = field(default_factory=list)


def bodies_of(
    event: journal.Event, decision: Decision | None, locked: Locked | None, name: str
) -> Bodies:
    """Both bodies of a function, compiled anew. Raises UserError if they are not to be had."""
    replaced = {row.counter for row in Outcome if row.kind is Kind.REPLACED}
    if event.outcome not in replaced:
        raise UserError("the object is what the compiler itself makes: it has no other body")
    config = load(os.environ, os.getcwd())
    if decision is not None and _has_clang_donors(decision):
        config = config._replace(clang_donors=True)  # as it was when it was decided
    lock = find_lock(config.lock, os.path.dirname(event.source)) or ""
    try:
        recorded = Recorded(journal.parted(event.command), config, os.environ)
        made = recorded.listings(decision, locked, lock)
    except (AsmError, EvaluationError, Fallback, ValueError, OSError) as error:
        detail = error.detail if isinstance(error, Fallback) else ""
        raise UserError(f"the bodies cannot be made anew: {error} {detail}".rstrip()) from None
    before, after = (text.decode(errors="replace") for text in (made.before, made.after))
    picked = dict(locked.ifunc).get(name) if locked else None
    now = name + ending(locked.isa) if picked and locked else name
    sizes = _sizes(name, decision)
    bodies = Bodies(
        name,
        _maker(name, decision, locked),
        (f"by {_own(recorded)}{sizes[0]}", f"as decided{sizes[1]}"),
        sides.body(before, name),
        sides.body(after, now) or sides.body(after, name),
        [_shorter(one) for one in made.changes if one.function == name],
    )
    if not bodies.before and not bodies.after:
        known = ", ".join(sorted({*sides.functions(before), *sides.functions(after)})[:8])
        raise UserError(f"there is no function {name}; there are {known or 'none'}")
    return replace(
        bodies, before=bodies.before or ["(no body)"], after=bodies.after or ["(no body)"]
    )


def _shorter(one: Change) -> Shorter:
    old, new = ("; ".join(" ".join(line.split()) for line in side) for side in (one.old, one.new))
    evidence = (one.judgement.by, *(f"{key} {value}" for key, value in one.judgement.evidence))
    words = one.judgement.verdict.word, ", ".join(evidence)
    return Shorter(one.by, old, new or "nothing", one.saved, *words)


def _has_clang_donors(decision: Decision) -> bool:
    donors = (*decision.recipe.stages, *(tail for _, tail in decision.tails))
    return any(donor.startswith("clang ") for donor in donors)


def _own(recorded: Recorded) -> str:
    """The user's own compiler and level."""
    return f"{recorded.name} -O{recorded.plan.level.value}"


def _sizes(name: str, decision: Decision | None) -> tuple[str, str]:
    """What both bodies take in their objects, in words, "" if that is not known."""
    for one in decision.functions if decision else ():
        if one.name == name:
            return f", {one.before} bytes", f", {one.after} bytes"
    return "", ""


def _maker(name: str, decision: Decision | None, locked: Locked | None) -> str:
    """The donor or the recipe of the chosen body."""
    if locked is not None:
        label = {**dict(locked.functions), **dict(locked.ifunc)}.get(name, locked.donor)
        words = build_of(label).in_words(f"-{locked.level}")
        is_higher = locked.isa and (not locked.ifunc or name in dict(locked.ifunc))
        return f"{words} for {locked.isa}" if is_higher else words
    assert decision is not None
    tail = dict(decision.tails).get(name, "")
    if tail and not decision.ic_before:  # a donor of its own
        return tail
    if not decision.recipe.stages:
        return "your own command, with shorter windows"
    stages = filter(None, (*decision.recipe.stages, tail))
    return f"{' ; '.join(stages)} {' '.join(decision.recipe.options)}".rstrip()
