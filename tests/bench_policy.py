"""`python -m tests.bench_policy`: who proposes best, on packages that nobody learnt from.

Every contender gets the same modules, in both settings of `cr1 bench`. A worker has one core,
and its resident model runs there too, so seconds are those of one core. Contenders with large
budgets get fewer modules (`--deep-modules`), the first ones of the same order that are not large.

FOLDER/bench-policy.jsonl   a line for each module and contender (a run can be taken up again)
docs/policy.json, policy.md, policy-*.svg   what is written from it

The corpus must be there: `cr1 train corpus`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from datetime import UTC, datetime
from multiprocessing import Queue, get_context
from pathlib import Path
from random import Random
from typing import Any

from cr1cc.bench.contenders import contenders
from cr1cc.bench.results import Result, Summary, summaries
from cr1cc.bench.run import run
from cr1cc.bench.task import Task
from cr1cc.cli.progress import track
from cr1cc.config import Config, cache_home
from cr1cc.errors import Cr1Error, ToolchainError, UserError
from cr1cc.model.describe import describe as describe_model
from cr1cc.policy.proposers import Circumstances
from cr1cc.resident.client import Resident
from cr1cc.resident.place import Service
from cr1cc.toolchain.describe import describe
from cr1cc.toolchain.find import find_compiler
from cr1cc.train.corpus import KINDS, Sample, samples
from cr1cc.train.tasks import spread
from tests import plots
from tests.projects.bench import machine, stop_residents
from tests.projects.fetch import CHECKOUT

SETTINGS = dict(zip(("product", "paper"), KINDS, strict=True))
USUAL = (
    "baseline", "twice", "random:16", "coreset:1", "coreset:16", "coreset:100", "search:100",
    "samples:1", "samples:16", "samples:64", "penalised:16", "model:16", "model:64", "agent:16",
    "agent:64",
)  # fmt: skip
DEEP = ("search:1100", "search:4400", "search:10000")
_LARGEST = 100_000  # bytes of bitcode: with more, the deep ones would take hours for one module

Row = dict[str, Any]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench-policy", allow_abbrev=False)
    parser.add_argument("--clang")
    parser.add_argument("--folder", type=Path, default=Path(cache_home(os.environ)) / "corpus")
    parser.add_argument("--modules", type=int, default=100, help="of each setting")
    parser.add_argument("--deep-modules", type=int, default=16)
    parser.add_argument("--contender", action="append", default=[], help="besides: NAME@FILE:N")
    parser.add_argument("--output", type=Path, default=CHECKOUT / "docs")
    given = parser.parse_args(arguments)
    try:
        figures = {
            "machine": machine(),
            "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            "compiler": _toolchain(given.clang).identity,
            "model": _digest(),
            "rows": list(_rows(given)),
        }
    except Cr1Error as error:
        print(f"bench-policy: {error}", file=sys.stderr)
        return 1
    (given.output / "policy.json").write_text(json.dumps(figures) + "\n")
    text = markdown(figures)
    (given.output / "policy.md").write_text(text)
    by_setting = {setting: results(figures["rows"], setting) for setting in SETTINGS}
    for name, drawing in plots.all_of(by_setting).items():
        (given.output / name).write_text(drawing)
    print(text)
    return 0


def _rows(given: argparse.Namespace) -> Iterator[Row]:
    log = given.folder / "bench-policy.jsonl"
    work = []
    for setting, kind in SETTINGS.items():
        chosen = _chosen(given.folder, kind, given.modules)
        small = [sample for sample in chosen if sample.path.stat().st_size <= _LARGEST]
        work += [
            (setting, sample, name) for sample in chosen for name in (*USUAL, *given.contender)
        ]
        work += [(setting, sample, name) for sample in small[: given.deep_modules] for name in DEEP]
    lines = log.read_text().splitlines() if log.exists() else []
    known = {_key(row): row for row in map(json.loads, lines)}
    todo: dict[tuple[str, Sample], list[str]] = {}
    for setting, sample, name in work:
        if (setting, sample.name, name) not in known:
            todo.setdefault((setting, sample), []).append(name)
    context = get_context("fork")
    cores: Queue[int] = context.Queue()
    for core in os.sched_getaffinity(0):
        cores.put(core)
    with (
        log.open("a") as file,
        tempfile.TemporaryDirectory(prefix="cr1-") as place,
        ProcessPoolExecutor(
            cores.qsize(), context, _begin, (cores, place, given.clang)
        ) as pool,
    ):  # fmt: skip
        jobs = [pool.submit(_measure, *key, names) for key, names in todo.items()]
        for job in track(as_completed(jobs), "modules", len(jobs)):
            for row in job.result():
                known[_key(row)] = row
                file.write(json.dumps(row) + "\n")
            file.flush()
        for core in os.listdir(place):
            stop_residents({**os.environ, "XDG_RUNTIME_DIR": os.path.join(place, core)})
    wanted = {(setting, sample.name, name) for setting, sample, name in work}
    return (row for key, row in known.items() if key in wanted)


def _key(row: Row) -> tuple[str, str, str]:
    return row["setting"], row["module"], row["proposer"]


def _chosen(folder: Path, kind: str, count: int) -> list[Sample]:
    return spread(samples(folder, kind, held_out=True), Random(1))[:count]


_worker: dict[str, Any] = {}


def _begin(cores: Queue[int], place: str, clang: str | None) -> None:
    """A worker's own core, and a place for resident processes that run there."""
    core = cores.get()
    os.sched_setaffinity(0, {core})
    home = os.path.join(place, str(core))
    os.makedirs(home, mode=0o700, exist_ok=True)
    os.environ["XDG_RUNTIME_DIR"] = home
    _worker["task"] = Task(_toolchain(clang))
    _worker["around"] = Circumstances(
        Config(cache_dir=home), os.environ,
        lambda path, files: Resident(Service("model", path, files), os.environ),
    )  # fmt: skip


