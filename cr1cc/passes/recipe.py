"""Recipes as text: `@size; function(simplifycfg) | -disable-lsr -regalloc=basic`.

Stages are separated by `;` (those inside `<…>` belong to parameters), the
code-generation options follow after `|`. Every recipe prints as text and the
text parses back to the same recipe.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache

from cr1cc.errors import RecipeError
from cr1cc.passes.attributes import is_attribute
from cr1cc.passes.grammar import (
    Node,
    Pipeline,
    check_manager,
    check_pipeline,
    format_pipeline,
    leaves,
    normalise,
    parse_pipeline,
)
from cr1cc.passes.macros import SIZE, is_macro
from cr1cc.passes.options import find_option, find_refused_option
from cr1cc.passes.rows import PassLevel, allows
from cr1cc.passes.table import find_pass
from cr1cc.records import Recipe

BASELINE = Recipe((SIZE,))  # what all recipes are compared with
_LOOPS = "tailcallelim"
MAX_STAGES = 16
MAX_OPTIONS = 16
_STAGE_END = re.compile(r";(?![^<]*>)")


def parse_recipe(text: str) -> Recipe:
    """Raises RecipeError if the text is not well formed. Names are not checked here."""
    stages_text, bar, options_text = text.partition("|")
    stages = tuple(part.strip() for part in _STAGE_END.split(stages_text))
    if stages == ("",):
        stages = ()
    for stage in stages:
        if not _is_name(stage):
            parse_pipeline(stage)
    options = tuple(options_text.split())
    if bar and not options:
        raise RecipeError("options are missing after '|'")
    for option in options:
        if not option.startswith("-"):
            raise RecipeError(f"{option} is not an option")
    return Recipe(stages, options)


def format_recipe(recipe: Recipe) -> str:
    stages = "; ".join(recipe.stages)
    options = " ".join(recipe.options)
    return f"{stages} | {options}".strip() if options else stages


def check_recipe(recipe: Recipe, major: int, target: str) -> None:
    """Raises RecipeError naming the first thing that is not vetted for this LLVM major
    and this LLVM target name ("X86", "AArch64", …)."""
    if len(recipe.stages) > MAX_STAGES or len(recipe.options) > MAX_OPTIONS:
        raise RecipeError("the recipe is too long")
    if not begins(recipe):
        raise RecipeError("a recipe begins with a macro such as @size or @start")
    for stage in recipe.stages:
        if not _is_name(stage):
            check_pipeline(parse_pipeline(stage), major)
    groups: set[str] = set()
    for text in recipe.options:
        option = find_option(text)
        if option is None:
            refused = find_refused_option(text)
            why = f"is refused: {refused.finding}" if refused else "is not a vetted option"
            raise RecipeError(f"{text} {why}")
        if not option.holds_for(major, target):
            raise RecipeError(f"{text} is not vetted for LLVM {major} on {target}")
        if option.group in groups:
            raise RecipeError(f"{text} conflicts with another option for {option.group}")
        groups.add(option.group)


def _is_name(stage: str) -> bool:
    """Whether a stage is no pipeline but stands for something."""
    return is_macro(stage) or is_attribute(stage)


def begins(recipe: Recipe) -> bool:
    """Whether a macro is the first stage, as it has to be."""
    return bool(recipe.stages) and is_macro(recipe.stages[0])


def stages_run(recipe: Recipe) -> tuple[str, ...]:
    """The stages of a recipe as they run. If none of them turns recursion into loops, one does
    in the end, as the standard pipelines do: what took no stack must not take any."""
    if SIZE in recipe.stages or any(_LOOPS in stage for stage in recipe.stages):
        return recipe.stages
    return (*recipe.stages, f"function({_LOOPS})")


def holds(recipe: Recipe, major: int, target: str) -> bool:
    """Whether `check_recipe` has nothing against a recipe."""
    return _passes(lambda: check_recipe(recipe, major, target))


def tail_holds(text: str, major: int) -> bool:
    """Whether `check_tail` has nothing against a tail."""
    return _passes(lambda: check_tail(text, major))


def _passes(check: Callable[[], None]) -> bool:
    try:
        check()
    except RecipeError:
        return False
    return True


def fits(recipe: Recipe, instructions: int) -> bool:
    """Whether every pass may run on a module of so many instructions before optimisation."""
    rows = map(find_pass, passes_of(recipe))
    return all(row is None or row.largest is None or instructions <= row.largest for row in rows)


@cache
def passes_of(recipe: Recipe) -> frozenset[str]:
    """The names of its passes, without parameters; macros are none."""
    stages = (parse_pipeline(stage) for stage in recipe.stages if not _is_name(stage))
    return frozenset(text.partition("<")[0] for stage in stages for text in leaves(stage))


def check_tail(text: str, major: int) -> None:
    """A tail is one `function(…)` pipeline, or the name of an attribute. Raises RecipeError for
    anything else."""
    if is_attribute(text):
        return
    pipeline = parse_pipeline(text)
    if len(pipeline) != 1 or pipeline[0].name != "function" or pipeline[0].children is None:
        raise RecipeError("a tail is one function(…) pipeline")
    check_pipeline(pipeline, major)


def canonical(recipe: Recipe) -> Recipe:
    """The one spelling of all recipes that act alike: stages normalised, empty ones
    dropped, options sorted and without repetition. Equal results act equally."""
    stages = []
    for stage in recipe.stages:
        text = stage if _is_name(stage) else format_pipeline(normalise(parse_pipeline(stage)))
        if text:
            stages.append(text)
    return Recipe(tuple(stages), tuple(sorted(set(recipe.options))))


def same(first: Recipe, second: Recipe) -> bool:
    """Whether two recipes are one in canonical form."""
    return canonical(first) == canonical(second)


def adapt(recipe: Recipe, major: int, target: str) -> Recipe:
    """The recipe without whatever does not hold for this LLVM major and target:
    parameters first, then passes, then options. If it begins with a macro, the result passes
    `check_recipe`."""
    stages = []
    for stage in recipe.stages:
        text = (
            stage
            if _is_name(stage)
            else format_pipeline(_adapt(parse_pipeline(stage), major, PassLevel.MODULE))
        )
        if text:
            stages.append(text)
    result = Recipe(tuple(stages[:MAX_STAGES]), ())
    for option in recipe.options:
        longer = replace(result, options=(*result.options, option))
        if holds(longer, major, target):
            result = longer
    return result


def _adapt(pipeline: Iterable[Node], major: int, level: PassLevel) -> Pipeline:
    kept: list[Node] = []
    for node in pipeline:
        fitting = _adapt_pass if node.children is None else _adapt_manager
        try:
            kept.append(fitting(node, major, level))
        except RecipeError:
            continue
    return tuple(kept)


def _adapt_manager(node: Node, major: int, level: PassLevel) -> Node:
    children = _adapt(node.children or (), major, check_manager(node, level))
    if not children:
        raise RecipeError(f"nothing is left of {node.name}(…)")
    return replace(node, children=children)


def _adapt_pass(node: Node, major: int, level: PassLevel) -> Node:
    row = find_pass(node.name)
    if row is not None:
        parts = [p for p in (node.parameters or "").split(";") if allows(row, p, major)]
        if row.required and major >= row.required[1] and row.required[0] not in parts:
            parts.append(row.required[0])
        node = Node(node.name, ";".join(parts) or None)
    check_pipeline((node,), major, level)
    return node
