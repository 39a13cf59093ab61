"""Shorter windows in the assembly that clang writes of what a compile came to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from cr1cc.asm.notation import is_x86_64
from cr1cc.donors import valid
from cr1cc.emit import Emitted, RealCompiler, contents
from cr1cc.errors import EvaluationError
from cr1cc.journey import Report
from cr1cc.journey import report as report_of
from cr1cc.records import Answer, Decision, Plan, Recipe, Rewritten
from cr1cc.rewrite.decision import NOT_TAKEN, WORTH, decided
from cr1cc.rewrite.shorten import Shortened, Shortener
from cr1cc.storage.keys import KeyContext, rewritten_key
from cr1cc.storage.store import DecisionStore
from cr1cc.util.atomic import replace_file
from cr1cc.util.elf import NotElfError, ObjectFile

if TYPE_CHECKING:
    from cr1cc.rewrite.whole import WholeFunctions
    from cr1cc.rewrite.windows import Source

# Their contents depend on how the assembler numbers symbols.
_TABLES = (".rela", ".rel", ".symtab", ".strtab", ".shstrtab", ".llvm_addrsig", ".group")


@dataclass(frozen=True)
class Done:
    """A decision that says what became of windows, and the object if there is a new one.
    `lasting`: whether it comes out so each time."""

    decision: Decision
    data: bytes | None = None
    lasting: bool = True


class ClangRewriter:
    """For one plan. `store` keeps verdicts, and the decisions that rest on them; `names` and
    `rules` as `Shortener` has them; `more` propose windows besides the rules."""

    def __init__(
        self,
        plan: Plan,
        compiler: RealCompiler,
        context: KeyContext,
        store: DecisionStore,
        more: Sequence[Source] = (),
        *,
        names: bool,
        rules: bool,
        whole: WholeFunctions | None = None,
    ) -> None:
        self._plan = plan
        self._store = store
        self._triple = context.triple
        self._compiler = compiler
        self._assemble = lru_cache(maxsize=1)(compiler.assemble)  # the last one is often taken
        self._shortener = Shortener(
            plan.size_level, compiler.assemble_plainly, context.compiler, store.local, more,
            names=names, rules=rules, measure=self._assemble, whole=whole,
        )  # fmt: skip

    def report(self, report: Report, emitted: Emitted | None, rewriting: str) -> Report:
        """The report of a compile whose output was replaced if that got smaller. The decision has
        a key of its own, which `rewriting` is part of: what it rests on is kept as it was."""
        if report.status or report.decision is None:
            return report
        output = self._plan.output
        try:
            done = self.improved(report.decision, emitted, contents(output))
            if done.data is not None:
                replace_file(output, done.data, os.stat(output).st_mode & 0o777)
        except (OSError, NotElfError) as error:
            return replace(report, detail=str(error), lasting=False)
        key = rewritten_key(report.key, rewriting)
        if done.lasting:
            self._store.put_module(key, done.decision)
        made = report_of(report.status, done.decision, key, report.hit)
        return replace(made, lasting=done.lasting)

    def improved(self, decision: Decision, emitted: Emitted | None, current: bytes) -> Done:
        """What can be done to the object `current` of a decision, which was `emitted` or, if that
        is None, is the one of the user's own command. Raises NotElfError."""
        if decision.outcome not in WORTH:
            return Done(decision)
        if reason := self._refusal():
            return Done(replace(decision, rewritten=Rewritten(reason=reason)))
        try:
            text = self._compiler.listing(emitted, decision.recipe.options)
            if reason := self._difference(text, current):
                return Done(replace(decision, rewritten=Rewritten(reason=reason)))
            made = self._shortener.shorten(text)
            if not made.assembly:
                return Done(replace(decision, rewritten=made.record), None, made.lasting)
            done = self._taken(decision, made, current)
        except EvaluationError as error:
            return Done(replace(decision, rewritten=Rewritten(reason=str(error))))
        if done is not None:
            return done
        record = replace(made.record, rewrites=(), reason=NOT_TAKEN)
        return Done(replace(decision, rewritten=record), None, made.lasting)

    def _refusal(self) -> str:
        if self._plan.debug or self._plan.split_dwarf:
            return "it has debug data"
        if not is_x86_64(self._triple, self._plan.codegen):
            return "it is for another machine than x86-64, or in another notation"
        return ""

    def _difference(self, text: bytes, current: bytes) -> str:
        """Why the text is not that of the object, "" if it is: what clang writes as text it does
        not always read back alike."""
        if _contents(self._compiler.assemble(text)) == _contents(current):
            return ""
        return "the assembly that clang writes is not that of its object"

    def _taken(self, decision: Decision, made: Shortened, current: bytes) -> Done | None:
        data = self._assemble(made.assembly)
        before, after = ObjectFile(current), ObjectFile(data)
        if after.loadable_bytes() >= before.loadable_bytes() or valid.complaint(current, data):
            return None
        if decision.answer is not Answer.BETTER:
            decision = replace(decision, recipe=Recipe())
        sizes = {one.name: one.before for one in decision.functions if one.before}
        sizes = sizes or before.function_sizes()
        return Done(decided(decision, made.record, sizes, after), data, made.lasting)


def _contents(data: bytes) -> list[tuple[str, int, int, bytes]]:
    """The sections of an object but for those that its tables are. Raises NotElfError."""
    return [
        (one.name, one.type, one.flags, data[one.offset : one.offset + one.size])
        for one in ObjectFile(data).sections
        if not one.name.startswith(_TABLES)
    ]
