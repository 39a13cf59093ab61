"""`python -m tests.bench_policy`: who proposes best, on packages that nobody learnt from.

Every contender gets the same modules, in both settings of `cr1 bench`. A worker has one core,
and its resident model runs there too, so seconds are those of one core. Contenders with large
budgets get fewer modules (`--deep-modules`, `--ceiling-modules`), the first ones of the same order
that are not large.

docs/policy.jsonl                a line for each module and contender
docs/policy.md, policy-*.svg     what is written from it

A run goes on where it was, and one after a change measures again what the change concerns: a line
says which compiler and which version of the proposer it is of. The modules must be
there: `cr1 train corpus --held-out`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from datetime import UTC, datetime
from multiprocessing import Queue, get_context
from pathlib import Path
from random import Random
from typing import Any

from cr1cc.bench.contenders import contenders
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
from cr1cc.util.atomic import replace_file
from tests import plots
from tests.policy_goals import CEILING, DEEP
from tests.policy_page import SETTINGS, USUAL, markdown, results
from tests.projects.bench import machine, stop_residents
from tests.projects.fetch import CHECKOUT

_KINDS = dict(zip(SETTINGS, KINDS, strict=True))  # of the corpus
_LOG = "policy.jsonl"
_LARGEST = 40_000  # bytes of bitcode: with more, the deep ones would take hours for one module

Row = dict[str, Any]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench-policy", allow_abbrev=False)
    parser.add_argument("--clang")
    parser.add_argument("--folder", type=Path, default=Path(cache_home(os.environ)) / "corpus")
    parser.add_argument("--modules", type=int, default=30, help="of each setting")
    parser.add_argument("--deep-modules", type=int, default=20)
    parser.add_argument("--ceiling-modules", type=int, default=20)
    parser.add_argument("--contender", action="append", default=[], help="besides: NAME@FILE:N")
    parser.add_argument("--only", action="append", default=[], help="measure these now, no others")
    parser.add_argument("--setting", choices=SETTINGS, help="measure in this one only now")
    parser.add_argument("--output", type=Path, default=CHECKOUT / "docs")
    given = parser.parse_args(arguments)
    try:
        compiler = _toolchain(given.clang).identity
        figures = {
            "machine": machine(),
            "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            "compiler": compiler,
            "model": _digest(),
            "rows": _rows(given, compiler),
            "trainings": _read(given.output / "trainings.json"),
        }
    except Cr1Error as error:
        print(f"bench-policy: {error}", file=sys.stderr)
        return 1
    text = markdown(figures)
    (given.output / "policy.md").write_text(text)
    by_setting = {setting: results(figures["rows"], setting) for setting in SETTINGS}
    for name, drawing in plots.all_of(by_setting).items():
        (given.output / name).write_text(drawing)
    print(text)
    return 0


def _rows(given: argparse.Namespace, compiler: str) -> list[Row]:
    """All that is wanted, in order: read from the log, or measured and added to it. The log keeps
    what of other modules was measured with these very proposers."""
    log = given.output / _LOG
    work = []
    for setting, kind in _KINDS.items():
        chosen = _chosen(given.folder, kind, given.modules)
        small = [sample for sample in chosen if sample.path.stat().st_size <= _LARGEST]
        work += [
            (setting, sample, name) for sample in chosen for name in (*USUAL, *given.contender)
        ]
        for count, names in ((given.deep_modules, DEEP), (given.ceiling_modules, CEILING)):
            work += [(setting, sample, name) for sample in small[:count] for name in names]
    lines = log.read_text().splitlines() if log.exists() else []
    versions = _versions(compiler, dict.fromkeys(name for _, _, name in work))
    known = {_key(row): row for row in map(json.loads, lines)}
    todo: dict[tuple[str, Sample], list[str]] = {}
    for setting, sample, name in work:
        new = (setting, sample.name, name, versions[name]) not in known
        now = (not given.only or name in given.only) and given.setting in (None, setting)
        if new and now:
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
                row["version"] = versions[row["proposer"]]
                known[_key(row)] = row
                file.write(json.dumps(row) + "\n")
            file.flush()
        for core in os.listdir(place):
            stop_residents({**os.environ, "XDG_RUNTIME_DIR": os.path.join(place, core)})
    wanted = [(setting, sample.name, name, versions[name]) for setting, sample, name in work]
    kept = dict.fromkeys([*wanted, *(key for key in known if versions.get(key[2]) == key[3])])
    lines = "".join(json.dumps(known[key]) + "\n" for key in kept if key in known)
    replace_file(str(log), lines.encode())
    modules = {
        key[:2] for key in wanted
    }  # more of them were searched deeply by another run, perhaps
    return [known[key] for key in kept if key in known and key[:2] in modules]


def _key(row: Row) -> tuple[str, str, str, str]:
    return row["setting"], row["module"], row["proposer"], row["version"]


def _versions(compiler: str, names: Iterable[str]) -> dict[str, str]:
    """What results depend on besides the module: a digest of the compiler and the proposer."""
    with tempfile.TemporaryDirectory() as folder:
        around = Circumstances(Config(cache_dir=folder), os.environ)
        asked = contenders(list(names), 16, around, print)
    texts = {
        one.name: f"{compiler} {one.proposer.version} {one.rewriting}".rstrip() for one in asked
    }
    return {n: hashlib.blake2b(t.encode(), digest_size=6).hexdigest() for n, t in texts.items()}


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


def _read(path: Path) -> Row:
    found: Row = json.loads(path.read_text()) if path.exists() else {}
    return found


if __name__ == "__main__":
    sys.exit(main())
