"""Drawings of the benchmark of proposers and of trainings, as SVG."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from cr1cc.bench.results import Result, share, summaries
from tests.policy_goals import FEW, searched_deeply


def all_of(by_setting: Mapping[str, Sequence[Result]]) -> dict[str, str]:
    """Name of a file and its text, for all drawings."""
    drawings = {}
    for setting, found in by_setting.items():
        measure = "bytes" if setting == "product" else "OverOz"
        usual = [row for row in found if row.proposer not in FEW]
        parts = [part for part in (usual, searched_deeply(found)) if part]
        drawings[f"policy-{setting}.svg"] = _by_evaluations(parts, measure)
        drawings[f"policy-{setting}-bytes.svg"] = _scatter(gains(found))
    return drawings


def gains(found: Sequence[Result]) -> list[tuple[float, float]]:
    """Shares of instructions and of bytes that answers save, of those that are not -Oz."""
    return [
        (row.over_oz, share(row.bytes_baseline, row.bytes))
        for row in found
        if row.recipe != "@size"
    ]


def validated(row: Mapping[str, Any]) -> Mapping[str, Sequence[float]]:
    """What a row of a training's curves says of packages that are not learnt from: for each
    metric the shares saved after 1, 4, 7 and 16 measurements; nothing in most rows."""
    return row.get("saved" if "validation" in row else "others") or {}


def curves(runs: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Bytes saved after 7 measurements on packages that are not learnt from, step by step."""
    figure, (axes,) = _figure()
    for name, rows in runs.items():
        points = [(row["step"], 100 * validated(row)["bytes"][2]) for row in rows if validated(row)]
        axes.plot(*zip(*points, strict=True), marker=".", label=name)
    axes.set_xscale("log")
    axes.set_xlabel("step")
    axes.set_ylabel("bytes saved after 7 measurements, %")
    axes.legend()
    return _text(figure)


def _by_evaluations(parts: Sequence[Sequence[Result]], measure: str) -> str:
    """One drawing for each set of modules: means over other modules do not compare."""
    figure, rows = _figure(len(parts))
    for axes, found in zip(rows, parts, strict=True):
        families: dict[str, list[tuple[float, float]]] = {}
        for one in summaries(found):
            gain = one.smaller if measure == "bytes" else one.over_oz
            if one.candidates > 0:
                point = (one.candidates, 100 * gain["mean"])
                families.setdefault(one.proposer.partition(":")[0], []).append(point)
        for name, some in families.items():
            axes.plot(*zip(*sorted(some), strict=True), marker="o", label=name)
        axes.set_xscale("log")
        axes.set_title(f"{len({row.module for row in found})} modules")
        axes.set_xlabel("evaluations a module (mean)")
        axes.set_ylabel(f"{measure}: mean gain, %")
        axes.legend()
    return _text(figure)


def _scatter(pairs: Sequence[tuple[float, float]]) -> str:
    figure, (axes,) = _figure()
    axes.scatter([100 * a for a, _ in pairs], [100 * b for _, b in pairs], s=6, alpha=0.4)
    axes.axhline(0, linewidth=0.5)
    axes.axvline(0, linewidth=0.5)
    axes.set_xlabel("instructions saved, %")
    axes.set_ylabel("bytes saved, %")
    return _text(figure)


def _figure(rows: int = 1) -> tuple[Any, Any]:
    """A figure, and a list of what is drawn in it, one below the other."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "cr1cc"  # equal figures, equal files
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(
        rows, figsize=(6.4, 4 * rows), layout="constrained", squeeze=False
    )
    return figure, axes[:, 0]


def _text(figure: Any) -> str:
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()
