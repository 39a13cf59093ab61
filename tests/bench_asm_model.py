"""What the model of assembly finds in windows of packages that nothing was learnt from.

    python -m tests.bench_asm_model --folder FOLDER [--windows N] [--samples N]
        --model NAME=FILE … [--output FILE]

FOLDER is that of `cr1 train asm`: the windows are those of its held-out packages which occur in no
other one, each size in turn and the most frequent first. Each source proposes for each window and
goal: the models, walks through the grammar at random (as many samples), and the rules. What is
proposed is assembled and proved. "better" is proved, and smaller or cheaper as the goal says.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from cr1cc.assembly import vocabulary
from cr1cc.assembly.appraisal import Appraisal, Appraiser, Ask
from cr1cc.assembly.grammar import State, scope
from cr1cc.assembly.names import example_names
from cr1cc.assembly.normal import Normal
from cr1cc.assembly.problem import Problem
from cr1cc.assembly.propose import Lines, Proposer
from cr1cc.assembly.ruled import ruled
from cr1cc.assembly.vocabulary import Goal
from cr1cc.errors import AsmError, UserError
from cr1cc.train.asm import sft
from cr1cc.train.asm.export import trained
from cr1cc.train.asm.labels import rows as rows_of
from cr1cc.train.asm.lessons import LABELS
from cr1cc.train.asm.work import Item, held_out

Propose = Callable[[Normal], Sequence[Lines]]


class Found(NamedTuple):
    """The best of what was proposed for one window."""

    item: Item
    new: Lines
    appraisal: Appraisal


def windows(folder: Path, count: int) -> list[tuple[Item, Normal]]:
    """Windows that the model has tokens for."""
    learnt = {tuple(r["old"]) for r in rows_of(folder / LABELS) if r["split"] == "train"}
    found = []
    for item in held_out(folder, learnt):
        lines, live = item.key
        try:
            names = example_names(lines)
            scope(lines, names)
            vocabulary.prompt(lines, live, Goal.SIZE)
        except AsmError:
            continue
        found.append((item, Normal(lines, live, names)))
        if len(found) == count:
            break
    return found


def at_random(samples: int) -> Propose:
    """Walks through the grammar, seeded by the window."""

    def propose(window: Normal) -> list[Lines]:
        rng = Random(repr(window[:2]))
        start = State(scope(window.lines, window.names))
        said = [vocabulary.decode(_walk(start, rng), window.lines) for _ in range(samples)]
        return [lines for lines in dict.fromkeys(said) if lines != window.lines]

    return propose


def _walk(state: State, rng: Random) -> Iterator[int]:
    while not state.done:
        token = rng.choice(state.allowed())
        yield token
        state = state.step(token)


def by_rules(window: Normal) -> list[Lines]:
    return [tuple(lines) for lines in ruled(Problem(window.lines, window.live))]


def measure(
    propose: Propose, goal: Goal, some: Sequence[tuple[Item, Normal]], appraiser: Appraiser
) -> tuple[dict[str, Any], list[Found]]:
    """Counts of one source, and the windows that it makes better."""
    start = time.process_time()
    proposed = [list(propose(window)) for _, window in some]
    seconds = time.process_time() - start
    counts = dict.fromkeys(("windows", "proposed", "samples", "proved", "admitted", "better"), 0)
    saved, occurring, better = 0.0, 0.0, []
    asks = [
        Ask(window.lines, window.live, new)
        for (_, window), news in zip(some, proposed, strict=True)
        for new in news
    ]
    appraiser.appraise(asks)  # assembled together
    for (item, window), news in zip(some, proposed, strict=True):
        judged = appraiser.appraise([Ask(window.lines, window.live, new) for new in news])
        pairs = [(new, one) for new, one in zip(news, judged, strict=True) if one.proved]
        best = max(pairs, key=lambda pair: pair[1].saved(goal), default=None)
        counts["windows"] += 1
        counts["proposed"] += bool(news)
        counts["samples"] += len(news)
        counts["proved"] += len(pairs)
        counts["admitted"] += bool(pairs)
        if best is not None and best[1].saved(goal) > 0:
            counts["better"] += 1
            before, after = best[1].bytes if goal is Goal.SIZE else best[1].cost
            saved += before - after
            occurring += (before - after) * item.times
            better.append(Found(item, *best))
    figures = {**counts, "saved": saved, "saved_by_count": occurring, "seconds": round(seconds, 2)}
    return figures, better


def labels(folder: Path) -> dict[str, tuple[int, int]]:
    """How many rows of labels each source has, to learn from and held out."""
    found = Counter((row["source"], row["split"]) for row in rows_of(folder / LABELS))
    sources = sorted({source for source, _ in found})
    return {source: (found[source, "train"], found[source, "held"]) for source in sources}


def trainings(folder: Path) -> dict[str, dict[str, Any]]:
    """What is known of those that were trained in a folder, and where their curves end."""
    found = {}
    for name in (sft.NAME, "asm-correct", "asm-speed"):
        try:
            network, facts = trained(folder, name)
        except UserError:
            continue
        path = folder / f"{'' if name == sft.NAME else 'rl-'}{name}.jsonl"
        curve = [json.loads(line) for line in path.read_text().splitlines()]
        looks = [row.get("others", row) for row in curve if "others" in row or "validation" in row]
        found[name] = {
            "plan": facts["plan"], "best_step": facts["best_step"], "last": looks[-1],
            "bytes": sum(value.numel() for value in network.state_dict().values()) * 34 // 32,
        }  # fmt: skip
    return found


def _function(found: Found) -> dict[str, Any]:
    item, one = found.item, found.appraisal
    return {
        "package": item.package, "function": item.function, "count": item.times,
        "old": item.key[0], "live": item.key[1], "new": found.new, "bytes": one.bytes,
        "cost": one.cost,
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, and write it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--windows", type=int, default=1000)
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--model", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--output", type=Path, help="a JSON file with the functions, too")
    chosen = parser.parse_args(arguments)
    some = windows(chosen.folder, chosen.windows)
    packages = sorted({item.package for item, _ in some})
    print(f"{len(some)} windows of {', '.join(packages)}; {chosen.samples} samples each")
    appraiser = Appraiser(os.environ, chosen.folder / "verdicts-bench.jsonl")
    rows: list[dict[str, Any]] = []
    by_rule: dict[Goal, set[Any]] = {}
    for goal in Goal:
        sources: dict[str, Propose] = {"rules": by_rules, "random": at_random(chosen.samples)}
        with ExitStack() as stack:
            for text in chosen.model:
                name, _, path = text.partition("=")
                one = Proposer(path, os.environ, goal, chosen.samples)
                sources[name] = stack.enter_context(one).propose
            for name, propose in sources.items():
                figures, better = measure(propose, goal, some, appraiser)
                found = {one.item.key for one in better}
                beyond = len(found - by_rule.setdefault(goal, found))
                functions = len({(one.item.package, one.item.function) for one in better})
                rows.append(
                    {"goal": goal.name.lower(), "source": name, **figures, "functions": functions,
                     "beyond_rules": beyond, "better_windows": list(map(_function, better))}
                )  # fmt: skip
                _print(rows[-1])
                sys.stdout.flush()
    if chosen.output:
        told = {
            "samples": chosen.samples, "packages": packages, "rows": rows,
            "labels": labels(chosen.folder), "trainings": trainings(chosen.folder),
        }  # fmt: skip
        chosen.output.write_text(json.dumps(told, indent=1) + "\n")


def _print(row: dict[str, Any]) -> None:
    print(
        f"{row['goal']:6}{row['source']:12}{row['samples']:7} samples {row['proved']:6} proved"
        f"{row['admitted']:6} windows admitted {row['better']:5} better"
        f" {row['beyond_rules']:5} beyond the rules {row['functions']:5} functions"
        f" {row['saved']:8.2f} saved {row['seconds']:7.1f} s"
    )


if __name__ == "__main__":
    main()
