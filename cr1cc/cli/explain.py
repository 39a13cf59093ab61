"""`cr1 explain FILE`: what was done to one file, why, and on what evidence."""

from __future__ import annotations

import os
from dataclasses import asdict
from datetime import datetime

import click

from cr1cc.cli import output, sides
from cr1cc.cli.bodies import bodies_of
from cr1cc.config import find_lock, load, state_home
from cr1cc.errors import UserError
from cr1cc.lock import Locked, name_of, read_lock
from cr1cc.outcome import Outcome
from cr1cc.passes.recipe import format_recipe
from cr1cc.records import RELAYED, RENAMED, Decision, Rewritten
from cr1cc.speed import training
from cr1cc.speed.table import build_of
from cr1cc.storage import journal
from cr1cc.storage.store import DecisionStore

_ORIGINS = {
    "": "searched in this compile",
    "module": "known from the local cache",
    "object": "known from the local cache, which has the object itself",
    "pack": "known from a pack that ships with cr1",
}


@click.command("explain")
@click.argument("file", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--function", "name", default="", help="Show its body, original and chosen.")
@click.option("--trace", is_flag=True, help="Show every turn of the search for the recipe.")
def command(file: str, as_json: bool, name: str, trace: bool) -> None:
    """Say what the last command with FILE (a source or an object) came to, and why.

    With --function, the bodies that a function had and got are made anew by the
    compilers and shown side by side.
    """
    event = _event(file)
    decision = _decision(event.key) if event.key else None
    locked = _locked(event) if event.outcome == Outcome.LOCKED.counter else None
    shown = bodies_of(event, decision, locked, name) if name else None
    if as_json:
        known = {**_document(event, decision), "locked": vars(locked) if locked else None}
        output.document({**known, "bodies": asdict(shown) if shown else None})
    else:
        _print(event, decision)
        if locked is not None:
            _print_locked(locked)
        if trace and decision is not None:
            _print_trace(decision)
        if shown is not None:
            click.echo()
            for label, text in (("function", shown.function), ("body by", shown.made_by)):
                click.echo(f"{label + ':':<13}{output.plain(text)}")
            sides.show(shown.titles, shown.before, shown.after)
            if shown.windows:
                click.echo()
                headings = ("window", "became", "saved", "verdict", "by", "evidence")
                made = [(w.old, w.new, w.saved, w.verdict, w.by, w.evidence) for w in shown.windows]
                output.table(headings, made, numbers=(2,))


def _event(file: str) -> journal.Event:
    directory = state_home(os.environ)
    path = os.path.abspath(file)
    for candidate in dict.fromkeys((path, os.path.realpath(path))):
        if (event := journal.last(directory, candidate)) is not None:
            return event
    raise UserError(f"{output.plain(file)}: no command with this file has been recorded")


def _decision(key: str) -> Decision | None:
    with DecisionStore(load(os.environ, os.getcwd())) as store:
        return store.module(key)


def _locked(event: journal.Event) -> Locked | None:
    """The decision of the lockfile that was followed, if it is still there."""
    path = find_lock(load(os.environ, os.getcwd()).lock, os.path.dirname(event.source))
    try:
        decisions = read_lock(path) if path else []
    except UserError:
        return None
    name = name_of(event.source, path) if path else ""
    fitting = [one for one in decisions if (one.source, one.donor) == (name, event.detail)]
    return fitting[0] if fitting else None


def _print_locked(locked: Locked) -> None:
    """What was decided, by whom it is made, and on what evidence."""
    build = build_of(locked.donor)
    total = f"{locked.gain}, {locked.runs} runs of each"
    number = locked.windows.partition(":")[0] or "0"
    model = f"; {len(locked.proposed)} kinds of them by a model" if locked.proposed else ""
    lines = [
        ("donor", build.in_words(f"-{locked.level}")),
        ("good for", build.good_for),
        ("isa", "" if locked.ifunc else locked.isa),
        ("made by", " and ".join(filter(None, (locked.compiler, locked.other)))),
        ("gain", f"time before / after: {total}" if locked.gain else ""),
        ("tests", f"passed {locked.tests} times" if locked.tests else ""),
        ("profile", locked.profile and training.file_of(training.FOLDER, locked.profile)),
        ("windows", f"{number} made shorter, each proved{model}" if number != "0" else ""),
    ]
    for name, text in lines:
        if text:
            click.echo(f"{name + ':':<13}{output.plain(text)}")
    rows = [(name, label.rpartition(":")[0], "") for name, label in locked.functions]
    rows += [(name, label.rpartition(":")[0], locked.isa) for name, label in locked.ifunc]
    if rows:
        click.echo()
        output.table(("function", "body by", "picked for"), rows)


def _document(event: journal.Event, decision: Decision | None) -> dict[str, object]:
    outcome = _outcome(event)
    return {
        **event._asdict(),
        "kind": outcome.kind.name.lower() if outcome else None,
        "sentence": outcome.sentence if outcome else None,
        "decision": None
        if decision is None
        else {
            "answer": decision.answer.value,
            "stages": decision.recipe.stages,
            "options": decision.recipe.options,
            "tails": dict(decision.tails),
            "bytes_before": decision.bytes_before,
            "bytes_after": decision.bytes_after,
            "ic_before": decision.ic_before,
            "ic_after": decision.ic_after,
            "proposer": decision.proposer,
            "evaluations": decision.evaluations,
            "evidence": decision.evidence,
            "functions": [asdict(change) for change in decision.functions],
            "trace": [asdict(turn) for turn in decision.trace],
            "rewritten": asdict(decision.rewritten) if decision.rewritten else None,
        },
    }


def _outcome(event: journal.Event) -> Outcome | None:
    return next((row for row in Outcome if row.counter == event.outcome), None)


def _print(event: journal.Event, decision: Decision | None) -> None:
    outcome = _outcome(event)
    lines = [("source", event.source), ("object", event.output)]
    lines.append(("result", outcome.value if outcome else event.outcome))
    lines.append(("detail", event.detail))
    lines.append(("no cache", event.store_problem))
    lines.append(("no daemon", event.daemon_problem))
    lines.append(("no model", event.model_problem))
    lines.append(("when", datetime.fromtimestamp(event.time).isoformat(" ", "seconds")))
    if event.key:
        lines.append(("decision", _ORIGINS.get(event.hit, event.hit)))
    if decision is not None:
        lines += _decision_lines(decision)
    elif event.key:
        lines.append(("recipe", "no longer in the cache"))
    for name, text in lines:
        if text:
            click.echo(f"{name + ':':<13}{output.plain(text)}")
    if decision is not None and decision.functions:
        click.echo()
        rows = [
            (f.name, f.before, f.after, f.after - f.before, f.tail or "-", f.origin or "-")
            for f in decision.functions
        ]
        own = "own pipeline" if decision.ic_before else "own donor"
        headings = ("function", "before", "after", "change", own, "known from")
        output.table(headings, rows, numbers=(1, 2, 3))
    if decision is not None and decision.rewritten and decision.rewritten.rewrites:
        click.echo()
        shorter = [
            (r.function, r.by, r.windows, r.saved, r.questions, r.tested or "proved")
            for r in decision.rewritten.rewrites
        ]
        titles = ("function", "rule", "windows", "bytes saved", "questions to solvers", "verdict")
        output.table(titles, shorter, numbers=(2, 3, 4))


def _print_trace(decision: Decision) -> None:
    click.echo()
    rows = [
        (
            number,
            turn.action,
            "-" if turn.after is None else turn.after,
            "failed" if turn.after is None else output.percent(turn.before, turn.after),
            format_recipe(turn.recipe),
        )
        for number, turn in enumerate(decision.trace, 1)
    ]
    if rows:
        output.table(("turn", "action", "bytes", "smaller", "recipe"), rows, numbers=(0, 2, 3))
    else:
        click.echo("no turn was recorded with this decision")


def _rewritten(done: Rewritten) -> str:
    """What became of windows of assembly, in words."""
    if done.reason:
        return f"no: {done.reason}"
    made = [f"registers have other names in {done.renamed}"] if done.renamed else []
    made += [f"jumps are shorter in {done.relayed}"] if done.relayed else []
    if windows := done.windows - done.renamed - done.relayed:
        shorter = {one.function for one in done.rewrites if one.by not in (RENAMED, RELAYED)}
        made.append(f"{windows} windows are shorter in {len(shorter)}")
    words = ", ".join(made or ["nothing is shorter"])
    proved = f", {done.tested} of them only tested" if done.tested else ", all proved"
    words += f" of {done.functions} functions{proved if made else ''}"
    words += f"; {done.unknown} that would be shorter are not proved" if done.unknown else ""
    return words + (f"; {done.left} beyond the limit" if done.left else "")


def _decision_lines(decision: Decision) -> list[tuple[str, str]]:
    before, after = decision.bytes_before, decision.bytes_after
    lines = [
        ("recipe", " ; ".join(decision.recipe.stages)),
        ("options", " ".join(decision.recipe.options)),
        ("bytes", f"{before} -> {after} ({output.percent(before, after)} smaller)"),
        ("IC", f"{decision.ic_before} -> {decision.ic_after} IR instructions"),
    ]
    if not decision.ic_before:  # the object of a donor build: no module was seen
        lines.pop()
    if decision.rewritten is not None:
        lines.append(("rewritten", _rewritten(decision.rewritten)))
    made = [
        ("proposed by", f"{decision.proposer}, {decision.evaluations} evaluations"),
        ("evidence", decision.evidence),
    ]
    return [*lines, *made] if decision.recipe.stages else made
