"""The journey of one compile, from a plan to the object: the only module that knows it.

    front end → bitcode → is this object known? replace the object
                        → is this module's decision known? apply the recipe, emit, replace
                        → else: the real command makes the baseline; improve on it,
                          replace the object, store the decision

Whenever the plain compiler shall do all the work, `Fallback` says so and why. What only a
module needs whose object is not known is imported where it is used.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cr1cc.assembly.source import model_of, sources
from cr1cc.basis import basis
from cr1cc.config import Config
from cr1cc.emit import Emitted, RealCompiler, contents
from cr1cc.errors import EvaluationError, ModelError, ModelSilenceError
from cr1cc.journey import Fallback, Report
from cr1cc.journey import report as report_of
from cr1cc.llvm.triple import target_name
from cr1cc.outcome import Outcome
from cr1cc.passes.rows import NEWEST, OLDEST
from cr1cc.policy.coreset import Coreset
from cr1cc.policy.interface import Proposer
from cr1cc.policy.proposers import Circumstances, proposer_named
from cr1cc.records import Answer, Decision, Plan, Recipe, Toolchain
from cr1cc.resident.client import Resident
from cr1cc.resident.place import Service
from cr1cc.rewrite.version import follows_rules, rewriting
from cr1cc.storage.keys import KeyContext, module_key, object_key
from cr1cc.storage.store import DecisionStore, StoredObject
from cr1cc.util.atomic import replace_file

if TYPE_CHECKING:
    from cr1cc.evaluate.evaluator import Evaluator
    from cr1cc.rewrite.clang import ClangRewriter
    from cr1cc.rewrite.windows import Source

# Outcomes after which the back end has said nothing that would be missing next time.
_SILENT = (Outcome.SMALLER, Outcome.NOTHING_BETTER, Outcome.NO_CODE)


class Compile:
    """One compile of one plan."""

    def __init__(
        self,
        plan: Plan,
        toolchain: Toolchain,
        config: Config,
        environ: Mapping[str, str],
        mode: tuple[str, ...] = (),
    ) -> None:
        """`mode` is what makes the driver compile the language of the command's name.

        Raises Fallback if this compiler or target cannot be served.
        """
        triple = plan.triple or toolchain.default_triple
        target = target_name(triple)
        if toolchain.libllvm is None:
            raise Fallback(Outcome.NO_LIBLLVM, toolchain.libllvm_problem)
        if not OLDEST <= toolchain.major <= NEWEST:
            raise Fallback(Outcome.UNSUPPORTED_VERSION, toolchain.identity)
        if target is None or (toolchain.targets and target not in toolchain.targets):
            raise Fallback(Outcome.UNSUPPORTED_TARGET, triple)
        self.plan = plan
        self.toolchain = toolchain
        self.target = target
        self.library = toolchain.libllvm
        self.config = config
        self.compiler = RealCompiler(plan, toolchain.driver, mode, environ)
        self.environ = environ
        self.residents: list[Resident] = []
        self.resident = self._resident("llvm", toolchain.libllvm, (toolchain.libllvm,))
        self.asm_model = model_of(config, environ, "clang")
        self.model_problem = self.asm_model.problem if self.asm_model else ""
        proposing = self.asm_model.version if self.asm_model else ""
        self.rewriting = rewriting(config.rewrite, "clang", config.admit, proposing)
        self.conventional = False  # whether all functions are by C's convention
        self.emitted: Emitted | None = None  # what stands in the place of the baseline
        self._propose_by(self._proposer(), triple)

    def _resident(self, kind: str, path: str, files: tuple[str, ...]) -> Resident | None:
        """Where such processes may be met."""
        if not self.config.daemon:
            return None
        self.residents.append(Resident(Service(kind, path, files), self.environ))
        return self.residents[-1]

    def _proposer(self) -> Proposer:
        around = Circumstances(
            self.config, self.environ, lambda path, files: self._resident("model", path, files)
        )
        try:
            return proposer_named(self.config.proposer, around)
        except ModelError as error:
            return self._without_model(error)

    def _without_model(self, error: ModelError) -> Proposer:
        """Who proposes where the model cannot: the same as without one, with the same keys."""
        self.model_problem = str(error)
        return Coreset()

    def _distrust(self, error: ModelError) -> None:
        """Let other compiles do without the model for a while."""
        from cr1cc.model.describe import describe, distrust  # here: other proposers need none

        place = self.config.cache_dir
        facts = describe(self.config.model, cache_dir=place, environ=self.environ)
        if not facts.problem:
            distrust(facts, str(error), cache_dir=place)

    def _propose_by(self, proposer: Proposer, triple: str) -> None:
        """From now on recipes come from `proposer`, and decisions depend on it."""
        self.proposer = proposer
        self.context = KeyContext(
            compiler=self.toolchain.identity,
            triple=triple,
            flags=(self.plan.language, self.plan.size_level.value, *self.plan.key),
            basis=basis(self.config, proposer),
        )

    def run(self) -> Report:
        """Raises Fallback before anything was written, dependency files excepted."""
        if os.path.exists(self.plan.output) and not os.access(self.plan.output, os.W_OK):
            raise Fallback(Outcome.STDOUT_OUTPUT, "the output cannot be written")
        try:
            bitcode, diagnostics = self.compiler.front_end()
        except EvaluationError as error:
            raise Fallback(Outcome.FRONT_END_FAILED, str(error)) from None
        with self._store() as store:
            stored = store.object(self._place(bitcode))
            if stored is not None:
                replace_file(self.plan.output, stored.data)
                self.compiler.say(diagnostics)
                sizes = (stored.bytes_before, stored.bytes_after)
                report = Report(0, stored.outcome, stored.key, "object", sizes=sizes)
                return replace(report, model_problem=self.model_problem)
            report, repeatable = self._with_module(store, bitcode, diagnostics)
            if self.rewriting:
                with sources(self.asm_model) as more:
                    rewriter = self._rewriter(store, more)
                    report = rewriter.report(report, self.emitted, self.rewriting)
                repeatable = repeatable and report.lasting
            silent = report.outcome in _SILENT
            if silent and repeatable and report.status == 0 and not self.plan.split_dwarf:
                data = contents(self.plan.output)
                made = StoredObject(report.key, report.outcome, *report.sizes, data)
                store.put_object(self._place(bitcode), made)
            return replace(
                report,
                store_problem=next(iter(store.problems), ""),
                daemon_problem=next((r.problem for r in self.residents if r.problem), ""),
                model_problem=self.model_problem,
            )

    def _rewriter(self, store: DecisionStore, more: Sequence[Source]) -> ClangRewriter:
        from cr1cc.rewrite.clang import ClangRewriter

        whole = None
        if self.config.admit == "tested":
            from cr1cc.rewrite.whole import WholeFunctions

            driver, compiler = self.toolchain.driver, self.compiler
            whole = WholeFunctions(driver, self.environ, compiler.debugged, store.local)
        return ClangRewriter(
            self.plan, self.compiler, self.context, store, more, names=self.conventional,
            rules=follows_rules(self.config.rewrite, "clang"), whole=whole,
        )  # fmt: skip

    def _place(self, bitcode: bytes) -> str:
        """Where the object is stored, by who proposes now."""
        command = (*self.plan.codegen, *filter(None, (self.rewriting,)))
        return object_key(self.context, bitcode, command, self.proposer.machine)

    def _store(self) -> DecisionStore:
        """The store, which gives out nothing that is not vetted here and now."""
        return DecisionStore(self.config, self._check_recipe, self._check_tail)

    def _check_recipe(self, recipe: Recipe) -> None:
        from cr1cc.passes.recipe import check_recipe

        check_recipe(recipe, self.toolchain.major, self.target)

    def _check_tail(self, tail: str) -> None:
        from cr1cc.passes.recipe import check_tail

        check_tail(tail, self.toolchain.major)

    def _with_module(
        self, store: DecisionStore, bitcode: bytes, diagnostics: bytes
    ) -> tuple[Report, bool]:
        """What to do when the object itself is not known, and whether it may be kept."""
        from cr1cc.evaluate.evaluator import Evaluator
        from cr1cc.evaluate.worker import Subject
        from cr1cc.llvm.library import Library
        from cr1cc.llvm.target import TargetSpec, code_model
        from cr1cc.passes.macros import macros_for

        macros = macros_for(self.toolchain.major, self.plan.size_level)
        subject = Subject(bitcode, macros, TargetSpec(code_model(self.plan.codegen)))
        with Evaluator(Library(self.library), subject, resident=self.resident) as evaluator:
            try:
                fingerprint, has_assembler, self.conventional = evaluator.identify()
            except EvaluationError as error:
                raise Fallback(Outcome.FRONT_END_FAILED, str(error)) from None
            key = module_key(self.context, fingerprint)
            known = store.module(key)
            if known and known.machine not in ("", self.proposer.machine):
                known = None  # made where the proposer may say something else
            if known is None or not self._repeat(evaluator, known):
                return self._decide(evaluator, store, fingerprint), not has_assembler
            status = 0
            if known.answer is Answer.BETTER:
                self.compiler.say(diagnostics)
            else:
                status = self.compiler.original()
            return report_of(status, known, key, store.origin), not has_assembler

    def _repeat(self, evaluator: Evaluator, known: Decision) -> bool:
        """Do again what is known to be better; False if the result is not what is known."""
        if known.answer is not Answer.BETTER:
            return True
        from cr1cc.util.elf import NotElfError, ObjectFile

        try:
            bitcode = evaluator.apply(known.recipe, known.tails)
            emitted = self.compiler.emit(bitcode, known.recipe.options)
            if ObjectFile(emitted.data).loadable_bytes() != known.bytes_after:
                return False  # not the decision of this module: a poisoned entry
            self.compiler.replace(emitted)
            self.emitted = emitted
        except (EvaluationError, NotElfError, OSError):
            return False
        return True

    def _decide(self, evaluator: Evaluator, store: DecisionStore, fingerprint: str) -> Report:
        """Make the baseline, then something better if there is; store the decision."""
        from cr1cc.util.elf import NotElfError

        status = self.compiler.original()
        key = module_key(self.context, fingerprint)
        if status:
            return Report(status, Outcome.BASELINE_FAILED, key)
        try:
            try:
                decision, emitted = self._improved(evaluator, store, fingerprint)
            except ModelError as error:
                if isinstance(error, ModelSilenceError):
                    self._distrust(error)
                self._propose_by(self._without_model(error), self.context.triple)
                key = module_key(self.context, fingerprint)
                decision, emitted = self._improved(evaluator, store, fingerprint)
            if emitted is not None:
                self.compiler.replace(emitted, os.stat(self.plan.output).st_mode & 0o777)
                self.emitted = emitted
        except (EvaluationError, OSError, NotElfError) as error:
            return Report(0, Outcome.INTERNAL_ERROR, key, detail=str(error))
        store.put_module(key, decision)
        return report_of(0, decision, key)

    def _improved(
        self, evaluator: Evaluator, store: DecisionStore, fingerprint: str
    ) -> tuple[Decision, Emitted | None]:
        """The decision by whoever proposes now. Raises ModelError, EvaluationError."""
        from cr1cc.improve import Improver

        improver = Improver(
            self.plan, self.toolchain.major, self.config, self.compiler, evaluator,
            store, self.proposer, self.context, fingerprint,
        )  # fmt: skip
        return improver.decide(contents(self.plan.output))