def _measure(setting: str, sample: Sample, names: Sequence[str]) -> list[Row]:
    """One row for each contender; of what cannot be measured nothing is said."""
    asked = contenders(names, 16, _worker["around"], print)
    try:
        found = list(run(_worker["task"], setting, str(sample.path), asked))
    except UserError as error:
        print(f"left out: {error}", file=sys.stderr)
        return []
    return [{"setting": setting, **asdict(result), "module": sample.name} for result in found]


def _toolchain(clang: str | None) -> Any:
    driver = find_compiler("clang", setting=clang, environ=os.environ, own="")
    with tempfile.TemporaryDirectory() as folder:
        toolchain = describe(driver, cache_dir=folder, environ=os.environ)
    if toolchain.libllvm is None:
        raise ToolchainError(f"{driver}: {toolchain.libllvm_problem}")
    return toolchain


def _digest() -> str:
    with tempfile.TemporaryDirectory() as folder:
        return describe_model("", cache_dir=folder, environ=os.environ).digest


def results(rows: Sequence[Row], setting: str) -> list[Result]:
    """Those of a setting, contender by contender."""
    names = list(dict.fromkeys((*USUAL, *DEEP, *(row["proposer"] for row in rows))))
    chosen = [row for row in rows if row["setting"] == setting]
    chosen.sort(key=lambda row: (names.index(row["proposer"]), row["module"]))
    return [Result(**{k: v for k, v in row.items() if k != "setting"}) for row in chosen]


def markdown(figures: Row) -> str:
    lines = [
        "# Who proposes best",
        "",
        f"{figures['compiler']}; {figures['machine']}; {figures['date']}; "
        f"model {figures['model']}.",
        "Packages that are held out of mining and training; seconds on one core.",
        "`python -m tests.bench_policy` makes this page; `policy.json` has the rows.",
    ]
    for setting in SETTINGS:
        found = results(figures["rows"], setting)
        lines += ["", f"## Setting {setting}", "", *_table(summaries(found))]
        lines += ["", f"![gain by evaluations](policy-{setting}.svg)"]
        deep = {row.module for row in found if row.proposer in DEEP}
        few = [row for row in found if row.module in deep]
        if few:
            lines += [
                "",
                f"The same contenders on the {len(deep)} modules that were searched deeply:",
            ]
            lines += ["", *_table(summaries(few))]
        lines += ["", _carries(found, setting)]
    return "\n".join(lines) + "\n"


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


if __name__ == "__main__":
    sys.exit(main())
