"""What was wanted of proposers beside what they reach, and what is the most there is to reach."""

from __future__ import annotations

import random
import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cr1cc.bench.results import Result, share

_RESAMPLES = 2000
_METRICS = {"paper": "OverOz", "product": "bytes"}
DEEP = ("search:4400",)  # on modules that are not large: it takes long
CEILING = ("search:10000",)  # on a few of these: what there is to find
FEW = (*DEEP, *CEILING)  # those that are not asked about all modules
_DEFAULT = "default:7"  # a build by default, with the default budget
_BESIDE = ("coreset:100", "search:100", "search:1100", "model:16", "agent:64")


class Goal(NamedTuple):
    """At least `wanted` of the metric of a setting, mean over modules, or in total of their
    bytes. `than`: the contender whose gain is subtracted."""

    setting: str
    contender: str
    than: str
    wanted: float
    total: bool = False


GOALS = (
    Goal("paper", "agent:64", "", 0.12),
    Goal("paper", "model:16", "coreset:100", 0),
    Goal("paper", "agent:16", "coreset:100", 0),
    Goal("paper", "samples:1", "coreset:1", 0.02),
    Goal("product", "model:16", "coreset:100", 0),
    Goal("product", "agent:16", "coreset:100", 0),
    Goal("product", "samples:1", "coreset:1", 0.02),
    Goal("product", _DEFAULT, "", 0.08),
    Goal("product", _DEFAULT, "", 0.06, total=True),
)

_Answers = dict[str, dict[str, Result]]  # by contender and module


def goals(found: Mapping[str, Sequence[Result]]) -> list[str]:
    """A table of all goals whose contenders were measured; `found`: results by setting.

    The interval holds 95 % of the means of modules drawn with replacement, the gain of a module
    less that of the other contender on the same one (percentile bootstrap: Efron and Tibshirani,
    1993, 13.3).
    """
    lines = [
        "| setting | what | measured | interval | perfect choice | wanted |",
        "|---|---|---|---|---|---|",
    ]
    by_setting = {setting: _by_contender(rows) for setting, rows in found.items()}
    for goal in GOALS:
        answers = by_setting.get(goal.setting, {})
        if {goal.contender, goal.than or goal.contender} <= answers.keys():
            lines.append(_line(goal, answers))
    return lines if len(lines) > 2 else []


def ceiling(rows: Sequence[Result], setting: str) -> str:
    """What one would reach who took of each module the best answer that anybody gave."""
    answers = _by_contender(rows)
    best = _best(answers, setting)
    mean = statistics.fmean(best.values()) if best else 0.0
    return (
        f"The best answer of all contenders to each of these {len(best)} modules: "
        f"{100 * mean:.2f} % of {_METRICS[setting]}, mean."
    )


def searched_deeply(rows: Sequence[Result]) -> list[Result]:
    """All rows of the modules that were searched deeply, but for those of contenders that were
    not asked about all of them."""
    answers = _by_contender(rows)
    searches = [answers[name].keys() for name in DEEP if name in answers]
    return [
        row
        for row in rows
        if row.proposer not in CEILING and searches and all(row.module in some for some in searches)
    ]


def longer(rows: Sequence[Result], setting: str) -> list[str]:
    """A table of deep searches, each on its own modules and beside others on the same ones."""
    answers = _by_contender(rows)
    searched = {module for name in FEW for module in answers.get(name, {})}
    others = [name for name in _BESIDE if answers.get(name, {}).keys() >= searched]
    lines = [
        f"What long searches save of {_METRICS[setting]}, and others on the same modules:",
        "",
        f"| contender | modules | mean | interval | {' | '.join(others)} |",
        "|---" * (4 + len(others)) + "|",
    ]
    for name in FEW:
        modules = answers.get(name, {})
        if not modules:
            continue
        gains = [_gain(one, setting) for one in modules.values()]
        low, high = _interval(gains)
        means = [
            statistics.fmean(_gain(answers[other][module], setting) for module in modules)
            for other in others
        ]
        cells = " | ".join(f"{100 * mean:.2f} %" for mean in means)
        lines.append(
            f"| {name} | {len(gains)} | {100 * statistics.fmean(gains):.2f} % "
            f"| {100 * low:.2f} to {100 * high:.2f} % | {cells} |"
        )
    return lines


def _line(goal: Goal, answers: _Answers) -> str:
    ours = answers[goal.contender]
    theirs = answers[goal.than] if goal.than else {}
    what = f"{goal.contender} less {goal.than}" if goal.than else goal.contender
    if goal.total:
        whole = share(
            sum(one.bytes_baseline for one in ours.values()),
            sum(one.bytes for one in ours.values()),
        )
        return _row(goal, f"{what}, {_METRICS[goal.setting]} in total", whole, "", "")
    modules = [name for name in ours if not theirs or name in theirs]
    base = {name: _gain(theirs[name], goal.setting) if theirs else 0.0 for name in modules}
    gains = [_gain(ours[name], goal.setting) - base[name] for name in modules]
    best = _best(answers, goal.setting)
    most = statistics.fmean(best[name] - base[name] for name in modules)
    low, high = _interval(gains)
    return _row(
        goal, f"{what}, mean {_METRICS[goal.setting]}", statistics.fmean(gains),
        f"{100 * low:.2f} to {100 * high:.2f} %", f"{100 * most:.2f} %",
    )  # fmt: skip


def _row(goal: Goal, what: str, measured: float, interval: str, most: str) -> str:
    return (
        f"| {goal.setting} | {what} | {100 * measured:.2f} % | {interval} | {most} "
        f"| {100 * goal.wanted:.0f} % |"
    )


def _interval(gains: Sequence[float]) -> tuple[float, float]:
    generator = random.Random(len(gains))
    means = sorted(
        statistics.fmean(generator.choices(gains, k=len(gains))) for _ in range(_RESAMPLES)
    )
    return means[int(0.025 * _RESAMPLES)], means[int(0.975 * _RESAMPLES)]


def _by_contender(rows: Sequence[Result]) -> _Answers:
    found: _Answers = {}
    for row in rows:
        found.setdefault(row.proposer, {})[row.module] = row
    return found


def _best(answers: _Answers, setting: str) -> dict[str, float]:
    """The most that anybody gained who has an answer to all modules, module by module; 0 is the
    plain compiler."""
    modules = {name for some in answers.values() for name in some}
    whole = [some for some in answers.values() if some.keys() == modules]
    return {name: max([0.0, *(_gain(some[name], setting) for some in whole)]) for name in modules}


def _gain(row: Result, setting: str) -> float:
    return row.over_oz if setting == "paper" else share(row.bytes_baseline, row.bytes)
