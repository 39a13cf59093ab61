"""The page that the benchmark of proposers writes, from its rows."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from cr1cc.bench.results import Result, Summary, summaries
from tests import plots, policy_goals
from tests.policy_goals import FEW

_TALKING = ("samples", "penalised", "model", "agent")
SETTINGS = ("product", "paper")
USUAL = (
    "baseline", "twice", "random:16", "coreset:1", "coreset:7", "coreset:16", "coreset:100",
    "search:100", "search:1100", "samples:1", "samples:16", "samples:64", "penalised:16",
    "model:7", "model:16", "model:64", "agent:7", "agent:16", "agent:64", "default:7",
    "default:16",
)  # fmt: skip

Row = dict[str, Any]


def results(rows: Sequence[Row], setting: str) -> list[Result]:
    """Those of a setting, contender by contender."""
    names = list(dict.fromkeys((*USUAL, *FEW, *(row["proposer"] for row in rows))))
    chosen = [row for row in rows if row["setting"] == setting]
    chosen.sort(key=lambda row: (names.index(row["proposer"]), row["module"]))
    return [
        Result(**{k: v for k, v in row.items() if k not in ("setting", "version")})
        for row in chosen
    ]


def markdown(figures: Row) -> str:
    lines = [
        "# Who proposes best",
        "",
        f"{figures['compiler']}; {figures['machine']}; {figures['date']}; "
        f"model {figures['model']}.",
        "Packages that are held out of mining and training; seconds on one core.",
        "[bench.md](bench.md) says what contenders and columns are; `python -m tests.bench_policy`",
        "makes this page; `policy.jsonl` has the rows.",
    ]
    by_setting = {setting: results(figures["rows"], setting) for setting in SETTINGS}
    if wanted := policy_goals.goals(by_setting):
        lines += ["", "## What was wanted", "", *wanted]
    for setting, found in by_setting.items():
        usual = [row for row in found if row.proposer not in FEW]
        lines += ["", f"## Setting {setting}", "", *_table(summaries(usual))]
        lines += ["", policy_goals.ceiling(found, setting)]
        lines += ["", f"![gain by evaluations](policy-{setting}.svg)"]
        few = policy_goals.searched_deeply(found)
        if few:
            lines += [
                "",
                f"The same contenders on the {len({row.module for row in few})} modules that were "
                "searched deeply:",
            ]
            lines += ["", *_table(summaries(few)), "", policy_goals.ceiling(few, setting)]
            lines += ["", *policy_goals.longer(found, setting)]
        lines += ["", _carries(found, setting), "", *_audit(summaries(found))]
    return "\n".join(lines + _trainings(figures["trainings"])) + "\n"


def _trainings(found: Row) -> list[str]:
    """What `cr1 train compare` wrote."""
    lines: list[str] = []
    for metric in dict.fromkeys(row["metric"] for row in found.get("rows", ())):
        some = [row for row in found["rows"] if row["metric"] == metric]
        lines += ["", f"## Trainings compared: {metric}", ""]
        lines += [
            f"Conversations played against the labels of {some[0]['modules']} modules that are "
            "held out: the share of the baseline that the best of the first measurements saves, "
            "mean over modules (`cr1 train compare --output docs/trainings.json`).",
            "",
            "| training | " + " | ".join(map(str, found["turns"])) + " |",
            "|---" * (1 + len(found["turns"])) + "|",
        ]
        for row in some:
            cells = (f"{100 * share:.2f} %" for share in row["saved"])
            lines.append(f"| {row['who']} | {' | '.join(cells)} |")
        lines += _unmoved(some)
    return lines


def _unmoved(rows: Sequence[Row]) -> list[str]:
    """Of reinforcement that kept the weights of the supervised stage, why its row is that one's."""
    began = [row["saved"] for row in rows if row["who"] == "sft"]
    like = [row["who"] for row in rows if row["who"] != "sft" and row["saved"] in began]
    if not like:
        return []
    return [
        "",
        f"In the row of {' and '.join(like)} stand the weights that the training began with, "
        "`sft`: none of its later ones saved more on the packages that weights are chosen by "
        "([curves](model-card.md)).",
    ]


def _table(rows: Sequence[Summary]) -> list[str]:
    lines = [
        "| contender | modules | OverOz mean | median | worst | OverOrig | bytes mean | median "
        "| worst | total | success | candidates | seconds | thinking ms |",
        "|" + "---|" * 14,
    ]
    for one in rows:
        shares = (
            *(one.over_oz[name] for name in ("mean", "median", "worst")), one.over_orig,
            *(one.smaller[name] for name in ("mean", "median", "worst", "total")), one.success,
        )  # fmt: skip
        cells = (
            one.proposer, one.modules, *(f"{100 * value:.2f} %" for value in shares),
            f"{one.candidates:.1f}", f"{one.seconds:.2f}", f"{1e3 * one.thinking:.0f}",
        )  # fmt: skip
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return lines


def _audit(rows: Sequence[Summary]) -> list[str]:
    """How contenders that talk keep to the protocol."""
    talking = [one for one in rows if one.proposer.partition(":")[0].partition("@")[0] in _TALKING]
    lines = [
        "| contender | modules | calls of instrcount | calls of find_best_pass_sequence "
        "| malformed outputs | fallbacks |",
        "|" + "---|" * 6,
    ]
    for one in talking:
        counts = (one.protocol[name] for name in ("measured", "searched", "malformed", "failed"))
        lines.append(f"| {' | '.join(map(str, (one.proposer, one.modules, *counts)))} |")
    return lines if talking else []


def _carries(found: Sequence[Result], setting: str) -> str:
    """How instructions and bytes carry over to each other."""
    pairs = plots.gains(found)
    if len(pairs) < 3:
        return "Too few answers to say how instructions and bytes go together."
    first, second = zip(*pairs, strict=True)
    linear = statistics.correlation(first, second)
    ranks = statistics.correlation(_ranks(first), _ranks(second))
    same = sum(a * b > 0 for a, b in pairs) / len(pairs)
    return (
        f"Instructions and bytes of the {len(pairs)} answers that are not plain -Oz: correlation "
        f"{linear:.2f}, of ranks {ranks:.2f}; {same:.0%} change both in one direction "
        f"([each of them](policy-{setting}-bytes.svg))."
    )


def _ranks(values: Sequence[float]) -> list[float]:
    """The place of each in order, the mean place of equal ones."""
    ordered = sorted(values)
    places: dict[float, list[int]] = {}
    for place, value in enumerate(ordered):
        places.setdefault(value, []).append(place)
    return [statistics.fmean(places[value]) for value in values]
