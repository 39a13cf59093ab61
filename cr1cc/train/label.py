"""What the model learns from: for every module the recipes that proved best on it.

FOLDER/label-METRIC.jsonl   one line for each module (a run can be taken up again)

A function alone is a module, too (`functions.py`).

Bytes are those of modules as -Oz gives them to the optimiser, instructions those of the same
modules as -O0 leaves them.

Each module is measured with the whole coreset, then searched from its best recipes; the
winner is minimised by the search. `recipes` of a row are the best of all that are better than
plain -Oz; `others` are some of the coreset that are not among them, good or bad, for a model has
to see results of both kinds. `tails`, where bytes count, are pipelines that make functions
smaller behind the best recipe: each adds most to those before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from cr1cc import decide
from cr1cc.errors import EvaluationError
from cr1cc.evaluate.evaluator import Evaluator
from cr1cc.evaluate.meter import Meter
from cr1cc.passes.pipeline import random_pipeline
from cr1cc.passes.recipe import BASELINE, format_recipe, tail_holds
from cr1cc.passes.rows import PassLevel
from cr1cc.policy.coreset import Coreset
from cr1cc.policy.search import find_best_pass_sequence
from cr1cc.records import Level, Metric, ModuleInfo, Recipe, Request, Score, value_of
from cr1cc.train.corpus import FUNCTIONS, KIND, Sample, samples
from cr1cc.train.cover import cover_tails
from cr1cc.train.tasks import Row, Task, logged, spread

KEPT = 16  # best recipes of a module
OTHERS = 8
TAILS = 4
_STRANGE_TAILS = 20  # random pipelines that are tried besides those of the coreset
_TAIL_PASSES = 4
_SEEDS = 8  # best of the coreset that the search begins with
_LARGEST = 12_000  # instructions before optimisation: larger modules cost too much here


@dataclass(frozen=True)
class Plan:
    """`budget` are the evaluations of one module's search, beyond the coreset."""

    metric: Metric = Metric.BYTES
    budget: int = 120
    modules: int | None = None  # None: all
    functions: int = 1200
    jobs: int = 2
    seed: int = 1


def chosen(folder: Path, plan: Plan) -> list[Sample]:
    """What the plan wants to be labelled. Raises UserError if there is no corpus."""
    modules, functions = (samples(folder, KIND[plan.metric] + form) for form in ("", FUNCTIONS))
    return [
        *spread(modules, Random(plan.seed))[: plan.modules],
        *spread(functions, Random(plan.seed))[: plan.functions],
    ]


def label(
    task: Task, corpus: Sequence[Sample], folder: Path, plan: Plan,
    note: Callable[[Iterable[Row], str, int], Iterable[Row]],
) -> list[Row]:  # fmt: skip
    """The rows of the corpus. `note(rows, step, total)` shows progress and passes rows on."""
    work = [(_label, task, sample, plan.metric.value, plan.budget) for sample in corpus]
    log = folder / f"label-{plan.metric.value}.jsonl"
    rows = note(logged(log, work, plan.jobs), "label", len(work))
    return [row for row in rows if row]


def _label(task: Task, sample: Sample, metric: str, budget: int) -> Row:
    """The record of one module, {} if it tells nothing."""
    by = Metric(metric)
    with task.evaluator(sample, by) as evaluator:
        info = evaluator.describe()
        if not 0 < info.ic <= _LARGEST:
            return {}
        known = list(Coreset().propose(_request(task, info, 1000, by), lambda _: ()).recipes)
        emit = by is Metric.BYTES
        meter = Meter(evaluator, len(known) + 1 + budget, info.ic, emit=emit)
        base = meter.measure([BASELINE])[0]
        before = value_of(base, by)
        if not isinstance(base, Score) or before is None:
            return {}
        meter.ceiling = base.ic * decide.CEILING
        values = _values(known, meter, by)
        found = _better(values, before)
        seeds = [recipe for _, recipe in found[:_SEEDS]]
        request = _request(task, info, budget, by)
        recipes = find_best_pass_sequence(request, meter.measure, seeds)
        searched = _better(_values(recipes, meter, by), before)
        best = sorted(dict.fromkeys([*found, *searched]))[:KEPT]
        rest = [recipe for recipe in known if recipe not in {recipe for _, recipe in best}]
        others = Random(sample.name).sample(rest, min(OTHERS, len(rest)))
        return {
            "package": sample.package,
            "module": sample.name,
            "metric": metric,
            "triple": info.triple,
            "major": task.major,
            "ic": info.ic,
            "features": list(info.features),
            "base": before,
            "recipes": [[format_recipe(recipe), value] for value, recipe in best],
            "others": [[format_recipe(recipe), values[recipe]] for recipe in others],
            "tails": _tails(task, sample, evaluator, best[0][1])
            if best and by is Metric.BYTES
            else [],
        }


def _tails(
    task: Task, sample: Sample, evaluator: Evaluator, recipe: Recipe
) -> list[list[str | int]]:
    """The best pipelines for functions, and the bytes that each saves by itself."""
    rng = Random(f"{sample.name} tails")
    strange = [
        random_pipeline(rng, task.major, rng.randint(1, _TAIL_PASSES), PassLevel.FUNCTION)
        for _ in range(_STRANGE_TAILS)
    ]
    known = [tail for tail in Coreset().tails if tail_holds(tail, task.major)]
    tails = list(dict.fromkeys([*known, *strange]))
    try:
        names = evaluator.function_fingerprints(recipe)
        before, sizes = evaluator.measure_tails(recipe, tails, names)
    except EvaluationError:  # the module with that recipe cannot be taken apart
        return []
    after = [found if isinstance(found, dict) else before for found in sizes]
    rows = [[size, *(one.get(name, size) for one in after)] for name, size in before.items()]
    saved = [sum(max(0, row[0] - row[i + 1]) for row in rows) for i in range(len(tails))]
    chosen = cover_tails(tails, [{"functions": rows}], TAILS)
    return [[tail, saved[tails.index(tail)]] for tail in chosen]


def _values(recipes: Sequence[Recipe], meter: Meter, metric: Metric) -> dict[Recipe, int | None]:
    results = meter.measure(recipes)
    return {r: value_of(result, metric) for r, result in zip(recipes, results, strict=True)}


def _better(values: dict[Recipe, int | None], before: int) -> list[tuple[int, Recipe]]:
    """Those below the baseline with their values, best first."""
    return sorted((v, recipe) for recipe, v in values.items() if v is not None and v < before)


def _request(task: Task, info: ModuleInfo, budget: int, metric: Metric) -> Request:
    return Request(info, Level.OZ, task.major, task.target, budget, metric)
