"""The assembly of an object made shorter, within limits that do not depend on time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from cr1cc.asm.graph import Function, Graph
from cr1cc.asm.printer import print_unit
from cr1cc.asm.reader import read_unit
from cr1cc.asm.unit import Unit
from cr1cc.errors import AsmError, EvaluationError, ModelError, ProofError
from cr1cc.gate.verdict import Judgement, Verdict
from cr1cc.records import RELAYED, RENAMED, Level, Rewrite, Rewritten, Speed
from cr1cc.rewrite.change import Change, Objective, Report
from cr1cc.rewrite.relays import Relayed, relayed
from cr1cc.rewrite.renaming import Renamed, renamed, spelled
from cr1cc.storage.local import LocalStore
from cr1cc.util.elf import NotElfError

if TYPE_CHECKING:
    from cr1cc.rewrite.whole import WholeFunctions
    from cr1cc.rewrite.windows import Source


class Row(NamedTuple):
    """What is done at a level. `text`: bytes of assembly that are read; `windows` of one round."""

    objective: Objective
    text: int
    windows: int


TABLE: dict[Level | Speed, Row] = {
    Speed.O2: Row(Objective.SPEED, 16 << 20, 5_000),
    Speed.O3: Row(Objective.SPEED, 16 << 20, 5_000),
    Level.OS: Row(Objective.SMALLEST, 16 << 20, 5_000),
    Level.OZ: Row(Objective.SMALLEST, 16 << 20, 5_000),
}


class Shortened(NamedTuple):
    """`assembly` is empty where nothing was replaced; `changes` are all windows that were.
    `lasting`: whether it comes out so each time."""

    assembly: bytes
    record: Rewritten
    lasting: bool = True
    changes: tuple[Change, ...] = ()


class Shortener:
    """Makes assembly shorter for a level. `assemble` gives the object of a text and raises
    EvaluationError, `tool` names what it does it with; `store` keeps verdicts. `names`: whether
    registers may have other names, `rules`: whether windows are looked at. `more`: who proposes
    windows besides the rules; what they depend on is for the keys of whoever names them. `measure`
    gives the object of a text with the user's options, where that is another one; `whole`: who
    judges windows that are not proved, if any are admitted."""

    def __init__(
        self,
        level: Level | Speed,
        assemble: Callable[[bytes], bytes],
        tool: str,
        store: LocalStore | None = None,
        more: Sequence[Source] = (),
        *,
        names: bool = True,
        rules: bool = True,
        measure: Callable[[bytes], bytes] | None = None,
        whole: WholeFunctions | None = None,
    ) -> None:
        self._whole = whole
        self._measure = measure or assemble
        self._names = names
        self._follows_rules = rules
        self._row = TABLE[level]
        self._assemble = assemble
        self._tool = tool
        self._store = store
        self._more = more

    def shorten(self, assembly: bytes) -> Shortened:
        """What can be done to a text; why nothing, where that is so."""
        if len(assembly) > self._row.text:
            return _nothing("the assembly is too large")
        try:
            unit = read_unit(assembly.decode("utf-8", "surrogateescape"))
            if reason := _refusal(unit):
                return _nothing(reason)
            graph = Graph(unit)  # whatever is done, functions keep their places in the text
            new, names = renamed(graph) if self._names else (unit, [])
            new, report = self._ruled(new)
            report.functions = len(graph.functions)
            new, jumps = self._relayed(new, graph.functions)
        except AsmError as error:
            return _nothing(str(error))
        except (ModelError, ProofError, OSError) as error:  # of this machine, now
            return _nothing(str(error), lasting=False)
        changes = (*map(_change, names), *report.changes, *map(_jumped, jumps))
        text = print_unit(new).encode("utf-8", "surrogateescape") if changes else b""
        return Shortened(text, _record(report, changes), report.lasting, changes)

    def _relayed(self, unit: Unit, functions: Sequence[Function]) -> tuple[Unit, list[Relayed]]:
        """Last, for it depends on where everything is; a jump more costs time."""
        if self._row.objective is not Objective.SMALLEST:
            return unit, []
        try:
            return relayed(unit, functions, self._measure)
        except (EvaluationError, NotElfError):
            return unit, []

    def _ruled(self, unit: Unit) -> tuple[Unit, Report]:
        if not self._follows_rules:
            return unit, Report()
        from cr1cc.rewrite.engine import Rewriter  # most compiles by clang look at no windows
        from cr1cc.rewrite.judge import Judge
        from cr1cc.rewrite.windows import Rules

        judge = Judge(
            lambda text: self._assemble(text.encode("utf-8", "surrogateescape")),
            self._tool,
            self._store,
        )
        sources = (Rules(self._row.objective), *self._more)
        return Rewriter(sources, judge, self._row.windows, self._whole).rewrite(unit)


def _change(one: Renamed) -> Change:
    """A function with other names of registers, as a window: it is shown like one."""
    evidence = (("registers", str(len(one.names))),)
    judgement = Judgement(Verdict.PROVED, "exchange of saved registers", evidence=evidence)
    before, after = spelled(one.names)
    return Change(one.function, RENAMED, (before,), (after,), one.saved, judgement)


def _jumped(one: Relayed) -> Change:
    """A function with jumps by way of others, as a window."""
    judgement = Judgement(Verdict.PROVED, "jumps to the same places")
    jumps = f"{one.jumps} far jumps"
    return Change(one.function, RELAYED, (jumps,), ("near ones",), one.saved, judgement)


def _nothing(reason: str, *, lasting: bool = True) -> Shortened:
    return Shortened(b"", Rewritten(reason=" ".join(reason.split())), lasting)


def _refusal(unit: Unit) -> str:
    if unit.has_debug:
        return "it has debug data"
    if any(one.inline for piece in unit.pieces for one in piece.statements):
        return "it has inline assembler"
    return ""


def _record(report: Report, changes: Sequence[Change]) -> Rewritten:
    rows: dict[tuple[str, str, str], Counter[str]] = {}
    for one in changes:
        tested = "" if one.judgement.verdict is Verdict.PROVED else str(one.judgement)
        counts = rows.setdefault((one.function, one.by, tested), Counter())
        questions = int(dict(one.judgement.evidence).get("questions", "0"))
        counts.update(windows=1, saved=one.saved, questions=questions)
    return Rewritten(
        tuple(
            Rewrite(function, by, counts["windows"], counts["saved"], counts["questions"], tested)
            for (function, by, tested), counts in rows.items()
        ),
        report.functions,
        len(report.tried | {one.function for one in changes}),
        sum(map(len, report.refused.values())),
        report.left,
    )
