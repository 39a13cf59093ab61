"""The journey of one compile, from a plan to the object: the only module that knows it.

    front end → bitcode → worker describes it → is the decision known?
      yes: apply the recipe, emit with the real compiler, replace the object
      no:  the real command makes the baseline; propose, measure, emit, validate,
           replace the object, store the decision

Whenever the plain compiler shall do all the work, `Fallback` says so and why.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cr1cc import decide
from cr1cc.config import Config
from cr1cc.driver.commands import emission_command, emitted_split_dwarf, front_end_command
from cr1cc.errors import EvaluationError
from cr1cc.evaluate.evaluator import Evaluator
from cr1cc.evaluate.meter import Meter
from cr1cc.evaluate.worker import Subject
from cr1cc.llvm.library import Library
from cr1cc.llvm.target import TargetSpec, code_model, target_name
from cr1cc.outcome import Outcome
from cr1cc.passes import TABLE_VERSION
from cr1cc.passes.macros import SIZE, macros_for
from cr1cc.passes.recipe import check_recipe, check_tail
from cr1cc.passes.table import NEWEST, OLDEST
from cr1cc.policy.interface import Proposal, Request
from cr1cc.policy.proposers import proposer_named
from cr1cc.records import Answer, Decision, ModuleInfo, Plan, Recipe, Score, Toolchain
from cr1cc.storage.keys import KeyContext, function_key, module_key
from cr1cc.storage.store import DecisionStore, FunctionAnswer
from cr1cc.util import process
from cr1cc.util.atomic import replace_file
from cr1cc.util.elf import NotElfError, ObjectFile
from cr1cc.validate import objects

BASELINE = Recipe((SIZE,))

# Emissions with the real compiler before a module is given up: each is a code generation.
_REAL_EMISSIONS = 3

# A recipe that leaves more than this share of the instructions of plain -Oz is not emitted.
_CEILING = 1.10

EVIDENCE = (
    "compiled from the same source by the same compiler with vetted passes; smaller "
    "loadable bytes, same symbols, debug and unwind data measured on the emitted object"
)


class Fallback(Exception):  # noqa: N818 - no error: the other way to succeed
    """The original command line shall run: nothing that it would write was replaced."""

    def __init__(self, outcome: Outcome, detail: str = "", key: str = "", hit: str = "") -> None:
        super().__init__(outcome.sentence)
        self.outcome = outcome
        self.detail = detail
        self.key = key
        self.hit = hit


@dataclass(frozen=True)
class Report:
    """How a compile ended: its exit status (or minus a signal) and its decision."""

    status: int
    outcome: Outcome
    key: str = ""
    hit: str = ""  # "module" or "pack" if the decision was known
    detail: str = ""
    decision: Decision | None = None


@dataclass(frozen=True)
class Emitted:
    """An object and, with -gsplit-dwarf, the debug data that belongs to it."""

    data: bytes
    debug: bytes = b""


@dataclass(frozen=True)
class _Candidate:
    """A recipe with tails, emitted by the real compiler and found valid."""

    recipe: Recipe
    tails: Mapping[str, str]
    emitted: Emitted
    loadable: int


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

        Raises Fallback if this compiler or target cannot be served."""
        if toolchain.libllvm is None:
            raise Fallback(Outcome.NO_LIBLLVM, toolchain.libllvm_problem)
        if not OLDEST <= toolchain.major <= NEWEST:
            raise Fallback(Outcome.UNSUPPORTED_VERSION, toolchain.identity)
        self.plan = plan
        self.mode = mode
        self.toolchain = toolchain
        self.config = config
        self.environ = environ
        self.macros = macros_for(toolchain.major, plan.level)
        self.proposer = proposer_named(config.proposer)
        self.library = Library(toolchain.libllvm)

    def run(self) -> Report:
        """Raises Fallback before anything was written, dependency files excepted."""
        bitcode, diagnostics = self._front_end()
        spec = TargetSpec(code_model(self.plan.codegen))
        subject = Subject(bitcode, self.macros, spec)
        with Evaluator(self.library, subject) as evaluator, self._store() as store:
            try:
                fingerprint = evaluator.fingerprint()
            except EvaluationError as error:
                raise Fallback(Outcome.FRONT_END_FAILED, str(error)) from None
            key = module_key(self._context(), fingerprint)
            known = store.module(key)
            if known is not None and self._repeat(evaluator, known, key, store.origin):
                self._say(diagnostics)
                return Report(0, known.outcome, key, store.origin, decision=known)
            return self._decide(evaluator, store, key)

    # What the stages share

    def _context(self) -> KeyContext:
        return KeyContext(
            compiler=self.toolchain.identity,
            triple=self.plan.triple or self.toolchain.default_triple,
            flags=(self.plan.language, self.plan.level.value, *self.plan.key),
            passes=TABLE_VERSION,
            proposer=f"{self.proposer.name} {self.proposer.version}",
            budget=self.config.budget,
            tail_budget=self.config.tail_budget,
        )

    def _real(self, arguments: Sequence[str]) -> list[str]:
        return [self.toolchain.driver, *self.mode, *arguments]

    def _front_end(self) -> tuple[bytes, bytes]:
        """Bitcode as it enters the optimiser, and what the front end had to say."""
        command = front_end_command(self.plan, "-", with_dependencies=True)
        status, bitcode, diagnostics = process.capture(self._real(command), self.environ)
        if status or not bitcode:
            raise Fallback(Outcome.FRONT_END_FAILED)
        return bitcode, diagnostics

    def _emit(
        self, evaluator: Evaluator, recipe: Recipe, tails: Sequence[tuple[str, str]]
    ) -> Emitted:
        """What the user's own compiler makes of the optimised module.

        Raises EvaluationError if it fails or has anything to say.
        """
        source = process.memory_file(evaluator.apply(recipe, tails))
        # Split debug data needs a name beside the object's; all else goes through memory.
        output = f"{self.plan.output}.cr1-{os.getpid()}.tmp" if self.plan.split_dwarf else "-"
        files = (output, emitted_split_dwarf(output)) if self.plan.split_dwarf else ()
        try:
            command = emission_command(self.plan, "-", output, recipe.options)
            status, data, diagnostics = process.capture(
                self._real(command), self.environ, stdin=source
            )
            if status or diagnostics:
                raise EvaluationError("the real compiler did not take the module silently")
            return Emitted(*map(_contents, files)) if files else Emitted(data)
        finally:
            os.close(source)
            for file in files:
                with contextlib.suppress(OSError):
                    os.unlink(file)

    def _replace(self, emitted: Emitted, mode: int = 0o666) -> None:
        if self.plan.split_dwarf:
            replace_file(self.plan.split_dwarf, emitted.debug, mode)
        replace_file(self.plan.output, emitted.data, mode)

    # A decision that is known

    def _store(self) -> DecisionStore:
        """The store, which gives out nothing that is not vetted here and now."""
        major = self.toolchain.major
        target = target_name(self.plan.triple or self.toolchain.default_triple) or ""
        return DecisionStore(
            self.config,
            lambda recipe: check_recipe(recipe, major, target),
            lambda tail: check_tail(tail, major),
        )

    def _repeat(self, evaluator: Evaluator, known: Decision, key: str, hit: str) -> bool:
        """Do again what is known to be better; False if the result is not what is known."""
        if known.answer is not Answer.BETTER:
            raise Fallback(known.outcome, key=key, hit=hit)
        try:
            emitted = self._emit(evaluator, known.recipe, known.tails)
            if ObjectFile(emitted.data).loadable_bytes() != known.bytes_after:
                return False  # not the decision of this module: a poisoned entry
            self._replace(emitted)
        except (EvaluationError, NotElfError, OSError):
            return False
        return True

    def _say(self, diagnostics: bytes) -> None:
        """Give the front end's words to standard error as the real command would."""
        if not diagnostics:
            return
        if os.isatty(2):
            # Colours and widths are the compiler's business: let it speak again, itself.
            command = front_end_command(self.plan, os.devnull, with_dependencies=False)
            process.run(self._real(command), env=self.environ)
            return
        view = memoryview(diagnostics)
        while view:
            view = view[os.write(2, view) :]

    # A decision to be made

    def _decide(self, evaluator: Evaluator, store: DecisionStore, key: str) -> Report:
        status = process.run(self._real(self.plan.arguments), env=self.environ)
        if status:
            return Report(status, Outcome.BASELINE_FAILED, key)
        try:
            decision, emitted = self._search(evaluator, store)
            if emitted is not None:
                self._replace(emitted, os.stat(self.plan.output).st_mode & 0o777)
        except (EvaluationError, OSError, NotElfError) as error:
            return Report(0, Outcome.INTERNAL_ERROR, key, detail=str(error))
        store.put_module(key, decision)
        return Report(0, decision.outcome, key, decision=decision)

    def _search(
        self, evaluator: Evaluator, store: DecisionStore
    ) -> tuple[Decision, Emitted | None]:
        """The decision for this module and, if the object is to be replaced, its bytes."""
        baseline = _contents(self.plan.output)
        before = ObjectFile(baseline)
        info = evaluator.describe()
        nothing = Decision(
            Answer.NOTHING,
            Outcome.NOTHING_BETTER,
            bytes_before=before.loadable_bytes(),
            bytes_after=before.loadable_bytes(),
            proposer=self.proposer.name,
        )
        if not info.function_count:
            return replace(nothing, outcome=Outcome.NO_CODE), None
        if info.backend_diagnostics:
            return replace(nothing, outcome=Outcome.BACKEND_DIAGNOSTICS), None

        meter = Meter(evaluator, self.config.budget)
        base = meter.measure([BASELINE])[0]
        if not isinstance(base, Score):
            return replace(
                nothing,
                answer=Answer.FAILED,
                outcome=Outcome.CANDIDATES_FAILED,
                evidence=base.value,
            ), None
        meter.ceiling = base.ic * _CEILING
        proposal = self._propose(info, meter)
        results = meter.measure(proposal.recipes)
        ranked = decide.promising(base, proposal.recipes, results)
        best = ranked[0] if ranked else BASELINE
        tails, origins, tail_evaluations = self._tails(evaluator, store, best, proposal)
        counted = replace(
            nothing, evaluations=meter.spent + tail_evaluations, ic_before=base.ic, ic_after=base.ic
        )
        winner, refused = self._emit_best(evaluator, meter, baseline, ranked, tails)
        if winner is None:
            if refused:
                return replace(
                    counted,
                    answer=Answer.FAILED,
                    outcome=Outcome.CANDIDATES_FAILED,
                    evidence=refused,
                ), None
            return counted, None
        score = meter.score_of(winner.recipe)
        return replace(
            counted,
            answer=Answer.BETTER,
            outcome=Outcome.SMALLER,
            recipe=winner.recipe,
            tails=tuple(sorted(winner.tails.items())),
            bytes_after=winner.loadable,
            ic_after=score.ic,
            evidence=EVIDENCE,
            functions=decide.function_changes(
                before.function_sizes(),
                ObjectFile(winner.emitted.data).function_sizes(),
                winner.tails,
                origins,
            ),
        ), winner.emitted

    def _propose(self, info: ModuleInfo, meter: Meter) -> Proposal:
        request = Request(
            info=info,
            level=self.plan.level,
            major=self.toolchain.major,
            target=target_name(info.triple) or "",
            budget=meter.budget - meter.spent,
        )
        return self.proposer.propose(request, meter.measure)

    def _tails(
        self, evaluator: Evaluator, store: DecisionStore, recipe: Recipe, proposal: Proposal
    ) -> tuple[dict[str, str], dict[str, str], int]:
        """Tail and its origin by function, and what finding them cost in evaluations.

        A function's answer depends on nothing but its fingerprint, the compiler and the
        flags, so it holds in every module and may come from the store.
        """
        pipelines = proposal.tails[: self.config.tail_budget]
        if not pipelines:
            return {}, {}, 0
        prints = evaluator.function_fingerprints(recipe.stages)
        context = self._context()
        keys = {name: function_key(context, prints[name]) for name in prints}
        answers = dict(store.functions(sorted(set(keys.values()))))
        unknown = [name for name in keys if keys[name] not in answers]
        if unknown:
            base, sizes = evaluator.measure_tails(recipe.stages, pipelines, unknown)
            found = {
                keys[name]: FunctionAnswer(tail, base[name], size, "search")
                for name, (tail, size) in decide.best_tails(base, pipelines, sizes).items()
            }
            store.put_functions(found)
            answers.update(found)
        chosen = {n: answers[k] for n, k in keys.items() if k in answers and answers[k].tail}
        return (
            {name: answer.tail for name, answer in chosen.items()},
            {name: answer.origin for name, answer in chosen.items()},
            len(pipelines) if unknown else 0,
        )

    def _emit_best(
        self,
        evaluator: Evaluator,
        meter: Meter,
        baseline: bytes,
        ranked: Sequence[Recipe],
        tails: Mapping[str, str],
    ) -> tuple[_Candidate | None, str]:
        """The smallest valid object of a few real emissions, and the last complaint."""
        limit = ObjectFile(baseline).loadable_bytes()
        attempts: list[tuple[Recipe, Mapping[str, str]]] = [(recipe, {}) for recipe in ranked]
        if tails:
            attempts.insert(0, (ranked[0] if ranked else BASELINE, tails))
        best, refused = None, ""
        for recipe, with_tails in attempts[:_REAL_EMISSIONS]:
            if best is not None and limit - best.loadable >= meter.gain(BASELINE, recipe):
                break  # as good as this one promises to be
            try:
                emitted = self._emit(evaluator, recipe, sorted(with_tails.items()))
                complaint = objects.complaint(baseline, emitted.data)
                loadable = ObjectFile(emitted.data).loadable_bytes()
            except (EvaluationError, NotElfError) as error:
                complaint, loadable = str(error), limit
            if complaint:
                refused = complaint
            elif loadable < (best.loadable if best else limit):
                best = _Candidate(recipe, with_tails, emitted, loadable)
        return best, refused


def _contents(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
