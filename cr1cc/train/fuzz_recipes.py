"""The recipes of the soundness campaign: chosen ones, and random ones by seed."""

from __future__ import annotations

from random import Random

from cr1cc.passes import standard
from cr1cc.passes.attributes import ATTRIBUTES
from cr1cc.passes.macros import SIZE
from cr1cc.passes.options import Option, options_for
from cr1cc.passes.pipeline import mutate, nest, random_pipeline, thin
from cr1cc.passes.recipe import adapt, parse_recipe
from cr1cc.passes.rows import PassLevel, forms_for
from cr1cc.passes.table import passes_for
from cr1cc.policy.coreset import Coreset
from cr1cc.records import Metric, Recipe

_CHOSEN = (
    "@size",
    "@size; @Os",
    "@size; @size",
    "@O3; @size",
    "@size; mergefunc",
    "@size; mergefunc,function(simplifycfg,instcombine),globaldce",
    "@start; function(sroa,early-cse<memssa>,instcombine); @size",
    "@size; function(simplifycfg<no-keep-loops;hoist-common-insts;sink-common-insts>,instcombine)",
    "@size; iroutliner; @size",
    "@size; cgscc(argpromotion,inline,function-attrs),deadargelim,globalopt,globaldce",
    "@size; function(jump-threading,correlated-propagation,dse,adce,loop(loop-reduce))",
)
_RANDOM_FORMS = ("after", "before", "between", "alone", "tail", "standard")


def chosen(major: int, target: str) -> list[Recipe]:
    """Recipes picked for what they did in searches, then every pass form and every
    option alone behind the size pipeline."""
    recipes = [parse_recipe(text) for text in _CHOSEN]
    for row in passes_for(major, size_only=False):
        recipes.extend(Recipe(("@size", nest([form]))) for form in forms_for(row, major))
    recipes.extend(Recipe(("@size",), (row.text,)) for row in options_for(major, target))
    fitting = [adapt(recipe, major, target) for recipe in recipes]
    return list(dict.fromkeys(fitting))


def shipped(major: int, target: str) -> list[Recipe]:
    """What users get: the recipes of the coreset, as they are and with every attribute, and
    its tails, each as a stage."""
    coreset = Coreset()
    tails = [Recipe((SIZE, tail)) for tail in coreset.tails]
    recipes = [recipe for metric in Metric for recipe in coreset.recipes[metric]]
    names = tuple(row.name for row in ATTRIBUTES)
    marked = [Recipe((*recipe.stages, *names), recipe.options) for recipe in recipes]
    fitting = [adapt(recipe, major, target) for recipe in (*recipes, *marked, *tails)]
    return list(dict.fromkeys(fitting))


def random_recipe(rng: Random, major: int, target: str) -> Recipe:
    """A random pipeline after, before or between size pipelines, or all alone."""
    form = rng.choice(_RANDOM_FORMS)
    level = PassLevel.FUNCTION if form == "tail" else PassLevel.MODULE
    text = random_pipeline(rng, major, rng.randint(1, 12), level, size_only=rng.random() < 0.8)
    stages = {
        "after": ("@size", text),
        "alone": ("@start", text),
        "before": ("@start", text, "@size"),
        "between": ("@size", text, "@size"),
        "tail": ("@size", text),
        "standard": _changed(rng, major, target),
    }[form]
    options: dict[str, Option] = {}
    for _ in range(rng.choice((0, 0, 1, 2, 3))):
        row = rng.choice(options_for(major, target))
        options.setdefault(row.group, row)
    return Recipe(stages, tuple(sorted(row.text for row in options.values())))


def _changed(rng: Random, major: int, target: str) -> tuple[str, ...]:
    """A standard pipeline, pass by pass, that went through what a search does to one."""
    start, *body = rng.choice(standard.seeds(major, target)).stages
    for _ in range(rng.randint(1, 8)):
        place = rng.randrange(len(body))
        body[place] = mutate(rng, thin(rng, body[place], rng.choice((0.0, 0.1, 0.3))), major)
    return (start, *filter(None, body))


def recipes_for(
    program: int, count: int, seed: int, major: int, target: str, kind: str
) -> list[Recipe]:
    """The recipes that program number `program` is compiled by: `kind` is random,
    chosen, coreset, or all (half chosen, half random). All but the random ones take turns
    over the programs."""
    rng = Random(f"{seed}:{program}")
    picked = (shipped if kind == "coreset" else chosen)(major, target)
    wanted = {"random": 0, "chosen": count, "coreset": count, "all": count // 2}[kind]
    start = program * wanted
    recipes = [picked[(start + i) % len(picked)] for i in range(wanted)]
    while len(recipes) < count:
        recipes.append(random_recipe(rng, major, target))
    return list(dict.fromkeys(recipes))
