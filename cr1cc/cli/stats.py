"""`cr1 stats`: what became of the commands that the journal still knows."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

import click

from cr1cc.cli import output
from cr1cc.config import state_home
from cr1cc.gate.verdict import Verdict
from cr1cc.outcome import Kind, Outcome
from cr1cc.storage import journal

_OUTCOMES = {outcome.counter: outcome for outcome in Outcome}
# Fields of an event that say why a compile did without something.
_PROBLEMS = {
    "store_problem": "cache",
    "daemon_problem": "resident process",
    "model_problem": "model",
}


@click.command("stats")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--zero", is_flag=True, help="Forget all commands so far.")
def command(as_json: bool, zero: bool) -> None:
    """Count what became of the commands so far, by reason."""
    directory = state_home(os.environ)
    if zero:
        journal.clear(directory)
    totals = summarise(journal.read(directory))
    if as_json:
        output.document(totals)
    elif not totals["commands"]:
        click.echo("No command has been recorded yet.")
    else:
        _print(totals)


def summarise(events: Iterable[journal.Event]) -> dict[str, object]:
    """The totals of `events`; keys and nesting are what `--json` prints.

    Bytes are loadable bytes of the objects that were replaced; `unchanged` are those
    that were understood and stayed as the real compiler made them. Verdicts are those on windows
    of assembly, of compiles whose object was not known.
    """
    outcomes: Counter[str] = Counter()
    details: dict[str, Counter[str]] = {}
    hits: Counter[str] = Counter()
    problems: dict[str, Counter[str]] = {field: Counter() for field in _PROBLEMS}
    verdicts: Counter[str] = Counter()
    before = after = evaluations = commands = rewritten = 0
    since = None
    for event in events:
        commands += 1
        since = event.time if since is None else min(since, event.time)
        outcomes[event.outcome] += 1
        evaluations += event.evaluations if not event.hit else 0
        if event.detail:
            details.setdefault(event.outcome, Counter())[event.detail] += 1
        for field in _PROBLEMS:
            if problem := getattr(event, field):
                problems[field][problem] += 1
        verdicts.update(dict(_verdicts(event.verdicts)))
        rewritten += event.rewritten
        if event.key:
            hits[event.hit or "none"] += 1
        if event.outcome == Outcome.SMALLER.counter:
            before += event.bytes_before
            after += event.bytes_after
    return {
        "commands": commands,
        "since": since,
        "kinds": {kind.name.lower(): _of_kind(outcomes, kind) for kind in Kind},
        "outcomes": dict(outcomes.most_common()),
        "details": {name: dict(counts.most_common(20)) for name, counts in sorted(details.items())},
        "hits": {name: hits[name] for name in ("object", "module", "pack", "none")},
        "evaluations": evaluations,
        "bytes_before": before,
        "bytes_after": after,
        "verdicts": {verdict.word: verdicts[verdict.word] for verdict in reversed(Verdict)},
        "functions_rewritten": rewritten,
        **{f"{field}s": dict(counts) for field, counts in problems.items()},
    }


def _verdicts(text: str) -> Iterator[tuple[str, int]]:
    """What an event says of verdicts."""
    for word in text.split():
        name, _, count = word.partition("=")
        if name.upper() in Verdict.__members__ and count.isdecimal():
            yield name, int(count)


def _of_kind(outcomes: Counter[str], kind: Kind) -> int:
    return sum(
        n for name, n in outcomes.items() if name in _OUTCOMES and _OUTCOMES[name].kind is kind
    )


def _print(totals: dict[str, object]) -> None:
    outcomes, details = totals["outcomes"], totals["details"]
    assert isinstance(outcomes, dict)
    assert isinstance(details, dict)
    rows = []
    for name, count in outcomes.items():
        known = _OUTCOMES.get(name)
        kind, sentence = (known.kind.value, known.sentence) if known else ("unknown", name)
        blamed = ", ".join(f"{text} ({n})" for text, n in list(details.get(name, {}).items())[:3])
        rows.append((count, kind, sentence, blamed))
    output.table(("commands", "became", "because", "most often"), rows, numbers=(0,))
    before, after, hits = totals["bytes_before"], totals["bytes_after"], totals["hits"]
    assert isinstance(before, int)
    assert isinstance(after, int)
    assert isinstance(hits, dict)
    since = datetime.fromtimestamp(float(str(totals["since"]))).isoformat(" ", "minutes")
    click.echo(f"{totals['commands']} commands since {since}")
    click.echo(
        f"replaced objects: {before} -> {after} loadable bytes "
        f"({output.percent(before, after)} smaller)"
    )
    click.echo(
        f"decisions: {hits['object'] + hits['module']} from the cache, {hits['pack']} from packs, "
        f"{hits['none']} searched in {totals['evaluations']} evaluations"
    )
    verdicts = totals["verdicts"]
    assert isinstance(verdicts, dict)
    if any(verdicts.values()):
        counted = ", ".join(f"{count} {word}" for word, count in verdicts.items())
        click.echo(
            f"windows of assembly: {counted}; "
            f"{totals['functions_rewritten']} functions have shorter ones"
        )
    for field, subject in _PROBLEMS.items():
        problems = totals[f"{field}s"]
        assert isinstance(problems, dict)
        for reason, count in problems.items():
            click.echo(f"the {subject} could not be used {count} times: {reason}")
