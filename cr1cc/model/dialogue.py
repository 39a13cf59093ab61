"""What a foreign model is told: the task, the module at hand, what its tools found.

The form is that of Compiler-R1 (arXiv:2506.15701): features of the module, two tools, an answer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from cr1cc.features import FEATURES
from cr1cc.model.choices import Action
from cr1cc.model.text import MOST_ITEMS, write
from cr1cc.passes.grammar import leaves, parse_pipeline
from cr1cc.passes.macros import is_macro
from cr1cc.records import Metric, Recipe, Request

_GOALS = {
    Metric.BYTES: "the object file as small as possible, in bytes of code and data",
    Metric.INSTRUCTIONS: "the number of instructions of its LLVM IR as small as possible",
}
_EXAMPLE = ("sroa", "instcombine<no-verify-fixpoint>", "simplifycfg")
_SYSTEM = f"""You choose optimisation passes of LLVM for one module at a time. They run, in your \
order, behind the standard pipeline of the compiler. You cannot see the code, only numbers about it.

Say exactly one of these, and nothing else:
{write(Action.MEASURE, _EXAMPLE)}
measures a list. Positive improvements are good: parts of the result of the standard pipeline.
{write(Action.SEARCH, ())}
searches a good list and measures it. That is slow.
{write(Action.ANSWER, _EXAMPLE)}
ends the conversation with the list that is to be used.

A list has up to {MOST_ITEMS} items: passes, by their names in `opt -passes=...`"""
_OPTIONS = ", and options of code generation such as -disable-lsr, as in `clang -mllvm`"
_USER = """Make {goal}. The compiler is LLVM {major} at -O{level}, the target {target}.
It has {ic} instructions before any optimisation. Its AutoPhase features are:
{features}"""

VERSION = hashlib.blake2b(
    "\0".join((_SYSTEM, _OPTIONS, _USER, *_GOALS.values())).encode(), digest_size=8
).hexdigest()


def system(request: Request) -> str:
    """What the model is for, and how it may speak."""
    return f"{_SYSTEM}{_OPTIONS if request.metric is Metric.BYTES else ''}."


def user(request: Request) -> str:
    """What is known of the module."""
    return _USER.format(
        goal=_GOALS[request.metric],
        major=request.major,
        level=request.level.value,
        target=request.target,
        ic=request.info.ic,
        features=json.dumps(dict(zip(FEATURES, request.info.features, strict=True))),
    )


def response(before: int, after: int | None, found: Recipe | None = None) -> str:
    """What a recipe made of `before`, None: it could not be measured; `found`: by the search."""
    fields: dict[str, object] = {} if found is None else {"optimization_flags": items_of(found)}
    if after is None:
        fields["error"] = "this list cannot be used"
    else:
        fields["improvement"] = round((before - after) / before, 4) if before else 0.0
    return f"<tool_response>{json.dumps(fields)}</tool_response>"


def items_of(recipe: Recipe) -> Sequence[str]:
    """The passes and options of a recipe in the order they are written."""
    stages = (parse_pipeline(stage) for stage in recipe.stages if not is_macro(stage))
    return [*(text for stage in stages for text in leaves(stage)), *recipe.options]
