"""Builds by a recipe: what clang's front end makes of a text, optimised in the order that a row
says, by the libLLVM that belongs to that clang. Its code generator does the rest.
"""

from __future__ import annotations

from collections.abc import Sequence

from cr1cc.errors import EvaluationError
from cr1cc.evaluate.evaluator import Evaluator
from cr1cc.evaluate.worker import Subject
from cr1cc.llvm.library import Library
from cr1cc.llvm.target import TargetSpec, code_model
from cr1cc.llvm.triple import target_name
from cr1cc.passes.macros import macros_for
from cr1cc.passes.recipe import adapt, parse_recipe
from cr1cc.records import Level, Toolchain


def optimised(bitcode: bytes, recipe: str, clang: Toolchain, options: Sequence[str]) -> bytes:
    """The module after a recipe, of which passes that this LLVM does not have are left out.
    `options` are those of the command. Raises EvaluationError."""
    if clang.libllvm is None:
        raise EvaluationError(clang.libllvm_problem)
    # The level is for macros of size, of which no row has one.
    macros = macros_for(clang.major, Level.OZ)
    subject = Subject(bitcode, macros, TargetSpec(code_model(options)))
    with Evaluator(Library(clang.libllvm), subject) as evaluator:
        target = target_name(evaluator.describe().triple) or ""
        return evaluator.apply(adapt(parse_recipe(recipe), clang.major, target))
