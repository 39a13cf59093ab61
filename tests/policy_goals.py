"""What was wanted of proposers beside what they reach, and what is the most there is to reach."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence

from cr1cc.bench.results import Result, Summary, share, summaries

By = Mapping[str, Summary]
Goal = tuple[str, str, Callable[[By], float], str]  # setting, what, its value, wanted

_DEFAULT = "coreset:7"  # the default proposer with the default budget

GOALS: tuple[Goal, ...] = (
    ("paper", "agent:64, mean OverOz", lambda by: by["agent:64"].over_oz["mean"], "12 %"),
    (
        "paper", "model:16 less coreset:100, mean OverOz",
        lambda by: by["model:16"].over_oz["mean"] - by["coreset:100"].over_oz["mean"], "0 %",
    ),
    (
        "paper", "samples:1 less coreset:1, mean OverOz",
        lambda by: by["samples:1"].over_oz["mean"] - by["coreset:1"].over_oz["mean"], "2 %",
    ),
    (
        "product", "model:16 less coreset:100, mean of bytes",
        lambda by: by["model:16"].smaller["mean"] - by["coreset:100"].smaller["mean"], "0 %",
    ),
    (
        "product", "samples:1 less coreset:1, mean of bytes",
        lambda by: by["samples:1"].smaller["mean"] - by["coreset:1"].smaller["mean"], "2 %",
    ),
    ("product", f"{_DEFAULT}, mean of bytes", lambda by: by[_DEFAULT].smaller["mean"], "8 %"),
    ("product", f"{_DEFAULT}, total of bytes", lambda by: by[_DEFAULT].smaller["total"], "6 %"),
)  # fmt: skip


def goals(found: Mapping[str, Sequence[Result]]) -> list[str]:
    """A table of all goals whose contenders were measured; `found`: results by setting."""
    lines = ["| setting | what | measured | wanted |", "|---|---|---|---|"]
    by_setting = {
        setting: {one.proposer: one for one in summaries(rows)} for setting, rows in found.items()
    }
    for setting, what, value, wanted in GOALS:
        try:
            measured = value(by_setting.get(setting, {}))
        except KeyError:
            continue
        lines.append(f"| {setting} | {what} | {100 * measured:.2f} % | {wanted} |")
    return lines if len(lines) > 2 else []


def ceiling(rows: Sequence[Result], setting: str) -> str:
    """What one would reach who took of each module the best answer that anybody gave."""
    best: dict[str, float] = {}
    for row in rows:
        gain = row.over_oz if setting == "paper" else share(row.bytes_baseline, row.bytes)
        best[row.module] = max(gain, best.get(row.module, 0.0))
    what = "OverOz" if setting == "paper" else "bytes"
    mean = statistics.fmean(best.values()) if best else 0.0
    return (
        f"The best answer of all contenders to each of these {len(best)} modules: "
        f"{100 * mean:.2f} % of {what}, mean."
    )
