"""The journey of one compile by gcc, from a plan to the object.

    preprocess → text → is this object known? replace the object
                      → else: the own command makes the baseline and says what it has to say
                        → is this text's decision known? build what it names, replace
                        → else: build all donors, take the smallest object that they or their
                          functions give, make windows of its assembly shorter, replace, store
                          the decision

Only an object that was made of the very same files by a command that said nothing comes
without the own command: what gcc prints may depend on comments and columns, which the text
does not show.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cr1cc.assembly.source import model_of, sources
from cr1cc.config import Config
from cr1cc.donors.build import RealGcc
from cr1cc.donors.circumstances import clang_for, file_digest, processor
from cr1cc.donors.table import Donor
from cr1cc.donors.text import Text
from cr1cc.emit import contents
from cr1cc.errors import AsmError, EvaluationError
from cr1cc.journey import Fallback, Report, report
from cr1cc.outcome import Outcome
from cr1cc.records import Answer, Decision, GccToolchain, Plan, Recipe
from cr1cc.rewrite.version import follows_rules, rewriting
from cr1cc.storage.keys import Basis, KeyContext, module_key, object_key
from cr1cc.storage.store import DecisionStore, StoredObject
from cr1cc.toolchain.describe_gcc import NEWEST, OLDEST

if TYPE_CHECKING:
    from cr1cc.rewrite.gcc import GccRewriter
    from cr1cc.rewrite.windows import Source

_SILENT = (Outcome.SMALLER, Outcome.NOTHING_BETTER, Outcome.NO_CODE)


class CompileGcc:
    """One compile of one plan."""

    def __init__(
        self,
        plan: Plan,
        toolchain: GccToolchain,
        config: Config,
        environ: Mapping[str, str],
        cwd: str,
    ) -> None:
        """Raises Fallback if this compiler cannot be served."""
        from cr1cc.donors.search import PROPOSER, VERSION
        from cr1cc.donors.table import digest

        if not OLDEST <= toolchain.major <= NEWEST:
            raise Fallback(Outcome.UNSUPPORTED_VERSION, toolchain.identity)
        if "__ELF__" not in toolchain.defaults:
            raise Fallback(Outcome.UNSUPPORTED_TARGET, toolchain.triple)
        self.plan = plan
        self.toolchain = toolchain
        self.config = config
        self.cwd = cwd
        clang = clang_for(plan, toolchain, config, environ)
        self.compiler = RealGcc(plan, toolchain, environ, clang)
        self.asm_model = model_of(config, environ, "gcc")
        self.model_problem = self.asm_model.problem if self.asm_model else ""
        proposing = self.asm_model.version if self.asm_model else ""
        rewrites = rewriting(config.rewrite, "gcc", config.admit, proposing)
        self.rewrites = bool(rewrites)
        self.context = KeyContext(
            compiler=toolchain.identity,
            triple=toolchain.triple,
            flags=(plan.language, plan.size_level.value, *plan.key, *processor(plan)),
            basis=Basis(
                f"{digest()} {VERSION} {rewrites}".rstrip(),
                f"{PROPOSER} {clang.identity}" if clang is not None else PROPOSER,
                config.budget,
                0,
            ),
        )

    def run(self) -> Report:
        """Raises Fallback before anything was written, dependency files excepted."""
        if os.path.exists(self.plan.output) and not os.access(self.plan.output, os.W_OK):
            raise Fallback(Outcome.STDOUT_OUTPUT, "the output cannot be written")
        try:
            data, silent = self.compiler.text()
        except EvaluationError as error:
            raise Fallback(Outcome.FRONT_END_FAILED, str(error)) from None
        text = Text(data)
        if text.uses_precompiled_header:
            raise Fallback(Outcome.PRECOMPILED_HEADER)
        with DecisionStore(self.config, self._check, self._check_function) as store:
            key = module_key(self.context, text.fingerprint())
            place = object_key(self.context, data, self._circumstances(text), "")
            stored = store.object(place) if silent and text.complete else None
            if stored is not None:
                self.compiler.replace(stored.data)
                sizes = (stored.bytes_before, stored.bytes_after)
                known = Report(0, stored.outcome, stored.key, "object", sizes=sizes)
                return replace(known, model_problem=self.model_problem)
            status, said_nothing = self.compiler.original()
            if status:
                return Report(status, Outcome.BASELINE_FAILED, key)
            done = self._improved(store, text, key)
            repeatable = silent and text.complete and done.lasting
            if said_nothing and repeatable and done.outcome in _SILENT:
                made = StoredObject(done.key, done.outcome, *done.sizes, contents(self.plan.output))
                store.put_object(place, made)
            return replace(
                done,
                store_problem=next(iter(store.problems), ""),
                model_problem=self.model_problem,
            )

    def _improved(self, store: DecisionStore, text: Text, key: str) -> Report:
        """Put something better in the place of the baseline if there is; store the decision."""
        from cr1cc.donors.search import best_donor

        try:
            baseline = contents(self.plan.output)
            known = store.module(key) if text.complete else None
            if known is not None and self._repeat(store, known, key, text, baseline):
                return report(0, known, key, store.origin)
            best = best_donor(self.compiler, text.data, baseline, self._donors(text))
            lasting = True
            if self.rewrites:
                with sources(self.asm_model) as more:
                    rewriter = self._rewriter(store, text, more)
                    best = rewriter.improved(text.data, baseline, best)
                    lasting = rewriter.lasting
            decision, data, _ = best
            if data is not None:
                self._replace(data)
                if lasting:
                    self._keep(store, key, decision, text, data)
        except (AsmError, EvaluationError, OSError, ValueError) as error:
            return Report(0, Outcome.INTERNAL_ERROR, key, detail=str(error))
        if text.complete and lasting:
            store.put_module(key, decision)
        return replace(report(0, decision, key), lasting=lasting)

    def _rewriter(self, store: DecisionStore, text: Text, more: Sequence[Source]) -> GccRewriter:
        from cr1cc.rewrite.gcc import GccRewriter

        whole = None
        if self.config.admit == "tested":
            from cr1cc.rewrite.whole import WholeFunctions

            compiler = self.compiler
            whole = WholeFunctions(
                compiler.toolchain.driver, compiler.environ,
                lambda: compiler.debugged(text.data), store.local,
            )  # fmt: skip
        return GccRewriter(
            self.compiler, store.local, more, names=text.conventional,
            rules=follows_rules(self.config.rewrite, "gcc"), whole=whole,
        )  # fmt: skip

    def _repeat(
        self, store: DecisionStore, known: Decision, key: str, text: Text, baseline: bytes
    ) -> bool:
        """Do again what is known to be better; False if the result is not what is known."""
        if known.answer is not Answer.BETTER:
            return True
        from cr1cc.donors.known import checked, repeated

        donors = self._donors(text)
        stored = store.object(self._place(text, known)) if self._depends_on_text(text) else None
        data = stored.data if stored is not None and stored.key == key else None
        if data is None or not checked(self.compiler, baseline, donors, known, data):
            with sources(self.asm_model) as more:
                finish = None
                if known.rewritten is not None and known.rewritten.rewrites:
                    finish = self._rewriter(store, text, more).finished
                data = repeated(self.compiler, text.data, baseline, donors, known, finish)
            if data is not None:
                self._keep(store, key, known, text, data)
        if data is not None:
            self._replace(data)
        return data is not None

    def _keep(
        self, store: DecisionStore, key: str, decision: Decision, text: Text, data: bytes
    ) -> None:
        """Remember an object for the day when its files differ and its text does not."""
        if self._depends_on_text(text):
            sizes = decision.bytes_before, decision.bytes_after
            store.put_object(
                self._place(text, decision), StoredObject(key, decision.outcome, *sizes, data)
            )

    def _depends_on_text(self, text: Text) -> bool:
        """Whether a donor's object is a matter of the text and the source's name alone. Debug
        information tells lines and folders as well."""
        return text.complete and not self.plan.debug

    def _place(self, text: Text, decision: Decision) -> str:
        """Where such an object is kept. Its table of symbols has the source's name."""
        names = map(os.fsdecode, text.files(system=True)[:1])
        parts = ["by", repr((decision.recipe, decision.tails)), self.plan.source, *names]
        return object_key(self.context, text.fingerprint().encode(), parts, "")

    def _donors(self, text: Text) -> tuple[Donor, ...]:
        """The builds that the budget has."""
        from cr1cc.donors.clang_text import refusal
        from cr1cc.donors.table import affordable, donors_for

        with_clang = self.compiler.clang is not None and not refusal(text.data)
        plan = self.plan
        rows = donors_for(
            plan.size_level, self.toolchain.triple, plan.codegen, with_clang=with_clang
        )
        return affordable(rows, self.config.budget)

    def _replace(self, data: bytes) -> None:
        self.compiler.replace(data, os.stat(self.plan.output).st_mode & 0o777)

    def _check(self, recipe: Recipe) -> None:
        from cr1cc.donors.table import donor_of

        donor_of(recipe, self.toolchain.major)

    def _check_function(self, text: str) -> None:
        from cr1cc.donors.table import donor_named

        donor_named(text, self.toolchain.major)

    def _circumstances(self, text: Text) -> list[str]:
        """What object and messages depend on besides the text and the options of the key."""
        system = any(word.startswith("-Wsystem-headers") for word in self.plan.messages)
        names = () if self.plan.preprocessed else text.files(system=system)
        folder = [self.cwd] if self.plan.debug else []
        return [*self.plan.messages, *folder, *map(file_digest, names)]
