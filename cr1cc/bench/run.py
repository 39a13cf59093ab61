"""Compare proposers on modules, in one of two settings.

    paper     the module as `clang -O0` leaves it, without size attributes; the baseline is
              `default<Oz>`, what counts are IR instructions, recipes are passes alone
    product   the module as it enters the optimiser at -Oz; the baseline is the object of the
              real `clang -Oz`, what counts are its loadable bytes; recipes for the whole
              module, emitted by the real compiler and validated as in a build

OverOz and OverOrig are those of the literature: the share of instructions saved against
the baseline and against the unoptimised module (arXiv:2506.15701, section 4).
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from cr1cc import improve
from cr1cc.bench.results import Result, share
from cr1cc.config import Config
from cr1cc.driver.argv import parse
from cr1cc.emit import RealCompiler, contents
from cr1cc.errors import Cr1Error, EvaluationError, UserError
from cr1cc.evaluate.evaluator import Evaluator
from cr1cc.evaluate.meter import Meter
from cr1cc.evaluate.worker import Subject
from cr1cc.llvm.library import Library
from cr1cc.llvm.target import TargetSpec, code_model, target_name
from cr1cc.passes.macros import SIZE, attributes_only, macros_for
from cr1cc.passes.recipe import holds
from cr1cc.policy.interface import Proposer, Request
from cr1cc.policy.proposers import proposer_named
from cr1cc.records import Answer, Level, Metric, Passthrough, Plan, Recipe, Score, Toolchain
from cr1cc.storage.keys import KeyContext
from cr1cc.storage.store import DecisionStore
from cr1cc.util.elf import ObjectFile

BASELINE = Recipe((SIZE,))

_UNOPTIMISED = ("-O0", "-Xclang", "-disable-O0-optnone")
_AS_IT_IS = ("-O0", "-Xclang", "-disable-llvm-passes", "-Wno-override-module")


class Setting(Enum):
    PAPER = "paper"
    PRODUCT = "product"


@dataclass(frozen=True)
class Bench:
    """What is compared, and how. `candidates` is the budget of one proposer, `flags` are
    given to the compiler with every C file."""

    toolchain: Toolchain
    setting: Setting
    proposers: Sequence[str]
    candidates: int
    flags: Sequence[str] = ()

    def run(self, path: str) -> Iterator[Result]:
        """One result for each proposer. Raises UserError, before the first, if the module
        cannot be compiled or measured."""
        proposers = [proposer_named(name) for name in self.proposers]
        measure = self._paper if self.setting is Setting.PAPER else self._product
        try:
            yield from measure(path, proposers)
        except (Cr1Error, OSError) as error:
            raise UserError(f"{path}: {error}") from None

    def _paper(self, path: str, proposers: Sequence[Proposer]) -> Iterator[Result]:
        bitcode = self._bitcode(path)
        major = self.toolchain.major
        subject = Subject(bitcode, macros_for(major, Level.OZ), minsize=attributes_only(major))
        with self._evaluator(subject) as evaluator:
            info = evaluator.describe()
            base = _score(evaluator, BASELINE)
        for proposer in proposers:
            start = time.perf_counter()
            with self._evaluator(subject) as evaluator:
                meter = Meter(evaluator, self.candidates, info.ic, emit=False)
                request = Request(
                    info, Level.OZ, major, target_name(info.triple) or "", self.candidates,
                    Metric.INSTRUCTIONS,
                )  # fmt: skip
                proposal = proposer.propose(request, meter.measure)
                results = meter.measure(proposal.recipes)
                scored = [
                    (result.ic, place, recipe)
                    for place, (recipe, result) in enumerate(
                        zip(proposal.recipes, results, strict=True)
                    )
                    if isinstance(result, Score) and result.ic < base.ic
                ]
                recipe = min(scored)[2] if scored else BASELINE
                final = _score(evaluator, recipe)
            yield _result(
                path, proposer, meter.spent, info.ic, base.ic, final.ic,
                (base.loadable or 0, final.loadable or 0),
                holds(recipe, major, request.target), time.perf_counter() - start,
            )  # fmt: skip

    def _product(self, path: str, proposers: Sequence[Proposer]) -> Iterator[Result]:
        toolchain = self.toolchain
        with tempfile.TemporaryDirectory(prefix="cr1-bench-") as folder:
            plan = self._plan(path, os.path.join(folder, "module.o"))
            environ = {n: v for n, v in os.environ.items() if not n.startswith("CR1_")}
            compiler = RealCompiler(plan, toolchain.driver, (), environ)
            bitcode, _ = compiler.front_end()
            if compiler.original():
                raise EvaluationError("clang -Oz fails on it")
            baseline = contents(plan.output)
            subject = Subject(
                bitcode,
                macros_for(toolchain.major, plan.level),
                TargetSpec(code_model(plan.codegen)),
            )
            with self._evaluator(subject) as evaluator:
                info = evaluator.describe()
                base = _score(evaluator, BASELINE)
            config = Config(
                budget=self.candidates + 1, tail_budget=0, cache=False, packs=False
            )  # plain -Oz is counted there
            size = ObjectFile(baseline).loadable_bytes()
            for proposer in proposers:
                start = time.perf_counter()
                context = KeyContext(
                    toolchain.identity, info.triple, plan.key, improve.basis(config, proposer)
                )
                with self._evaluator(subject) as evaluator, DecisionStore(config) as store:
                    improver = improve.Improver(
                        plan, toolchain.major, config, compiler, evaluator,
                        store, proposer, context, info.fingerprint,
                    )  # fmt: skip
                    decision, _ = improver.decide(baseline)
                better = decision.answer is Answer.BETTER
                yield _result(
                    path, proposer, max(decision.evaluations - 1, 0),
                    info.ic, base.ic, decision.ic_after if better else base.ic,
                    (size, decision.bytes_after if better else size),
                    holds(decision.recipe, toolchain.major, target_name(info.triple) or ""),
                    time.perf_counter() - start,
                )  # fmt: skip

    def _plan(self, path: str, output: str) -> Plan:
        """A compile at -Oz. Raises UserError if the driver would pass it through."""
        if path.endswith(".c"):
            words = ["-Oz", *self.flags, "-c", path, "-o", output]
            plan = parse(words, cxx=False, cwd=os.getcwd())
            if isinstance(plan, Passthrough):
                raise UserError(f"{plan.outcome.sentence} {plan.detail}".strip())
            return plan
        quiet = ("-Oz", "-Wno-override-module")
        return Plan(
            (*quiet, "-c", path, "-o", output), path, "ir", output, Level.OZ,
            frontend=quiet, codegen=quiet, dependency=(), key=(),
        )  # fmt: skip

    def _bitcode(self, path: str) -> bytes:
        """The module that the paper setting begins with."""
        if path.endswith(".bc"):
            return contents(path)
        options = (*_UNOPTIMISED, *self.flags) if path.endswith(".c") else _AS_IT_IS
        command = [self.toolchain.driver, *options, "-c", "-emit-llvm", path, "-o", "-"]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode:
            raise UserError(f"clang gives no bitcode: {_first_error(done.stderr)}")
        return done.stdout

    def _evaluator(self, subject: Subject) -> Evaluator:
        assert self.toolchain.libllvm
        return Evaluator(Library(self.toolchain.libllvm), subject)


def _result(
    path: str, proposer: Proposer, candidates: int, unoptimised: int, baseline: int, ic: int,
    loadable: tuple[int, int], success: bool, seconds: float,
) -> Result:  # fmt: skip
    return Result(
        path, proposer.name, candidates, unoptimised, baseline, ic,
        share(baseline, ic), share(unoptimised, ic), *loadable, success, round(seconds, 3),
    )  # fmt: skip


def _score(evaluator: Evaluator, recipe: Recipe) -> Score:
    result = evaluator.measure([recipe])[0]
    if not isinstance(result, Score):
        raise EvaluationError(f"the module {result.value}")
    return result


def _first_error(stderr: bytes) -> str:
    lines = stderr.decode(errors="replace").splitlines()
    return next((line for line in lines if "error" in line), lines[0] if lines else "no message")
