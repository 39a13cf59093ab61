"""Rewrite the functions of a unit: find windows, measure them, prove them, replace them.

All windows of a round rest on what was live before it. That stays right while they are replaced: a
new window gives what is live behind it as the old one does, from any state before, so nothing that
was dead can matter through it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from cr1cc.asm.graph import Function, Graph
from cr1cc.asm.statement import Machine, Statement
from cr1cc.asm.unit import AtomKind, Piece, Unit
from cr1cc.errors import GateError
from cr1cc.gate.verdict import Judgement, Verdict
from cr1cc.prove.code import CodeUnit, unit_of
from cr1cc.prove.window import WindowProver
from cr1cc.rewrite.flow import Code
from cr1cc.rewrite.places import described
from cr1cc.rewrite.rules import RULES, Objective, Rule
from cr1cc.rewrite.windows import Finder, Texts, Window, statement_of

_ROUNDS = 4


class Known(NamedTuple):
    """What is known of a window: bytes that it saves and, if any, what the prover says."""

    saved: int
    judgement: Judgement | None


class Change(NamedTuple):
    """A window that was replaced. `saved` in bytes."""

    function: str
    rule: str
    old: tuple[str, ...]
    new: tuple[str, ...]
    saved: int
    judgement: Judgement


@dataclass
class Report:
    """What was done to a unit. `refused`: windows that would be shorter and are not proved, by
    rule."""

    changes: list[Change] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)


class Rewriter:
    """Rewrites units. What it learned of a window holds for all of them."""

    def __init__(
        self, objective: Objective, env: Mapping[str, str], rules: Iterable[Rule] = RULES
    ) -> None:
        """Raises ProofError without the extra `prove`."""
        self._finder = Finder(objective, rules)
        self._env = env
        self._prover = WindowProver()
        self._known: dict[tuple[Texts, int], Known] = {}

    def rewrite(self, unit: Unit) -> tuple[Unit, Report]:
        """The unit with shorter windows, and what was done. One for another machine stays as it
        is, and so does one that says where variables are (-g). Raises ToolchainError without an
        assembler."""
        report = Report()
        if unit.machine is not Machine.X86_64 or unit.has_debug:
            return unit, report
        for _ in range(_ROUNDS):
            changed = self._round(unit, report)
            if changed is unit:
                break
            unit = changed
        return unit, report

    def _round(self, unit: Unit, report: Report) -> Unit:
        graph = Graph(unit)
        defined = frozenset(name for name, one in unit.symbols.items() if one.atom is not None)
        found = [
            (function.entries[0], list(self._finder.windows(code_of(unit, function), defined)))
            for function in graph.functions
        ]
        self._learn([one for _, windows in found for one in windows])
        report.refused = {}
        chosen: list[Window] = []
        for name, windows in found:
            for one in self._chosen(windows, report):
                known = self._known[one.normalised, one.compared]
                assert known.judgement is not None
                old, new = one.texts
                report.changes.append(
                    Change(name, one.rule.name, old, new, known.saved, known.judgement)
                )
                chosen.append(one)
        return replaced(unit, chosen) if chosen else unit

    def _chosen(self, windows: Sequence[Window], report: Report) -> Iterator[Window]:
        """Of windows that overlap the one that saves most."""
        taken: set[tuple[int, int]] = set()
        worth = [(self._known[one.normalised, one.compared], one) for one in windows]
        for known, one in sorted(worth, key=lambda pair: -pair[0].saved):
            if known.judgement is None:
                continue
            if known.judgement.verdict is not Verdict.PROVED:
                report.refused[one.rule.name] = report.refused.get(one.rule.name, 0) + 1
                continue
            places = {line.at for line in one.old}
            if not places & taken:
                taken |= places
                yield one

    def _learn(self, windows: Sequence[Window]) -> None:
        """Measure and judge the windows that are not known."""
        wanted = dict.fromkeys((one.normalised, one.compared) for one in windows)
        left = [key for key in wanted if key not in self._known]
        for start in range(0, len(left), 500):
            part = left[start : start + 500]
            for key, known in zip(part, self._judged(part), strict=True):
                self._known[key] = known

    def _judged(self, keys: Sequence[tuple[Texts, int]]) -> Iterator[Known]:
        try:
            unit = unit_of("windows", _text(keys), self._env)
        except GateError:
            if len(keys) == 1:
                yield Known(0, None)
                return
            for key in keys:
                yield from self._judged([key])
            return
        for number, (texts, compared) in enumerate(keys):
            yield self._one(unit, number, texts, compared)

    def _one(self, unit: CodeUnit, number: int, texts: Texts, compared: int) -> Known:
        original = unit.body(f"old{number}")
        new = unit.body(f"new{number}") if texts[1] else None
        saved = original.end - original.start - (new.end - new.start if new else 0)
        if saved <= 0:
            return Known(saved, None)
        return Known(saved, self._prover.judge(original, new, described(compared)))


def code_of(unit: Unit, function: Function) -> Code:
    """The code of a function, hot and cold."""
    atoms = [atom for atom in function.atoms if unit.atoms[atom].kind is AtomKind.CODE]

    def part(atom: int) -> Iterator[tuple[tuple[int, int], Statement]]:
        for piece in unit.atoms[atom].pieces:
            for number, statement in enumerate(unit.pieces[piece].statements):
                yield (piece, number), statement

    return Code(part(atom) for atom in atoms)


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
    return Unit(unit.machine, tuple(pieces), unit.atoms, unit.symbols, unit.has_debug)


def _text(keys: Sequence[tuple[Texts, int]]) -> str:
    """A unit with a function for each window, before and after."""
    lines = ["\t.text"]
    for number, (texts, _) in enumerate(keys):
        for side, rows in zip(("old", "new"), texts, strict=True):
            name = f"{side}{number}"
            lines += [
                f"\t.type\t{name}, @function",
                f"{name}:",
                *rows,
                f"\t.size\t{name}, .-{name}",
            ]
    return "\n".join(lines) + "\n"
