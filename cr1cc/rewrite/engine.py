"""Rewrite the functions of a unit: find windows, measure them, prove them, replace them.

All windows of a round rest on what was live before it. That stays right while they are replaced: a
new window gives what is live behind it as the old one does, from any state before, so nothing that
was dead can matter through it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING

from cr1cc.asm.graph import Graph
from cr1cc.asm.statement import Machine, Statement
from cr1cc.asm.unit import Piece, Unit
from cr1cc.gate.verdict import Verdict
from cr1cc.rewrite.change import Change, Report
from cr1cc.rewrite.code import code_of
from cr1cc.rewrite.judge import Judge, Key, Known
from cr1cc.rewrite.windows import Source, Texts, Window, statement_of, windows

if TYPE_CHECKING:
    from cr1cc.rewrite.whole import WholeFunctions  # few builds ask for it

_ROUNDS = 4
_ASKED = 32  # windows of one unit that are judged with their functions: each takes up to seconds


class Rewriter:
    """Rewrites units with what sources propose and a judge finds proved. Each source gets the
    code of one function after the other; `limit`: windows of a round of one unit. `whole`: who
    judges what is not proved with the function around it, if that is asked for."""

    def __init__(
        self,
        sources: Sequence[Source],
        judge: Judge,
        limit: int | None = None,
        whole: WholeFunctions | None = None,
    ) -> None:
        self._sources = sources
        self._judge = judge
        self._limit = limit
        self._whole = whole

    def rewrite(self, unit: Unit) -> tuple[Unit, Report]:
        """The unit with shorter windows, and what was done. One for another machine stays as it
        is, and so does one that says where variables are (-g). Raises OSError where no process
        can be started."""
        report = Report()
        if unit.machine is not Machine.X86_64 or unit.has_debug:
            return unit, report
        names: frozenset[str] | None = None  # of the functions that may have changed
        for _ in range(_ROUNDS):
            before = len(report.changes)
            unit = self._round(unit, report, names)
            names = frozenset(one.function for one in report.changes[before:])
            if not names:
                break
        if self._whole is not None:
            unit = self._with_functions(unit, report, self._whole)
        return unit, report

    def _with_functions(self, unit: Unit, report: Report, whole: WholeFunctions) -> Unit:
        """With windows that are not proved by themselves, one after the other, where what is said
        of the function around them admits them."""
        left = _ASKED
        for name in sorted(report.refused):
            asked: set[Texts] = set()
            while left and (refused := self._refused(unit, report, name, asked)) is not None:
                window, saved = refused
                asked.add(window.texts)
                left -= 1
                new = replaced(unit, [window])
                judgement = whole.judge(name, unit, new)
                if whole.admits(judgement):
                    report.changes.append(Change(name, window.by, *window.texts, saved, judgement))
                    report.refused[name].remove(window.by)
                    unit = new
        return unit

    def _refused(
        self, unit: Unit, report: Report, name: str, asked: Collection[Texts]
    ) -> tuple[Window, int] | None:
        """The next window of a function that is shorter and not proved, and was not asked for, and
        the bytes that it saves."""
        found = self._windows(unit, report, frozenset((name,)))[name]
        known = self._judge.judge([_key(one) for one in found])
        for one in found:
            saved, judgement, _ = known[_key(one)]
            refused = judgement is not None and judgement.verdict is not Verdict.PROVED
            if refused and one.texts not in asked and one.by in report.refused[name]:
                return one, saved
        return None

    def _round(self, unit: Unit, report: Report, names: frozenset[str] | None) -> Unit:
        found = self._windows(unit, report, names)
        known = self._judge.judge([_key(one) for one in chain.from_iterable(found.values())])
        chosen: list[Window] = []
        for name, those in found.items():
            report.refused.pop(name, None)  # of the round before
            for one in _chosen(name, those, known, report):
                fact = known[_key(one)]
                assert fact.judgement is not None
                change = Change(name, one.by, *one.texts, fact.saved, fact.judgement)
                report.changes.append(change)
                chosen.append(one)
        return replaced(unit, chosen) if chosen else unit

    def _windows(
        self, unit: Unit, report: Report, names: frozenset[str] | None
    ) -> dict[str, list[Window]]:
        """Those of each function, in the order of the text."""
        defined = frozenset(name for name, one in unit.symbols.items() if one.atom is not None)
        found: dict[str, list[Window]] = {}
        left = self._limit
        for function in Graph(unit).functions:
            name = function.entries[0]
            if names is not None and name not in names:
                continue
            those = windows(self._sources, code_of(unit, function), defined)
            found[name] = list(islice(those, left))
            if left is not None:
                left -= len(found[name])
                report.left += sum(1 for _ in those)
        return found


def _key(window: Window) -> Key:
    return window.normalised, window.compared


def _chosen(
    name: str, those: Sequence[Window], known: Mapping[Key, Known], report: Report
) -> Iterator[Window]:
    """Of windows that overlap the one that saves most."""
    taken: set[tuple[int, int]] = set()
    worth = [(known[_key(one)], one) for one in those]
    for fact, one in sorted(worth, key=lambda pair: -pair[0].saved):
        report.lasting &= fact.lasting
        if fact.judgement is None:
            continue
        report.tried.add(name)
        if fact.judgement.verdict is not Verdict.PROVED:
            report.refused.setdefault(name, []).append(one.by)
            continue
        places = {line.at for line in one.old}
        if not places & taken:
            taken |= places
            yield one


def replaced(unit: Unit, windows: Sequence[Window]) -> Unit:
    """The unit with the new instructions in the place of the old ones."""
    change: dict[tuple[int, int], tuple[Statement, ...]] = {}
    for one in windows:
        change |= {line.at: () for line in one.old}
        change[one.old[0].at] = tuple(statement_of(new.text) for new in one.new)
    pieces = []
    for index, piece in enumerate(unit.pieces):
        rows: list[Statement] = []
        for number, statement in enumerate(piece.statements):
            rows += change.get((index, number), (statement,))
        pieces.append(Piece(piece.section, piece.atom, tuple(rows)))
    return unit.with_pieces(pieces)
