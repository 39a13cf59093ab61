"""What the model learns from: for every module the recipes that proved best on it.

FOLDER/label-METRIC.jsonl   one line for each module (a run can be taken up again)
FOLDER/held-METRIC.jsonl    the same for modules that are held out: to compare, never to learn from

A function alone is a module, too (`functions.py`).

Bytes are those of modules as -Oz gives them to the optimiser, instructions those of the same
modules as -O0 leaves them.

Each module is measured with the whole coreset, then searched from its best recipes; the
winner is minimised by the search. Of modules that the coreset was mined on enough is known
already (`mined.py`). `recipes` of a row are the best of all that are better than plain -Oz;
`others` are those of the coreset that are not among them, good or bad, for a model has to see
results of both kinds. `tails`, where bytes count, are pipelines that make functions smaller
behind the best recipe: each adds most to those before it.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from cr1cc import decide
from cr1cc.errors import EvaluationError
from cr1cc.evaluate.evaluator import Evaluator
from cr1cc.evaluate.meter import Meter
from cr1cc.ir.opcodes import opcode_pairs
from cr1cc.llvm.library import Library
from cr1cc.llvm.module import Module
from cr1cc.passes.attributes import is_attribute
from cr1cc.passes.pipeline import random_pipeline
from cr1cc.passes.recipe import BASELINE, format_recipe, parse_recipe, tail_holds
from cr1cc.passes.rows import PassLevel
from cr1cc.policy.coreset import Coreset
from cr1cc.policy.search import find_best_pass_sequence
from cr1cc.records import Level, Metric, ModuleInfo, Recipe, Request, Score, value_of
from cr1cc.train.corpus import FUNCTIONS, KIND, Sample, samples
from cr1cc.train.cover import cover_tails
from cr1cc.train.mined import measured
from cr1cc.train.tasks import Row, Task, Work, logged, spread

Values = dict[Recipe, int | None]  # None: could not be measured

KEPT = 16  # best recipes of a module
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
    held_out: bool = False


def log_of(folder: Path, metric: Metric, *, held_out: bool) -> Path:
    """Where the rows are."""
    return folder / f"{'held' if held_out else 'label'}-{metric.value}.jsonl"


def chosen(folder: Path, task: Task, plan: Plan) -> list[Sample]:
    """What the plan wants to be labelled, and all that mining measured. Raises UserError if
    there is no corpus."""
    if plan.held_out:
        held = samples(folder, KIND[plan.metric], held_out=True)
        return _first(held, (), plan.modules, plan.seed)
    kind = KIND[plan.metric]
    modules = samples(folder, kind)
    functions = samples(folder, kind + FUNCTIONS) if plan.functions else []
    known = measured(folder, task, plan.metric.value)
    return [
        *(sample for sample in modules if sample.name in known),
        *_first(modules, known, plan.modules, plan.seed),
        *_first(functions, known, plan.functions, plan.seed),
    ]


def _first(
    corpus: Sequence[Sample], known: Container[str], count: int | None, seed: int
) -> list[Sample]:
    new = [sample for sample in corpus if sample.name not in known]
    return spread(new, Random(seed))[:count]


def label(
    task: Task, corpus: Sequence[Sample], folder: Path, plan: Plan,
    note: Callable[[Iterable[Row], str, int], Iterable[Row]],
) -> list[Row]:  # fmt: skip
    """The rows of the corpus. `note(rows, step, total)` shows progress and passes rows on."""
    metric = plan.metric.value
    mined = measured(folder, task, metric)
    work: list[Work] = [
        (_mined, task, sample, metric, str(folder))
        if sample.name in mined
        else (_label, task, sample, metric, plan.budget)
        for sample in corpus
    ]
    log = log_of(folder, plan.metric, held_out=plan.held_out)
    rows = note(logged(log, work, plan.jobs), "label", len(work))
    return [row for row in rows if row]


def _mined(task: Task, sample: Sample, metric: str, folder: str) -> Row:
    """The record of a module that recipes were measured on when the coreset was mined."""
    by = Metric(metric)
    texts = dict(measured(Path(folder), task, metric)[sample.name])
    before = texts.pop("")
    values: Values = {parse_recipe(text): value for text, value in texts.items()}
    with task.evaluator(sample, by) as evaluator:
        known = _known(task, evaluator.describe(), by)
        return _row(task, sample, evaluator, by, before, _better(values, before), known, values)


def _label(task: Task, sample: Sample, metric: str, budget: int) -> Row:
    """The record of one module, {} if it tells nothing."""
    by = Metric(metric)
    with task.evaluator(sample, by) as evaluator:
        info = evaluator.describe()
        if not 0 < info.ic <= _LARGEST:
            return {}
        known = _known(task, info, by)
        meter = Meter(evaluator, len(known) + 1 + budget, info.ic, emit=by is Metric.BYTES)
        base = meter.measure([BASELINE])[0]
        before = value_of(base, by)
        if not isinstance(base, Score) or before is None:
            return {}
        meter.against(base, base.ic * decide.CEILING)
        values = _values(known, meter, by)
        found = _better(values, before)
        seeds = [recipe for _, recipe in found[:_SEEDS]]
        request = _request(task, info, budget, by)
        recipes = find_best_pass_sequence(request, meter.measure, seeds)
        searched = _better(_values(recipes, meter, by), before)
        best = sorted(dict.fromkeys([*found, *searched]))
        return _row(task, sample, evaluator, by, before, best, known, values)


def _row(
    task: Task, sample: Sample, evaluator: Evaluator, by: Metric, before: int,
    better: Sequence[tuple[int, Recipe]], known: Sequence[Recipe], values: Values,
) -> Row:  # fmt: skip
    """`better`: recipes that save something with their values, best first; `values`: of all that
    were measured."""
    info = evaluator.describe()
    best = better[:KEPT]
    kept = {recipe for _, recipe in best}
    rest = [recipe for recipe in known if recipe in values and recipe not in kept]
    tails = _tails(task, sample, evaluator, best[0][1]) if best and by is Metric.BYTES else []
    return {
        "package": sample.package,
        "module": sample.name,
        "metric": by.value,
        "triple": info.triple,
        "major": task.major,
        "ic": info.ic,
        "features": list(info.features),
        "opcodes": _opcodes(task, sample),
        "base": before,
        "recipes": [[format_recipe(recipe), value] for value, recipe in best],
        "others": [[format_recipe(recipe), values[recipe]] for recipe in rest],
        "tails": tails,
    }


def _opcodes(task: Task, sample: Sample) -> dict[str, int]:
    with Module.read(Library(task.library), sample.path.read_bytes()) as module:
        return opcode_pairs(module)


def _known(task: Task, info: ModuleInfo, by: Metric) -> list[Recipe]:
    """All of the coreset."""
    return list(Coreset().propose(_request(task, info, 1000, by), lambda _: ()).recipes)


def _tails(
    task: Task, sample: Sample, evaluator: Evaluator, recipe: Recipe
) -> list[list[str | int]]:
    """The best pipelines for functions, and the bytes that each saves by itself."""
    rng = Random(f"{sample.name} tails")
    strange = [
        random_pipeline(rng, task.major, rng.randint(1, _TAIL_PASSES), PassLevel.FUNCTION)
        for _ in range(_STRANGE_TAILS)
    ]
    known = [t for t in Coreset().tails if tail_holds(t, task.major) and not is_attribute(t)]
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


def _values(recipes: Sequence[Recipe], meter: Meter, metric: Metric) -> Values:
    results = meter.measure(recipes)
    return {r: value_of(result, metric) for r, result in zip(recipes, results, strict=True)}


def _better(values: Values, before: int) -> list[tuple[int, Recipe]]:
    """Those below the baseline with their values, best first."""
    return sorted((v, recipe) for recipe, v in values.items() if v is not None and v < before)


def _request(task: Task, info: ModuleInfo, budget: int, metric: Metric) -> Request:
    return Request(info, Level.OZ, task.major, task.target, budget, metric)
