"""The setting of a build: the object of the real `clang -Oz`, its loadable bytes."""

from __future__ import annotations

import os
import tempfile
import time

from cr1cc import improve
from cr1cc.basis import basis
from cr1cc.bench.contenders import Contender
from cr1cc.bench.results import Result
from cr1cc.bench.task import Answer, Task, result, score_of
from cr1cc.config import Config
from cr1cc.driver.argv import parse
from cr1cc.emit import RealCompiler, contents
from cr1cc.errors import EvaluationError, UserError
from cr1cc.evaluate.worker import Subject
from cr1cc.llvm.target import TargetSpec, code_model
from cr1cc.passes.macros import macros_for
from cr1cc.passes.recipe import BASELINE
from cr1cc.records import Answer as Kind
from cr1cc.records import Level, Passthrough, Plan, Speed
from cr1cc.rewrite.clang import ClangRewriter
from cr1cc.storage.keys import KeyContext
from cr1cc.storage.store import DecisionStore
from cr1cc.util.elf import ObjectFile


class ProductModule:
    """One module in this setting; it has a folder of its own until it is closed."""

    def __init__(self, task: Task, path: str) -> None:
        """Raises UserError or EvaluationError if it cannot be compiled or measured."""
        self.task = task
        self.path = path
        self.folder = tempfile.TemporaryDirectory(prefix="cr1-bench-")
        try:
            self._prepare(os.path.join(self.folder.name, "module.o"))
        except BaseException:
            self.close()
            raise

    def _prepare(self, output: str) -> None:
        toolchain = self.task.toolchain
        self.plan = _plan(self.path, output, self.task.flags)
        environ = {name: v for name, v in os.environ.items() if not name.startswith("CR1_")}
        self.compiler = RealCompiler(self.plan, toolchain.driver, (), environ)
        bitcode, _ = self.compiler.front_end()
        if self.compiler.original():
            raise EvaluationError("clang -Oz fails on it")
        self.object = contents(output)
        self.subject = Subject(
            bitcode,
            macros_for(toolchain.major, self.plan.size_level),
            TargetSpec(code_model(self.plan.codegen)),
        )
        with self.task.evaluator(self.subject) as evaluator:
            self.info = evaluator.describe()
            self.base = score_of(evaluator, BASELINE)

    def ask(self, contender: Contender) -> Result:
        """What a compile with this contender makes of it."""
        start = time.perf_counter()
        task, toolchain = self.task, self.task.toolchain
        # A budget counts plain -Oz too, and tails have one of their own.
        config = Config(budget=contender.candidates + 1, cache=False, packs=False)
        context = KeyContext(
            toolchain.identity, self.info.triple, self.plan.key, basis(config, contender.proposer)
        )
        with self.task.evaluator(self.subject) as evaluator, DecisionStore(config) as store:
            decision, emitted = improve.Improver(
                self.plan, toolchain.major, config, self.compiler, evaluator,
                store, contender.proposer, context, self.info.fingerprint,
            ).decide(self.object)  # fmt: skip
            data = emitted.data if emitted else self.object
            if contender.rewriting:
                _, _, names = evaluator.identify()
                rewriter = ClangRewriter(
                    self.plan, self.compiler, context, store, names=names, rules=False
                )
                data = rewriter.improved(decision, emitted, data).data or data
        better = decision.answer is Kind.BETTER
        size, after = (ObjectFile(one).loadable_bytes() for one in (self.object, data))
        answer = Answer(
            decision.recipe if better else BASELINE,
            max(decision.evaluations - 1, 0),
            decision.ic_after if better else self.base.ic,
            after,
        )
        seconds = time.perf_counter() - start
        return result(task, self.path, contender, self.info, (self.base.ic, size), answer, seconds)

    def close(self) -> None:
        """Remove the folder."""
        self.folder.cleanup()


def _plan(path: str, output: str, flags: tuple[str, ...]) -> Plan:
    """A compile at -Oz. Raises UserError if the driver would pass it through."""
    if path.endswith(".c"):
        plan = parse(["-Oz", *flags, "-c", path, "-o", output], cxx=False, cwd=os.getcwd())
        if isinstance(plan, Passthrough):
            raise UserError(f"{plan.outcome.sentence} {plan.detail}".strip())
        if isinstance(plan.level, Speed):
            raise UserError(f"-O{plan.level.value} is a level of speed")
        return plan
    quiet = ("-Oz", "-Wno-override-module")
    return Plan(
        (*quiet, "-c", path, "-o", output), path, "ir", output, Level.OZ,
        frontend=quiet, codegen=quiet, dependency=(), key=(),
    )  # fmt: skip
