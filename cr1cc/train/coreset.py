"""Mine the coreset: search on some modules, measure the winners on others, cover greedily.

    1. search     the genetic search on a sample of modules gives candidate recipes
    2. matrix     every candidate is measured on a second sample
    3. cover      recipes are taken one by one, each the one that adds most
    4. again      search on a third sample, from the first of the cover; what it finds, and
                  what ships already, is measured on the second sample, too
    5. cross      so is every combination of what the best recipes do to the IR with the
                  options of code generation that the best recipes have
    6. inlined    so are the best recipes with every threshold of the inliner; last cover
    7. tails      the same with function pipelines, on functions instead of modules

The last three are for bytes alone: instructions of the IR are those of passes, without options.
Instructions are those of modules as -O0 leaves them.

Every finished module is a line in a log beside the corpus, so a run can be taken up
again. The result is the JSON file that `cr1cc.policy.coreset` ships.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from random import Random

from cr1cc import decide
from cr1cc.evaluate.meter import Meter
from cr1cc.passes import TABLE_VERSION, standard
from cr1cc.passes.attributes import ATTRIBUTES
from cr1cc.passes.macros import SIZE
from cr1cc.passes.options import options_for, tuning
from cr1cc.passes.pipeline import random_pipeline
from cr1cc.passes.recipe import BASELINE, adapt, format_recipe, parse_recipe
from cr1cc.passes.rows import PassLevel
from cr1cc.policy.coreset import Coreset
from cr1cc.policy.search import find_best_pass_sequence
from cr1cc.records import Level, Metric, Recipe, Request, Score, Toolchain, value_of
from cr1cc.train.corpus import Sample
from cr1cc.train.cover import cover_recipes, cover_tails
from cr1cc.train.tasks import Row, Task, Work, logged, spread

# Where the search and the matrix begin: what the standard pipelines themselves suggest.
_SEED_STAGES = (
    "",
    SIZE,
    "mergefunc",
    "function(early-cse<memssa>,instcombine,simplifycfg)",
    "function(simplifycfg<sink-common-insts;hoist-common-insts>,instcombine,simplifycfg)",
    "function(gvn,instcombine,simplifycfg,dse,adce)",
)
# Options that gain by themselves often enough to be tried in pairs.
_PAIRED = (
    "-aggressive-machine-cse",
    "-disable-block-placement",
    "-disable-cgp",
    "-disable-lsr",
    "-disable-machine-licm",
    "-disable-machine-sink",
    "-enable-gvn-memdep=false",
    "-enable-machine-outliner=always",
    "-enable-misched=false",
    "-enable-pre=false",
    "-fast-isel",
    "-inline-call-penalty=2",
    "-jump-threading-threshold=0",
    "-max-speculation-depth=2",
    "-min-jump-table-entries=1000",
    "-phi-elim-split-all-critical-edges",
    "-pre-RA-sched=list-burr",
    "-split-spill-mode=size",
)
_LARGEST = 12_000  # instructions before optimisation: larger modules cost too much here
_FIRST = 12  # recipes of the first cover that the second search begins with
_INLINED = 24  # recipes of the cover that every threshold of the inliner is tried with
_THRESHOLD = "-inline-threshold="
_CROSSED = 10  # recipes of the second cover that are combined with each other
_RANDOM_TAILS = 48
_TAIL_PASSES = 4


@dataclass(frozen=True)
class Plan:
    """How much of what. Counts are modules, evaluations a module, recipes, pipelines.
    With the defaults the shipped coreset was mined."""

    metric: Metric = Metric.BYTES
    search_modules: int = 60
    search_budget: int = 240
    matrix_modules: int = 160
    pool: int = 340
    again_modules: int = 40
    tail_modules: int = 60
    recipes: int = 100
    tails: int = 16
    jobs: int = 2
    seed: int = 1


@dataclass(frozen=True)
class Mined:
    """The result, and how good each prefix of it is on the sample it was chosen on."""

    recipes: tuple[str, ...]
    tails: tuple[str, ...]  # none for instructions
    means: tuple[float, ...]  # mean gain over modules, by number of recipes
    totals: tuple[float, ...]  # gain over all bytes, by number of recipes


def mine(
    toolchain: Toolchain, corpus: Sequence[Sample], folder: Path, plan: Plan,
    note: Callable[[Iterable[Row], str, int], Iterable[Row]],
) -> Mined:  # fmt: skip
    """Run all steps. `note(rows, step, total)` shows progress and passes rows on."""
    task = Task.of(toolchain)
    rng, metric = Random(plan.seed), plan.metric.value
    order = spread(corpus, rng)
    searched = order[: plan.search_modules]
    measured = order[plan.search_modules :][: plan.matrix_modules] or searched

    def step(name: str, work: Sequence[Work]) -> list[Row]:
        log = folder / f"{name}-{metric}.jsonl"
        return list(note(logged(log, work, plan.jobs), name, len(work)))

    def measure(name: str, texts: Sequence[str]) -> list[Row]:
        return step(name, [(_measure, task, s, metric, texts) for s in measured])

    found = step("search", [(_search, task, s, metric, plan.search_budget) for s in searched])
    pool = _pool(task, found, plan)
    texts = [format_recipe(recipe) for recipe in pool]
    matrix = measure("matrix", texts)
    first, _, _ = cover_recipes(texts, _complete(matrix), _FIRST)

    others = order[plan.search_modules + plan.matrix_modules :][: plan.again_modules] or searched
    again = [(_search_from, task, s, metric, plan.search_budget, first) for s in others]
    found = step("again", again)
    new = [*_winners(found), *Coreset().recipes[plan.metric]]
    fitting = [format_recipe(recipe) for recipe in new if task.holds(recipe)]
    more = [text for text in fitting if text not in texts]
    texts, rows = [*texts, *more], _joined(matrix, measure("matrix-again", more))
    if plan.metric is Metric.INSTRUCTIONS:
        chosen, means, totals = cover_recipes(texts, _complete(rows), plan.recipes)
        return Mined(tuple(chosen), (), means, totals)
    best, _, _ = cover_recipes(texts, _complete(rows), _CROSSED)
    crossed = [text for text in _cross(task, best) if text not in texts]
    texts, rows = [*texts, *crossed], _joined(rows, measure("cross", crossed))
    best, _, _ = cover_recipes(texts, _complete(rows), _INLINED)
    inlined = [text for text in _inlined(task, best) if text not in texts]
    texts, rows = [*texts, *inlined], _joined(rows, measure("inlined", inlined))
    chosen, means, totals = cover_recipes(texts, _complete(rows), plan.recipes)
    tails = _tail_pool(task, rng)
    context = [(_measure_tails, task, s, chosen[:8], tails) for s in measured[: plan.tail_modules]]
    functions = step("tails", context)
    return Mined(tuple(chosen), tuple(cover_tails(tails, functions, plan.tails)), means, totals)


def write(
    mined: Mined, path: Path, toolchain: Toolchain, packages: Sequence[str], plan: Plan
) -> None:
    """Into the shipped form, beside what it has for the other metric."""
    data = json.loads(path.read_text()) if path.exists() else {}
    data[plan.metric.value] = {
        "compiler": toolchain.identity,
        "packages": sorted(packages),
        "passes": TABLE_VERSION,
        "seed": plan.seed,
        "mean_gain_by_size": [round(x, 5) for x in mined.means],
        "total_gain_by_size": [round(x, 5) for x in mined.totals],
        "recipes": list(mined.recipes),
    }
    if plan.metric is Metric.BYTES:
        data["tails"] = list(mined.tails)
    path.write_text(json.dumps(data, indent=1, sort_keys=True) + "\n")


def _search(task: Task, sample: Sample, metric: str, budget: int) -> Row:
    known = [format_recipe(_seed(task, stage)) for stage in _SEED_STAGES]
    return _search_from(task, sample, metric, budget, known)


def _search_from(task: Task, sample: Sample, metric: str, budget: int, known: Sequence[str]) -> Row:
    by = Metric(metric)
    with task.evaluator(sample, by) as evaluator:
        info = evaluator.describe()
        if not 0 < info.ic <= _LARGEST:
            return {}
        meter = Meter(evaluator, budget, emit=by is Metric.BYTES)
        request = Request(info, Level.OZ, task.major, task.target, budget, by)
        base = meter.measure([BASELINE])[0]
        if not isinstance(base, Score):
            return {}
        meter.against(base, 0)
        recipes = find_best_pass_sequence(request, meter.measure, list(map(parse_recipe, known)))
        results = meter.measure(recipes)
        best = decide.promising(base, recipes, results, by)[:2]
        return {"recipes": [format_recipe(recipe) for recipe in best]}


def _measure(task: Task, sample: Sample, metric: str, texts: Sequence[str]) -> Row:
    by = Metric(metric)
    emit = by is Metric.BYTES
    with task.evaluator(sample, by) as evaluator:
        if not 0 < evaluator.describe().ic <= _LARGEST:
            return {}
        base, *results = evaluator.measure([BASELINE, *map(parse_recipe, texts)], emit=emit)
        if not isinstance(base, Score):
            return {}
        before = value_of(base, by)
        sizes = [
            value_of(r, by) if isinstance(r, Score) and r.links_like(base) else before
            for r in results
        ]
        return {"bytes": before, "sizes": sizes}


def _measure_tails(task: Task, sample: Sample, recipes: Sequence[str], tails: Sequence[str]) -> Row:
    with task.evaluator(sample) as evaluator:
        if not 0 < evaluator.describe().ic <= _LARGEST:
            return {}
        parsed = [BASELINE, *map(parse_recipe, recipes)]
        base, *results = evaluator.measure(parsed)
        if not isinstance(base, Score):
            return {}
        best = (decide.promising(base, parsed[1:], results) or [BASELINE])[0]
        names = evaluator.function_fingerprints(best)
        before, sizes = evaluator.measure_tails(best, tails, names)
        rows = [
            [size, *(s[name] if isinstance(s, dict) and name in s else size for s in sizes)]
            for name, size in sorted(before.items())
        ]
        return {"functions": rows}


def _seed(task: Task, stage: str) -> Recipe:
    return adapt(Recipe((SIZE, stage) if stage else (SIZE,)), task.major, task.target)


def _pool(task: Task, found: Sequence[Row], plan: Plan) -> list[Recipe]:
    """Candidates: single options and pairs of them, seeds, and the winners, most frequent first."""
    options = [row.text for row in options_for(task.major, task.target)]
    singles = [Recipe((SIZE,), (option,)) for option in options]
    pairs = [Recipe((SIZE,), pair) for pair in combinations(_PAIRED, 2)]
    known = [_seed(task, stage) for stage in _SEED_STAGES[1:]]
    known += standard.seeds(task.major, task.target)
    everything = [*singles, *known, *_winners(found), *pairs]
    if plan.metric is Metric.INSTRUCTIONS:
        everything = [recipe for recipe in everything if not recipe.options]
    return [recipe for recipe in dict.fromkeys(everything) if task.holds(recipe)][: plan.pool]


def _winners(found: Sequence[Row]) -> list[Recipe]:
    """What searches found, most frequent first."""
    counts: dict[str, int] = {}
    for row in found:
        for text in row.get("recipes", ()):
            counts[text] = counts.get(text, 0) + 1
    ranked = sorted(counts.items(), key=lambda kv: (-kv[1], kv[0]))
    return [parse_recipe(text) for text, _ in ranked]


def _joined(matrix: Sequence[Row], more: Sequence[Row]) -> list[Row]:
    """Rows with the columns of both."""
    return [
        {**one, "sizes": one["sizes"] + other["sizes"]} if one and other else {}
        for one, other in zip(matrix, more, strict=True)
    ]


def _cross(task: Task, texts: Sequence[str]) -> list[str]:
    """Every way of making the IR that the recipes have, with every set of their options of
    code generation: recipes that make the same IR share that work."""
    recipes = [parse_recipe(text) for text in texts]
    made = dict.fromkeys((r.stages, tuning(r.options)) for r in recipes)
    generated = dict.fromkeys(tuple(sorted({*r.options} - {*tuning(r.options)})) for r in recipes)
    combined = [
        Recipe(stages, tuple(sorted((*tuned, *options))))
        for stages, tuned in made
        for options in generated
    ]
    return [format_recipe(recipe) for recipe in combined if task.holds(recipe)]


def _inlined(task: Task, texts: Sequence[str]) -> list[str]:
    """The recipes with every threshold of the inliner, those that settle its costs left out."""
    thresholds = [
        row.text for row in options_for(task.major, task.target) if row.text.startswith(_THRESHOLD)
    ]
    recipes = [
        replace(recipe, options=tuple(sorted((*recipe.options, threshold))))
        for recipe in map(parse_recipe, texts)
        for threshold in thresholds
    ]
    return [format_recipe(recipe) for recipe in recipes if task.holds(recipe)]


def _complete(matrix: Iterable[Row]) -> list[Row]:
    return [row for row in matrix if row.get("bytes")]


def _tail_pool(task: Task, rng: Random) -> list[str]:
    seeds = [_seed(task, stage).stages[1] for stage in _SEED_STAGES if stage.startswith("function")]
    strangers = [
        random_pipeline(rng, task.major, rng.randint(1, _TAIL_PASSES), PassLevel.FUNCTION)
        for _ in range(_RANDOM_TAILS)
    ]
    attributes = [row.name for row in ATTRIBUTES]
    return list(dict.fromkeys([*attributes, *seeds, *strangers]))
