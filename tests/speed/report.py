"""The results of `make bench-speed` as a page and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.speed.table import ROWS

CAP = 3.0  # of one program in the mean: no outlier counts as more
WANTED = {"own": 1.25, "native": 1.5}
_TITLES = {"own": "the instruction set of the command", "native": "`--isa native`"}


def mean(results: Sequence[Mapping[str, Any]]) -> float:
    """The geometric mean of speedups; a program whose output differs counts as 1, since it
    would not have been kept."""
    return _geometric([min(one["speedup"], CAP) if one["same"] else 1.0 for one in results])


def page(results: Sequence[Mapping[str, Any]], machine: Mapping[str, str]) -> str:
    """The page, in Markdown."""
    lines = [
        "# How much faster",
        "",
        "`make bench-speed` tunes each program by `cr1 tune`, with the processor time of its own",
        "run as benchmark and its output as test, builds it anew from the lockfile and runs it in",
        "turn with the one that `gcc -O3` makes. The speedup is the median of the ratios of",
        f"neighbouring runs, with a bootstrap interval of 98 %; none counts as more than {CAP:g}",
        "in the geometric mean, and one that became slower counts as it is. [tune.md](tune.md)",
        "says how to tune a program.",
        "",
    ]  # fmt: skip
    lines += [f"- {name}: {value}" for name, value in machine.items()]
    for isa, title in _TITLES.items():
        of_isa = [one for one in results if one["isa"] == isa]
        if not of_isa:
            continue
        differing = sum(not one["same"] for one in of_isa)
        lines += [
            "", f"## With {title}", "",
            f"Geometric mean: **{mean(of_isa):.3f}** (wanted of all programs: {WANTED[isa]}). "
            f"Outputs that differ: {differing}.", "",
            f"{_kinds(of_isa)} {_coverage(len(of_isa))}", "",
            "| program | gcc -O3 | tuned | speedup | interval | donors |",
            "|---|---|---|---|---|---|",
        ]  # fmt: skip
        lines += [_line(one) for one in of_isa]
    lines += _unasked([one for one in results if one["isa"] == "own"])
    lines += _limits(results)
    return "\n".join(lines) + "\n"


def _unasked(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """What each donor alone makes of all programs: whether any could be taken without a look."""
    ratios: dict[str, list[float]] = {}
    for one in results:
        for title, ratio in one.get("everywhere", {}).items():
            ratios.setdefault(title, []).append(ratio)
    if not ratios:
        return []
    rows = sorted(ratios.items(), key=lambda row: -_geometric(row[1]))
    return [
        "", "## One donor for everything", "",
        "Each donor on all hot files of a program, at the instruction set of the command, a few "
        "runs in turn with `gcc -O3`. One that could be taken without a measurement would have "
        "to make no program slower; that is why nothing is predicted.", "",
        "| donor | programs | geometric mean | slowest | fastest | slower by 2 % or more |",
        "|---|---|---|---|---|---|",
        *(
            f"| {title} | {len(some)} | {_geometric(some):.3f} | {min(some):.3f} | {max(some):.3f} "
            f"| {sum(ratio <= 0.98 for ratio in some)} |"
            for title, some in rows
        ),
    ]  # fmt: skip


def _limits(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the best donor of each program would make, had its first look been right."""
    lines: list[str] = []
    for isa, title in _TITLES.items():
        tried = [one for one in results if one["isa"] == isa and one.get("everywhere")]
        if tried:
            best = [min(max(1.0, *one["everywhere"].values()), CAP) for one in tried]
            lines.append(
                f"- With {title} ({len(tried)} measured): {_geometric(best):.3f} by the best "
                f"donor of each; {mean(tried):.3f} kept; wanted {WANTED[isa]}."
            )
    if not lines:
        return []
    return [
        "", "## What limits it", "",
        "The best donor on all hot files of a program, picked by the few runs of its first look, "
        "noise and all, says how much there is to choose from. What is kept is measured again "
        "until the difference is significant, and may be put together file by file and function "
        "by function.", "",
        *lines,
    ]  # fmt: skip


def _geometric(ratios: Sequence[float]) -> float:
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def _coverage(measured: int) -> str:
    if measured == len(ROWS):
        return f"All {len(ROWS)} programs of the table were measured."
    return (
        f"Only {measured} of the {len(ROWS)} programs of the table have been measured so far, so "
        "this is no mean of the table yet."
    )


def _kinds(results: Sequence[Mapping[str, Any]]) -> str:
    """What to expect of loops and of grown code: the mean of own programs and of packages."""
    package = {row.name: row.package for row in ROWS}
    kinds = {
        "Small programs of this project": [one for one in results if not package[one["name"]]],
        "Programs that use a library of a package": [
            one for one in results if package[one["name"]]
        ],
    }
    return " ".join(
        f"{what} ({len(some)}): {mean(some):.3f}." for what, some in kinds.items() if some
    )


def _line(one: Mapping[str, Any]) -> str:
    before, after = one["seconds"]
    interval = f"{one['low']:.3f} to {one['high']:.3f}"
    cells = (
        one["name"], f"{before:.3f} s", f"{after:.3f} s", f"{one['speedup']:.3f}", interval,
        _donors(one) or "baseline",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _donors(one: Mapping[str, Any]) -> str:
    labels = {
        label.rpartition(":")[0]
        for decision in one["decisions"]
        for label in (decision["donor"], *decision["functions"].values())
    }
    return ", ".join(sorted(labels))


def write(results: Sequence[Mapping[str, Any]], machine: Mapping[str, str], root: Path) -> None:
    """Write docs/speed.md and bench/speed.json."""
    (root / "docs/speed.md").write_text(page(results, machine), encoding="utf-8")
    document = {"machine": dict(machine), "programs": list(results)}
    (root / "bench/speed.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
