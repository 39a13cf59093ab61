"""Shorter windows in the assembly that a compile by gcc came to: of donors, or of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from cr1cc.donors.build import RealGcc
from cr1cc.donors.known import assembly_of, complaint_of
from cr1cc.donors.search import Best
from cr1cc.donors.table import OWN
from cr1cc.errors import EvaluationError
from cr1cc.records import Decision, Rewritten
from cr1cc.rewrite.decision import NOT_TAKEN, WORTH, decided
from cr1cc.rewrite.shorten import Shortened, Shortener
from cr1cc.storage.local import LocalStore
from cr1cc.util.elf import ObjectFile

if TYPE_CHECKING:
    from cr1cc.rewrite.whole import WholeFunctions
    from cr1cc.rewrite.windows import Source

_WHOLE = "its functions are not apart: debug data, another machine or an option says so"


class GccRewriter:
    """For one plan. `store` keeps verdicts; `names` and `rules` as `Shortener` has them; `more`
    propose windows besides the rules."""

    def __init__(
        self,
        compiler: RealGcc,
        store: LocalStore | None,
        more: Sequence[Source] = (),
        *,
        names: bool,
        rules: bool,
        whole: WholeFunctions | None = None,
    ) -> None:
        self.compiler = compiler
        self._assemble = lru_cache(maxsize=1)(compiler.assemble)  # the last one is often taken
        level = compiler.plan.size_level
        tool = compiler.toolchain.identity
        self._shortener = Shortener(
            level, compiler.assemble_plainly, tool, store, more, names=names, rules=rules,
            measure=self._assemble, whole=whole,
        )  # fmt: skip
        self.lasting = True  # whether all so far comes out so each time

    def improved(self, text: bytes, baseline: bytes, best: Best) -> Best:
        """The same, or with shorter windows if that is smaller and valid; the decision says what
        was found. Raises EvaluationError, NotElfError, AsmError, ValueError."""
        decision = best.decision
        if decision.outcome not in WORTH:
            return best
        if not self.compiler.splices:
            return best._replace(decision=replace(decision, rewritten=Rewritten(reason=_WHOLE)))
        if best.data is None:
            assembly = self.compiler.own_assembly(text)
            decision = replace(decision, recipe=OWN[self.compiler.plan.size_level].recipe(0))
        else:
            assembly = best.assembly or assembly_of(self.compiler, text, decision)
        made = self.shortened(assembly)
        done = self._taken(decision, baseline, made) if made.assembly else None
        if done is not None:
            return done
        record = made.record
        if made.assembly:
            record = replace(record, rewrites=(), reason=NOT_TAKEN)
        return best._replace(decision=replace(best.decision, rewritten=record))

    def shortened(self, assembly: bytes) -> Shortened:
        """What can be done to an assembly."""
        made = self._shortener.shorten(assembly)
        self.lasting &= made.lasting
        return made

    def finished(self, assembly: bytes) -> bytes:
        """The assembly of a decision whose windows were made shorter."""
        return self.shortened(assembly).assembly or assembly

    def _taken(self, decision: Decision, baseline: bytes, made: Shortened) -> Best | None:
        try:
            data = self._assemble(made.assembly)
        except EvaluationError:
            return None
        after = ObjectFile(data)
        if after.loadable_bytes() >= decision.bytes_after:
            return None
        if complaint_of(self.compiler, decision, baseline, data):
            return None
        before = ObjectFile(baseline).function_sizes()
        return Best(decided(decision, made.record, before, after), data, made.assembly)
