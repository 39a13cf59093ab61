"""Scores are those of the compiler, however a batch is put together."""

from __future__ import annotations

import os
import random
import re
import subprocess
from pathlib import Path

import pytest

from cr1cc.llvm.triple import target_name
from cr1cc.passes.macros import expand
from cr1cc.passes.options import options_for
from cr1cc.policy.random_ import random_recipe
from cr1cc.records import Failure, Level, Recipe, Request, Score, Toolchain
from cr1cc.util.elf import ObjectFile
from cr1cc.util.unwind import unwind_bytes
from tests.unit.evaluate.conftest import MakeEvaluator, bitcode_of

SIZE = Recipe(("@size",))
TAIL = "function(simplifycfg<sink-common-insts;hoist-common-insts>,instcombine,simplifycfg)"


def recipes_for(make: MakeEvaluator, toolchain: Toolchain) -> list[Recipe]:
    with make() as evaluator:
        info = evaluator.describe()
    target = target_name(info.triple) or ""
    request = Request(info, Level.OZ, toolchain.major, target, 64)
    rng = random.Random(7)
    known = [Recipe(), SIZE, Recipe(("@size", "@size")), Recipe(("@size", "mergefunc"))]
    known.append(Recipe(("@size", "mergefunc", "@size"), ("-disable-lsr",)))
    return known + [random_recipe(rng, request) for _ in range(7)]


def emitted(toolchain: Toolchain, bitcode: bytes, options: tuple[str, ...] = ()) -> ObjectFile:
    """What the real driver makes of bitcode."""
    command = [toolchain.driver, "-Oz", "-x", "ir", "-Xclang", "-disable-llvm-passes"]
    for option in options:
        command += ["-mllvm", option]
    done = subprocess.run(
        [*command, "-c", "-", "-o", "-"], input=bitcode, capture_output=True, check=True
    )
    return ObjectFile(done.stdout)


def with_unwind(data: ObjectFile) -> dict[str, int]:
    """st_size and bytes of unwind data by function."""
    unwind = unwind_bytes(data)
    return {name: size + unwind.get(name, 0) for name, size in data.function_sizes().items()}


def test_sharing_the_work_of_a_batch_changes_no_score(
    evaluator: MakeEvaluator, toolchain: Toolchain
) -> None:
    recipes = recipes_for(evaluator, toolchain)
    alone = []
    for recipe in recipes:
        with evaluator() as fresh:
            alone += fresh.measure([recipe])
    assert all(isinstance(score, Score) for score in alone)
    assert len(set(alone)) > 3
    for seed in range(3):
        order = list(range(len(recipes)))
        random.Random(seed).shuffle(order)
        with evaluator() as fresh:
            batch = fresh.measure([recipes[i] for i in order])
        assert batch == [alone[i] for i in order]


def test_instructions_are_those_that_opt_leaves(
    evaluator: MakeEvaluator, toolchain: Toolchain, bitcode: bytes
) -> None:
    program = Path(os.path.realpath(toolchain.driver)).with_name("opt")
    if not program.exists():
        pytest.skip(f"opt of LLVM {toolchain.major} is missing")
    pipeline = expand("@size", toolchain.major, Level.OZ)
    text = subprocess.run(
        [program, f"-passes={pipeline}", "-S"], input=bitcode, capture_output=True, check=True
    ).stdout.decode()
    # One line each; a switch's cases are indented deeper and its end is a bracket.
    expected = len(re.findall(r"^  [^ \]]", text, re.MULTILINE))
    with evaluator() as fresh:
        assert fresh.measure([SIZE], emit=False) == [Score(expected)]


def test_loadable_bytes_are_those_of_the_real_driver(
    evaluator: MakeEvaluator, toolchain: Toolchain
) -> None:
    with evaluator() as fresh:
        info = fresh.describe()
        options = options_for(toolchain.major, target_name(info.triple) or "")
        recipes = [SIZE, *(Recipe(("@size",), (row.text,)) for row in options)]
        scores = fresh.measure(recipes)
        modules = [fresh.apply(recipe) for recipe in recipes]
    assert len(recipes) > 5
    assert len(set(modules)) > 1  # some of the options tune passes
    for recipe, module, score in zip(recipes, modules, scores, strict=True):
        real = emitted(toolchain, module, recipe.options)
        assert isinstance(score, Score), recipe
        assert score.loadable == real.loadable_bytes(), recipe
        assert dict(score.functions) == real.function_sizes(), recipe


def test_sizes_after_a_tail_are_those_of_the_real_driver(
    evaluator: MakeEvaluator, toolchain: Toolchain
) -> None:
    tails = [TAIL, "function(gvn,instcombine,simplifycfg,dse,adce)"]
    with evaluator() as fresh:
        names = list(fresh.function_fingerprints(SIZE))
        base, sizes = fresh.measure_tails(SIZE, tails, names)
        assert base.keys() == set(names)
        for tail, measured in zip(tails, sizes, strict=True):
            module = fresh.apply(SIZE, [(name, tail) for name in names])
            assert measured == with_unwind(emitted(toolchain, module))


def test_a_large_module_gets_the_same_answers(
    evaluator: MakeEvaluator, toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipes = [*recipes_for(evaluator, toolchain), Recipe(("no-such-pass",))]
    recipes.append(Recipe(("@size", TAIL), ("-disable-lftr", "-disable-lsr")))
    answers = []
    for large in (1 << 20, 0):
        monkeypatch.setattr("cr1cc.evaluate.evaluator._LARGE", large)
        with evaluator() as fresh:
            names = list(fresh.function_fingerprints(recipes[-1]))
            answers.append(
                (
                    fresh.measure(recipes),
                    fresh.measure_tails(recipes[-1], [TAIL], names),
                    fresh.apply(recipes[-1], [("pick", TAIL)]),
                )
            )
    assert answers[0] == answers[1]
    assert answers[0][0][-2] is Failure.REFUSED
    assert isinstance(answers[0][0][-1], Score)


def test_scores_tell_what_is_defined_for_other_objects(
    evaluator: MakeEvaluator, toolchain: Toolchain, tmp_path: Path
) -> None:
    source = "static int own(int x) { return x * x; } int f(int x) { return own(x) + x; }"
    other = source.replace("static int own", "int own")
    results = []
    for text in (source, source + "\nint data[3] = {1, 2, 3};", other):
        with evaluator(bitcode=bitcode_of(toolchain, text, tmp_path)) as fresh:
            results += fresh.measure([SIZE, Recipe(("@size", TAIL))])
    exports = [result.exports for result in results if isinstance(result, Score)]
    assert exports[::2] == exports[1::2]
    assert len(set(exports)) == 3


def test_applying_gives_the_same_bitcode_in_every_process(evaluator: MakeEvaluator) -> None:
    tails = [("pick", TAIL), ("sum", "function(early-cse<memssa>,instcombine)")]
    modules = set()
    for noise in ([], [Recipe(("@size", "mergefunc"))], [SIZE]):
        with evaluator() as fresh:
            fresh.measure(noise)
            modules.add(fresh.apply(SIZE, tails))
    assert len(modules) == 1


def test_too_many_instructions_are_rejected_before_emission(evaluator: MakeEvaluator) -> None:
    with evaluator() as fresh:
        assert fresh.measure([SIZE], ceiling=1) == [Failure.REJECTED]
        score = fresh.measure([SIZE], ceiling=10_000)[0]
    assert isinstance(score, Score)
    assert score.loadable
