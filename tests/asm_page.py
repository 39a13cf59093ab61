"""Write the figures of docs/asm-model.md from bench/asm-model.json.

    python -m tests.asm_page

What stands before the heading "What was found" is left as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
HEADING = "## What was found"
_SHOWN = 12  # windows of each kind


def page(text: str, told: dict[str, Any]) -> str:
    """The page with the figures of `told`."""
    return text.partition(HEADING)[0] + "\n".join([HEADING, "", *_figures(told)]) + "\n"


def _figures(told: dict[str, Any]) -> Iterator[str]:
    count = told["rows"][0]["windows"]
    packages = ", ".join(told["packages"])
    yield (
        f"`python -m tests.bench_asm_model` asked for {count} windows of packages that nothing was "
        f"learnt from ({packages}), which occur in no other package of the corpus. Each size of "
        f"window in turn, the most frequent first; {told['samples']} answers each. *Admitted* is "
        "what is proved, *better* what is also smaller, or by the other goal costs less. "
        "`bench/asm-model.json` has every window and its function."
    )
    for goal, unit in (("size", "bytes saved"), ("speed", "cost saved")):
        yield from ("", f"### Goal: {goal}", "")
        yield (
            "| who | windows proposed for | answers | proved | windows admitted | better | "
            f"of which the rules find nothing | functions | {unit} |"
        )
        yield "|---|---|---|---|---|---|---|---|---|"
        for row in told["rows"]:
            if row["goal"] == goal:
                yield _row(row)
    yield from ("", "### Windows that a model makes better and the rules do not", "")
    if rows := list(_windows(told)):
        yield from ("| function | was | becomes | bytes | cost |", "|---|---|---|---|---|", *rows)
    else:
        yield "There is none."
    yield from ("", "## What it was trained on", "")
    yield from _trainings(told)


def _row(row: dict[str, Any]) -> str:
    share = row["proved"] / row["samples"] if row["samples"] else 0.0
    cells = (
        row["source"], row["proposed"], row["samples"], f"{row['proved']} ({share:.1%})",
        row["admitted"], row["better"], row["beyond_rules"], row["functions"],
        f"{row['saved']:g}",
    )  # fmt: skip
    return "| " + " | ".join(map(str, cells)) + " |"


def _windows(told: dict[str, Any]) -> Iterator[str]:
    """The most frequent ones, each once."""
    ruled = {
        (row["goal"], _key(one))
        for row in told["rows"] if row["source"] == "rules"
        for one in row["better_windows"]
    }  # fmt: skip
    found: dict[str, dict[str, Any]] = {}
    for row in told["rows"]:
        if row["source"] not in ("rules", "random"):
            for one in row["better_windows"]:
                if (row["goal"], _key(one)) not in ruled:
                    found.setdefault(_key(one), one)
    for one in sorted(found.values(), key=lambda one: -one["count"])[:_SHOWN]:
        old, new = (f"`{'; '.join(one[name]) or 'nothing'}`" for name in ("old", "new"))
        sizes, costs = (f"{a:g} → {b:g}" for a, b in (one["bytes"], one["cost"]))
        yield f"| {one['package']}: {one['function']} | {old} | {new} | {sizes} | {costs} |"


def _key(one: dict[str, Any]) -> str:
    return json.dumps([one["old"], one["live"]])


def _trainings(told: dict[str, Any]) -> Iterator[str]:
    yield "| labels | learnt from | held out |"
    yield "|---|---|---|"
    for source, (train, held) in told["labels"].items():
        yield f"| {source} | {train} | {held} |"
    yield from (
        "",
        "`bench/asm-labels.jsonl.xz` and `bench/labels/asm.jsonl.xz` have these labels, "
        "`bench/asm-curves/` the curves.",
        "",
    )
    yield "| training | best after step | plan | size | at its end |"
    yield "|---|---|---|---|---|"
    for name, one in told["trainings"].items():
        plan = ", ".join(
            f"{key} {value}" for key, value in one["plan"].items() if key not in ("shape", "name")
        )
        last = ", ".join(f"{key} {value:.3g}" for key, value in one["last"].items())
        yield f"| {name} | {one['best_step']} | {plan} | {one['bytes'] / 1e6:.1f} MB | {last} |"


def main() -> None:
    """Write the page."""
    target = ROOT / "docs" / "asm-model.md"
    told = json.loads((ROOT / "bench" / "asm-model.json").read_text())
    target.write_text(page(target.read_text(), told))


if __name__ == "__main__":
    main()
