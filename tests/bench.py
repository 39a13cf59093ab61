"""`python -m tests.bench`: the figures of `make bench`.

First the evaluator: 64 recipes for one average C file, on one core, beside a plain
prototype that forks for every candidate and shares nothing; once recipes of passes alone,
for which the wanted rates were set, and once with the options that the proposers give
them: most of those need a run of the standard pipeline or a code generation of their own.
Then the real projects
(`tests.projects.bench`, same arguments). Writes bench/evaluator.json and .md too.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from cr1cc.errors import Cr1Error, ToolchainError
from cr1cc.evaluate.evaluator import Evaluator
from cr1cc.evaluate.worker import Subject
from cr1cc.ir import walk
from cr1cc.llvm.library import Library
from cr1cc.llvm.module import Module
from cr1cc.llvm.passes import PassRunner, set_options
from cr1cc.llvm.target import TargetMachine, TargetSpec
from cr1cc.llvm.triple import target_name
from cr1cc.passes.macros import macros_for
from cr1cc.passes.recipe import canonical
from cr1cc.policy.coreset import Coreset
from cr1cc.policy.random_ import random_recipe
from cr1cc.records import Level, Recipe, Request, Score, Toolchain
from cr1cc.toolchain.describe import describe
from cr1cc.toolchain.find import find_compiler
from cr1cc.util.elf import ObjectFile
from tests.projects import bench as projects
from tests.projects.fetch import CHECKOUT

RECIPES = 64
INSTRUCTIONS = 570  # after the size pipeline: an average C file
WANTED = {"ic": 100.0, "sizes": 40.0}  # evaluations of pass sequences a second
BATCHES = {"passes": "passes alone", "options": "passes and options"}
SIZE = Recipe(("@size",))

_SHAPES = (
    "int loop{n}(const int *a, int n) {{ int s = {k}; for (int i = 0; i < n; i++)"
    " if (a[i] % {k} > 2) s += a[i] * i; else s ^= sink(a[i], {n}); return s; }}",
    "int choose{n}(int x, int y) {{ switch (x) {{"
    " case 1: return y + {k}; case 2: return sink(y, x);"
    " case 5: return y * x; case 9: return sink(x, {k}) - y; default: return x / {k}; }} }}",
    "char *copy{n}(char *to, const char *from, char stop) {{ while (*from && *from != stop)"
    " {{ if (*from == {k}) *to++ = '!'; *to++ = *from++; }} *to = 0; return to; }}",
    "int list{n}(struct item *p, int key) {{ int c = 0; while (p) {{ if (p->key == key + {k})"
    " {{ p->count++; c += p->value; }} else if (!p->next) sink(c, p->key); p = p->next; }}"
    " return c; }}",
    "void rows{n}(int (*m)[{k}], int n) {{ for (int i = 0; i < n; i++)"
    " for (int j = 0; j < {k}; j++) m[i][j] += i * j + sink(i, j); }}",
)


def source(functions: int) -> str:
    """A C file of ordinary functions: loops, branches, switches, lists, strings."""
    text = ["struct item { struct item *next; int key, count, value; };", "int sink(int, int);"]
    for n in range(functions):
        text.append(_SHAPES[n % len(_SHAPES)].format(n=n, k=3 + n * 7 % 29))
    return "\n".join(text) + "\n"


def average_file(toolchain: Toolchain, library: Library) -> tuple[Subject, int]:
    """The first file of the generator with at least INSTRUCTIONS, and how many it has."""
    macros = macros_for(toolchain.major, Level.OZ)
    functions = 10
    while True:
        command = [toolchain.driver, "-Oz", "-x", "c", "-c", "-emit-llvm"]
        command += ["-Xclang", "-disable-llvm-passes", "-", "-o", "-"]
        done = subprocess.run(
            command, input=source(functions).encode(), capture_output=True, check=True
        )
        subject = Subject(done.stdout, macros)
        with Evaluator(library, subject) as evaluator:
            score = evaluator.measure([SIZE], emit=False)[0]
        if not isinstance(score, Score):
            raise ToolchainError(f"the file of the benchmark cannot be measured: {score.value}")
        if score.ic >= INSTRUCTIONS:
            return subject, score.ic
        functions += 1


def batches(toolchain: Toolchain, subject: Subject, library: Library) -> dict[str, list[Recipe]]:
    """Of BATCHES: half from the coreset, the rest from the random proposer."""
    with Evaluator(library, subject) as evaluator:
        info = evaluator.describe()
    target = target_name(info.triple) or ""
    request = Request(info, Level.OZ, toolchain.major, target, RECIPES // 2)
    known = list(Coreset().propose(request, lambda _: ()).recipes)
    rng = random.Random(20)
    recipes = dict.fromkeys(map(canonical, known))
    alone = dict.fromkeys(replace(recipe, options=()) for recipe in recipes)
    while len(recipes) < RECIPES or len(alone) < RECIPES:
        recipe = canonical(random_recipe(rng, request))
        recipes.setdefault(recipe)
        alone.setdefault(replace(recipe, options=()))
    return {"passes": list(alone)[:RECIPES], "options": list(recipes)[:RECIPES]}


def ours(library: Library, subject: Subject, recipes: list[Recipe], emit: bool) -> int:
    with Evaluator(library, subject) as evaluator:
        return sum(isinstance(r, Score) for r in evaluator.measure(recipes, emit=emit))


def prototype(library: Library, subject: Subject, recipes: list[Recipe], emit: bool) -> int:
    """Fork for every candidate, parse, run, count, emit: nothing is shared."""
    good = 0
    for recipe in recipes:
        child = os.fork()
        if child == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            status = 1
            try:
                _alone(library, subject, recipe, emit)
                status = 0
            finally:
                os._exit(status)
        good += os.waitpid(child, 0)[1] == 0
    return good


def _alone(library: Library, subject: Subject, recipe: Recipe, emit: bool) -> None:
    set_options(library, recipe.options)
    module = Module.parse_bitcode(library, subject.bitcode)
    machine = TargetMachine(library, module, TargetSpec())
    runner = PassRunner(library, machine)
    for stage in recipe.stages:
        runner.run(module, subject.macros.get(stage, stage))
    if module.invalid():
        raise ValueError("invalid")
    walk.instruction_count(module)
    if emit:
        ObjectFile(machine.emit(module)).function_sizes()


def rate(work: Callable[[], int], repeat: int) -> tuple[float, int]:
    """Candidates a second (median) and how many of them got a score."""
    taken = []
    for _ in range(repeat):
        start = time.perf_counter()
        good = work()
        taken.append(RECIPES / (time.perf_counter() - start))
    return statistics.median(taken), good


def evaluator_figures(toolchain: Toolchain, repeat: int) -> dict[str, Any]:
    """All rates, on one core: candidates with equal results count like any other."""
    assert toolchain.libllvm
    library = Library(toolchain.libllvm)
    subject, instructions = average_file(toolchain, library)
    figures: dict[str, Any] = {
        "machine": projects.machine(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "compiler": toolchain.identity,
        "instructions": instructions,
        "recipes": RECIPES,
        "repeat": repeat,
    }
    ways = (("ours", ours), ("prototype", prototype))
    for batch, recipes in batches(toolchain, subject, library).items():
        with Evaluator(library, subject) as evaluator:
            figures[batch] = {"distinct": len(set(evaluator.measure(recipes)))}
        for (key, emit), (name, way) in product((("ic", False), ("sizes", True)), ways):
            value, good = rate(partial(way, library, subject, recipes, emit), repeat)
            figures[batch][f"{key}_{name}"] = round(value, 1)
            figures[batch][f"{key}_{name}_scored"] = good
    return figures


def markdown(figures: dict[str, Any]) -> str:
    rows = [
        "# Evaluator\n",
        f"{figures['recipes']} recipes for one C file of {figures['instructions']} IR instructions "
        f"after the size pipeline, one core, median of {figures['repeat']} runs.\n",
        f"{figures['compiler']}; {figures['machine']}; {figures['date']}\n",
        "| evaluations a second | cr1cc | fork for each, nothing shared | wanted |",
        "|---|---|---|---|",
    ]
    for batch, key in product(BATCHES, WANTED):
        what = {"ic": "instruction counts", "sizes": "with object sizes"}[key]
        wanted = f"{WANTED[key]:.0f}" if batch == "passes" else ""
        rates = figures[batch]
        rows.append(
            f"| {BATCHES[batch]}: {what} | {rates[f'{key}_ours']} "
            f"| {rates[f'{key}_prototype']} | {wanted} |"
        )
    distinct = ", ".join(f"{figures[b]['distinct']} ({name})" for b, name in BATCHES.items())
    rows.append(f"\nResults that differ from each other: {distinct}.")
    return "\n".join(rows) + "\n"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench", add_help=False, allow_abbrev=False)
    parser.add_argument("--clang")
    parser.add_argument("--output", type=Path, default=CHECKOUT / "bench")
    parser.add_argument("--evaluator-only", action="store_true")
    given, _ = parser.parse_known_args(arguments)
    everything = os.sched_getaffinity(0)
    try:
        with tempfile.TemporaryDirectory() as cache:
            driver = find_compiler("clang", setting=given.clang, environ=os.environ, own="")
            toolchain = describe(driver, cache_dir=cache, environ=os.environ)
        if toolchain.libllvm is None:
            raise ToolchainError(f"{driver}: {toolchain.libllvm_problem}")
        os.sched_setaffinity(0, {min(everything)})
        figures = evaluator_figures(toolchain, 5)
    except Cr1Error as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    finally:
        os.sched_setaffinity(0, everything)
    given.output.mkdir(parents=True, exist_ok=True)
    (given.output / "evaluator.json").write_text(json.dumps(figures, indent=1) + "\n")
    (given.output / "evaluator.md").write_text(markdown(figures))
    print(markdown(figures))
    reached = all(figures["passes"][f"{key}_ours"] >= wanted for key, wanted in WANTED.items())
    if given.evaluator_only:
        return 0 if reached else 1
    rest = list(sys.argv[1:] if arguments is None else arguments)
    return projects.main(rest) or (0 if reached else 1)


if __name__ == "__main__":
    sys.exit(main())
