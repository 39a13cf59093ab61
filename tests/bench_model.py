"""`python -m tests.bench_model`: the figures of `make bench-model`.

Proposers are compared on the packages that are held out of mining and training, each module
with the same number of candidates, in both settings of `cr1 bench`. Then what the model costs:
samples for one module from the resident process on one core, what the resident processes add to
a first compile, and their memory when idle. Writes bench/model.json and .md.

The modules must be there: `cr1 train corpus --held-out`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from cr1cc.bench.results import Result, summaries
from cr1cc.config import cache_home
from cr1cc.errors import Cr1Error, ModelError, ToolchainError
from cr1cc.model.choices import Action
from cr1cc.model.client import ModelClient
from cr1cc.model.conversation import TokenConversation
from cr1cc.model.describe import ModelFacts
from cr1cc.model.describe import describe as describe_model
from cr1cc.passes.recipe import holds
from cr1cc.records import Level, ModuleInfo, Request, Toolchain
from cr1cc.resident import survey
from cr1cc.resident.client import Resident
from cr1cc.resident.place import Service
from cr1cc.toolchain.describe import describe
from cr1cc.toolchain.find import find_compiler
from cr1cc.train.corpus import KINDS, samples
from cr1cc.train.tasks import spread
from tests.bench import source
from tests.projects.bench import machine, stop_residents
from tests.projects.fetch import CHECKOUT

SETTINGS = dict(zip(("product", "paper"), KINDS, strict=True))
PROPOSERS = ("random", "coreset", "model", "agent")
WANTED = {"violations": 0, "samples_ms": 60.0, "first_compile_ms": 1500.0, "memory_mb": 300.0}
_ANSWER = (Action.ANSWER,)
_FUNCTIONS = 25  # of the file that is compiled: an average one
_REPEAT = 5


def compare(toolchain: Toolchain, given: argparse.Namespace, setting: str) -> list[dict[str, Any]]:
    """The records of `cr1 bench` for held-out modules."""
    found = spread(samples(given.folder, SETTINGS[setting], held_out=True), Random(1))
    paths = [str(sample.path) for sample in found[: given.modules]]
    words = ["--setting", setting, "--candidates", str(given.candidates), "--json"]
    words += [word for name in PROPOSERS for word in ("--proposer", name)]
    command = [sys.executable, "-m", "cr1cc.cli.main", "bench", "--clang", toolchain.driver]
    done = subprocess.run(
        [*command, *words, *paths], stdout=subprocess.PIPE, check=True, env=_environ(given)
    )
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    for row in rows:
        row["module"] = "/".join(Path(row["module"]).parts[-2:])
    return rows


def _environ(given: argparse.Namespace, **settings: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CR1_")}
    chosen = {"CR1_MODEL": str(given.model)} if given.model else {}
    return {**kept, "PYTHONPATH": str(CHECKOUT), **chosen, **settings}


def sampling(facts: ModelFacts, environ: Mapping[str, str], rows: int) -> dict[str, float]:
    """Milliseconds for the answers of `rows` rows to what a compile asks about one module, on one
    core: resident, and from a process that is started for it."""
    said: list[bool] = []  # for each sample whether it is a well-formed, vetted recipe
    service = Service("model", facts.path, tuple(path for path, _ in facts.stamps))

    def ask(resident: Resident | None, number: int) -> float:
        features = tuple(Random(number).randrange(400) for _ in range(56))
        info = ModuleInfo(f"m{number}", "x86_64-pc-linux-gnu", features[51], features, 9, False)
        request = Request(info, Level.OZ, 19, "X86", rows)
        conversation = TokenConversation(facts.stamps[0][1], request)
        question = conversation.ask(_ANSWER, rows, 0.7, info.fingerprint)
        start = time.perf_counter()
        with ModelClient(facts.path, environ, resident) as client:
            found = client.sample(question)
        spent = 1e3 * (time.perf_counter() - start)
        recipes = [conversation.heard(_ANSWER, one).recipe for one in found]
        said.extend(holds(recipe, request.major, request.target) for recipe in recipes)
        return spent

    Resident(service, environ).connect()  # starts it
    _wait(lambda: any(one.kind == "model" for one in survey.running(environ)))
    time.sleep(1)
    everything = os.sched_getaffinity(0)
    cores = {min(everything)}
    for process in survey.running(environ):
        os.sched_setaffinity(process.pid, cores)
    os.sched_setaffinity(0, cores)
    try:
        resident = [ask(Resident(service, environ), number) for number in range(25)]
        own = [ask(None, number) for number in range(5)]
    finally:
        os.sched_setaffinity(0, everything)
    return {
        "samples_ms": round(statistics.median(resident), 1),
        "own_process_ms": round(statistics.median(own), 1),
        "samples": len(said),
        "violations": said.count(False),
    }


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        if time.monotonic() > deadline:
            raise ModelError("the resident process does not start")
        time.sleep(0.02)


def first_compile(
    toolchain: Toolchain, given: argparse.Namespace, environ: Mapping[str, str]
) -> dict[str, float]:
    """What a first compile takes longer if it has to start the resident processes; and the
    memory that those have for themselves when idle. Interleaved, medians."""
    times: dict[str, list[float]] = {"false": [], "true": []}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a.c").write_text(source(_FUNCTIONS))
        for _ in range(_REPEAT):
            for daemon, found in times.items():
                stop_residents(environ)
                settings = {"CR1_CACHE": "false", "CR1_PACKS": "false", "CR1_PROPOSER": "model"}
                settings |= {"CR1_CLANG": toolchain.driver, "CR1_DAEMON": daemon}
                command = [sys.executable, "-m", "cr1cc.wrapper", "clang", "-Oz", "-c", "a.c"]
                start = time.perf_counter()
                subprocess.run(
                    command, cwd=folder, check=True,
                    env={**_environ(given), **environ, **settings},
                )  # fmt: skip
                found.append(1e3 * (time.perf_counter() - start))
        _wait(lambda: len(survey.running(environ)) == 2)
        time.sleep(3)  # until they have loaded and their workers are gone
        memory = [survey.memory(process.pid) for process in survey.running(environ)]
    pairs = zip(times["true"], times["false"], strict=True)
    return {
        "compile_ms": round(statistics.median(times["false"]), 1),
        "first_compile_ms": round(statistics.median(a - b for a, b in pairs), 1),
        "memory_mb": round(sum(memory) / 1e6, 1),
    }


def markdown(figures: Mapping[str, Any]) -> str:
    rows = [
        "# The model",
        "",
        f"{figures['compiler']}; {figures['machine']}; {figures['date']}; model of "
        f"{figures['model_mb']} MB, digest {figures['digest']}.",
        "",
        f"{figures['candidates']} candidates for each module, packages that are held out.",
    ]
    for setting in SETTINGS:
        rows += ["", f"## Setting {setting}", "", *_table(figures[setting])]
    cost = figures["cost"]
    rows += [
        "",
        "## What it costs",
        "",
        "| what | measured | wanted |",
        "|---|---|---|",
        f"| {figures['candidates']} samples for one module, resident, one core "
        f"| {cost['samples_ms']} ms | {WANTED['samples_ms']:.0f} ms |",
        f"| the same in a process that is started for it | {cost['own_process_ms']} ms | |",
        f"| the first compile, that starts the resident processes, beyond one without them "
        f"({cost['compile_ms']:.0f} ms) | {cost['first_compile_ms']} ms | 1500 ms |",
        f"| memory of both resident processes, idle | {cost['memory_mb']} MB | 300 MB |",
    ]
    rows.append(f"| format violations, of {cost['samples']} samples | {cost['violations']} | 0 |")
    return "\n".join(rows) + "\n"


def _table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = [
        "| proposer | modules | success | OverOz mean | OverOrig | bytes mean | bytes total "
        "| candidates | seconds |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in summaries([Result(**row) for row in rows]):
        shares = (
            one.success, one.over_oz["mean"], one.over_orig,
            one.smaller["mean"], one.smaller["total"],
        )  # fmt: skip
        cells = (*(f"{100 * share:.2f} %" for share in shares), f"{one.candidates:.1f}")
        lines.append(
            f"| {one.proposer} | {one.modules} | {' | '.join(cells)} | {one.seconds:.2f} |"
        )
    return lines


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench-model", allow_abbrev=False)
    parser.add_argument("--clang")
    parser.add_argument("--folder", type=Path, default=Path(cache_home(os.environ)) / "corpus")
    parser.add_argument("--model", type=Path, help="another model file")
    parser.add_argument("--modules", type=int, help="of each setting; default: all")
    parser.add_argument("--candidates", type=int, default=16)
    parser.add_argument("--output", type=Path, default=CHECKOUT / "bench")
    given = parser.parse_args(arguments)
    try:
        figures = _figures(given)
    except (Cr1Error, subprocess.CalledProcessError) as error:
        print(f"bench-model: {error}", file=sys.stderr)
        return 1
    given.output.mkdir(parents=True, exist_ok=True)
    (given.output / "model.json").write_text(json.dumps(figures, indent=1) + "\n")
    (given.output / "model.md").write_text(markdown(figures))
    print(markdown(figures))
    return 0 if all(figures["cost"][name] <= most for name, most in WANTED.items()) else 1


def _figures(given: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="cr1-") as folder:
        driver = find_compiler("clang", setting=given.clang, environ=os.environ, own="")
        toolchain = describe(driver, cache_dir=folder, environ=os.environ)
        if toolchain.libllvm is None:
            raise ToolchainError(f"{driver}: {toolchain.libllvm_problem}")
        path = str(given.model or "")
        facts = describe_model(path, cache_dir=folder, environ=os.environ)
        if facts.problem:
            raise ModelError(facts.problem)
        # Resident processes of this benchmark alone.
        environ = {**os.environ, "XDG_RUNTIME_DIR": folder, "XDG_CACHE_HOME": folder}
        try:
            cost = first_compile(toolchain, given, environ)
            cost |= sampling(facts, environ, given.candidates)
        finally:
            stop_residents(environ)
    return {
        "compiler": toolchain.identity,
        "machine": machine(),
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "digest": facts.digest,
        "model_mb": round(Path(facts.path).stat().st_size / 1e6, 2),
        "candidates": given.candidates,
        "cost": cost,
        **{setting: compare(toolchain, given, setting) for setting in SETTINGS},
    }


if __name__ == "__main__":
    sys.exit(main())
