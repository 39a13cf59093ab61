"""Make a decision for one module: propose, measure, emit, validate.

Nothing here writes an object: the caller replaces it and stores the decision. When equal
inputs would get another decision, `basis.VERSION` is raised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cr1cc import decide
from cr1cc.config import Config
from cr1cc.emit import Emitted, RealCompiler
from cr1cc.errors import EvaluationError
from cr1cc.evaluate.evaluator import Evaluator, Result
from cr1cc.evaluate.meter import Meter
from cr1cc.llvm.triple import target_name
from cr1cc.outcome import Outcome
from cr1cc.passes.attributes import goes_with
from cr1cc.passes.options import tuning
from cr1cc.passes.recipe import BASELINE
from cr1cc.policy.interface import Proposer
from cr1cc.records import (
    Answer,
    Decision,
    Failure,
    ModuleInfo,
    Plan,
    Proposal,
    Recipe,
    Request,
    Score,
)
from cr1cc.storage.keys import KeyContext, candidate_key, function_key
from cr1cc.storage.store import DecisionStore, FunctionAnswer
from cr1cc.util.elf import NotElfError, ObjectFile
from cr1cc.validate import objects

# Emissions with the real compiler before a module is given up: each is a code generation.
_REAL_EMISSIONS = 3

# What the largest module still gets of the budgets, plain -Oz counted.
_LEAST_RECIPES = 3
_LEAST_TAILS = 1

_WORTH_REMEMBERING = (Failure.CRASHED, Failure.TIMED_OUT, Failure.MEMORY)

EVIDENCE = (
    "compiled from the same source by the same compiler with vetted passes; smaller "
    "loadable bytes, same symbols, debug and unwind data measured on the emitted object"
)


@dataclass(frozen=True)
class _Candidate:
    """A recipe with tails, emitted by the real compiler and found valid."""

    recipe: Recipe
    tails: Mapping[str, str]
    emitted: Emitted
    loadable: int


class Improver:
    """One search for something better than the baseline of one module."""

    def __init__(
        self,
        plan: Plan,
        major: int,
        config: Config,
        compiler: RealCompiler,
        evaluator: Evaluator,
        store: DecisionStore,
        proposer: Proposer,
        context: KeyContext,
        fingerprint: str,
    ) -> None:
        self.plan = plan
        self.major = major
        self.config = config
        self.compiler = compiler
        self.evaluator = evaluator
        self.store = store
        self.proposer = proposer
        self.context = context
        self.fingerprint = fingerprint

    def decide(self, baseline: bytes) -> tuple[Decision, Emitted | None]:
        """The decision for this module and, if the object is to be replaced, its bytes.

        `baseline` is the object of the user's own command. Raises EvaluationError if the
        module cannot be worked on at all.
        """
        try:
            before = ObjectFile(baseline)
        except NotElfError:
            return Decision(Answer.NOTHING, Outcome.UNSUPPORTED_OBJECT), None
        info = self.evaluator.describe()
        nothing = Decision(
            Answer.NOTHING,
            Outcome.NOTHING_BETTER,
            bytes_before=before.loadable_bytes(),
            bytes_after=before.loadable_bytes(),
            proposer=self.proposer.name,
            machine=self.proposer.machine,
        )
        if not info.function_count:
            return replace(nothing, outcome=Outcome.NO_CODE), None
        if info.backend_diagnostics:
            return replace(nothing, outcome=Outcome.BACKEND_DIAGNOSTICS), None

        budget = decide.affordable(self.config.budget, info.ic, _LEAST_RECIPES)
        meter = Meter(self.evaluator, budget, info.ic)
        base = meter.measure([BASELINE])[0]
        if not isinstance(base, Score):
            return replace(
                nothing,
                answer=Answer.FAILED,
                outcome=Outcome.CANDIDATES_FAILED,
                evidence=base.value,
            ), None
        meter.against(base, base.ic * decide.CEILING)
        tail_budget = decide.affordable(self.config.tail_budget, info.ic, _LEAST_TAILS)
        proposal = self._propose(info, meter, tail_budget)
        results = self._measured(meter, proposal.recipes)
        ranked = decide.promising(base, proposal.recipes, results)
        best = ranked[0] if ranked else BASELINE
        fitting = [tail for tail in proposal.tails if goes_with(tail, self.plan.codegen)]
        pipelines = fitting[:tail_budget]
        try:
            tails, origins, tail_evaluations = self._tails(best, pipelines)
        except EvaluationError:  # the module with that recipe cannot be taken apart
            tails, origins, tail_evaluations = {}, {}, 0
        counted = replace(
            nothing,
            evaluations=meter.spent + tail_evaluations,
            ic_before=base.ic,
            ic_after=base.ic,
            trace=proposal.trace or decide.trace(base, proposal.recipes, results),
        )
        winner, refused = self._emit_best(meter, baseline, ranked, tails)
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
                {name: origins[name] for name in winner.tails},
            ),
        ), winner.emitted

    def _measured(self, meter: Meter, recipes: Sequence[Recipe]) -> list[Result]:
        """Measure recipes; what is known to crash or to hang on this module is not tried again."""
        keys = [candidate_key(self.context, self.fingerprint, recipe) for recipe in recipes]
        failed = {key: failure for key in keys if (failure := self.store.failed(key))}
        fresh = [recipe for recipe, key in zip(recipes, keys, strict=True) if key not in failed]
        results = iter(meter.measure(fresh))
        measured = [failed[key] if key in failed else next(results) for key in keys]
        for key, result in zip(keys, measured, strict=True):
            if result in _WORTH_REMEMBERING and key not in failed:
                assert isinstance(result, Failure)
                self.store.put_failed(key, result)
        return measured

    def _propose(self, info: ModuleInfo, meter: Meter, tails: int) -> Proposal:
        request = Request(
            info=info,
            level=self.plan.size_level,
            major=self.major,
            target=target_name(info.triple) or "",
            budget=meter.budget - meter.spent,
            tails=tails,
        )
        return self.proposer.propose(request, meter.measure)

    def _tails(
        self, recipe: Recipe, pipelines: Sequence[str]
    ) -> tuple[dict[str, str], dict[str, str], int]:
        """Tail and its origin by function, and what finding them cost in evaluations.

        A function's answer depends on nothing but its fingerprint, the compiler, the flags,
        the options that passes read and the pipelines that are tried, so it holds in every
        module and may come from the store.
        """
        if not pipelines:
            return {}, {}, 0
        prints = self.evaluator.function_fingerprints(recipe)
        basis = replace(self.context.basis, budget=0, tail_budget=len(pipelines))
        context = replace(self.context, basis=basis)
        tuned = tuning(recipe.options)
        keys = {name: function_key(context, prints[name], pipelines, tuned) for name in prints}
        answers = dict(self.store.functions(sorted(set(keys.values()))))
        unknown = [name for name in keys if keys[name] not in answers]
        if unknown:
            base, sizes = self.evaluator.measure_tails(recipe, pipelines, unknown)
            found = {
                keys[name]: FunctionAnswer(tail, base[name], size, "search")
                for name, (tail, size) in decide.best_tails(base, pipelines, sizes).items()
            }
            self.store.put_functions(found)
            answers.update(found)
        chosen = {n: answers[k] for n, k in keys.items() if k in answers and answers[k].tail}
        return (
            {name: answer.tail for name, answer in chosen.items()},
            {name: answer.origin for name, answer in chosen.items()},
            len(pipelines) if unknown else 0,
        )

    def _emit_best(
        self,
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
                bitcode = self.evaluator.apply(recipe, sorted(with_tails.items()))
                emitted = self.compiler.emit(bitcode, recipe.options)
                complaint = objects.complaint(baseline, emitted.data)
                loadable = ObjectFile(emitted.data).loadable_bytes()
            except (EvaluationError, NotElfError) as error:
                complaint, loadable = str(error), limit
            if complaint:
                refused = complaint
            elif loadable < (best.loadable if best else limit):
                best = _Candidate(recipe, with_tails, emitted, loadable)
        return best, refused
