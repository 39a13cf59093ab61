"""Windows that rules match: what they would become, and what is live behind them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from cr1cc.asm.reference import references, renamed
from cr1cc.asm.statement import Kind, Machine, Statement
from cr1cc.rewrite.effects import effects
from cr1cc.rewrite.flow import Code, Line
from cr1cc.rewrite.instruction import Instruction, Label
from cr1cc.rewrite.pattern import Bindings, Part, built, matched, pattern
from cr1cc.rewrite.places import ALL_FLAGS, ALL_GENERAL, FLAGS, GENERAL, Register, flags, whole
from cr1cc.rewrite.rules import RULES, Objective, Rule

_CALLER_SAVED = sum(
    whole(GENERAL.index(name))
    for name in ("rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11")
)


Texts = tuple[tuple[str, ...], tuple[str, ...]]  # instructions before and after


class Window(NamedTuple):
    """`old`: lines that follow each other; `compared`: places that must be equal behind it."""

    rule: Rule
    old: tuple[Line, ...]
    new: tuple[Instruction, ...]
    compared: int

    @property
    def texts(self) -> Texts:
        """Instructions before and after."""
        before = tuple(line.instruction.text for line in self.old if line.instruction)
        return before, tuple(one.text for one in self.new)

    @property
    def normalised(self) -> Texts:
        """The same with symbols called by the order in which they come: of none anything is
        known, but whether it is another one."""
        sides = [[statement_of(text) for text in side] for side in self.texts]
        names: dict[str, str] = {}
        for statement in (one for side in sides for one in side):
            for reference in references(statement, Machine.X86_64):
                names.setdefault(reference.symbol, f"symbol{len(names)}")
        old, new = (
            tuple(_spelled(renamed(one, names, Machine.X86_64)) for one in side) for side in sides
        )
        return old, new


def statement_of(text: str) -> Statement:
    """The statement of an instruction's text."""
    name, _, operands = text.partition("\t")
    return Statement(Kind.INSTRUCTION, name, operands)


def _spelled(statement: Statement) -> str:
    return f"{statement.name}\t{statement.operands}"


class Finder:
    """Finds the windows that rules for an objective match."""

    def __init__(self, objective: Objective, rules: Iterable[Rule] = RULES) -> None:
        order = list(Objective)
        allowed = order[: order.index(objective) + 1]
        self._rules: dict[str, list[tuple[Rule, tuple[Part, ...], tuple[Part, ...]]]] = {}
        for rule in rules:
            if rule.objective in allowed:
                old = pattern(rule.old)
                row = (rule, old, pattern(rule.new))
                self._rules.setdefault(old[0].stem, []).append(row)

    def windows(
        self, code: Code, defined: frozenset[str], free: int | None = None
    ) -> Iterator[Window]:
        """All windows of a function, overlapping ones too. `defined`: the unit's symbols; `free`:
        the general registers that may be written, None: those that the function writes."""
        if not code.is_plain or code.has_handlers or code.uses_places:
            return
        if free is None:
            free = clobbered(code, defined)
        for run in code.runs():
            instructions = [line.instruction for line in run if line.instruction]
            for start, first in enumerate(instructions):
                for rule, old, new in self._rules.get(first.stem, ()):
                    window = instructions[start : start + len(old)]
                    if len(window) < len(old):
                        continue
                    found = matched(old, window)
                    if found is not None:
                        lines = tuple(run[start : start + len(old)])
                        yield from self._window(rule, new, found, lines, free)

    @staticmethod
    def _window(
        rule: Rule, new: tuple[Part, ...], found: Bindings, lines: tuple[Line, ...], free: int
    ) -> Iterator[Window]:
        live = lines[-1].live
        if any(live & _meant(one, found) for one in rule.dead.split()):
            return
        if rule.when is not None and not rule.when(found):
            return
        instructions = tuple(built(new, found | {n: f(found) for n, f in rule.values.items()}))
        yield Window(rule, lines, instructions, live | ALL_GENERAL & ~free)


def _meant(text: str, found: Bindings) -> int:
    """The places of a word of `Rule.dead`."""
    if text in FLAGS:
        return flags(text)
    if text == "flags":
        return ALL_FLAGS
    name, _, bits = text.partition(">")
    number = found[name] if name in found else GENERAL.index(name)
    assert isinstance(number, int)
    kept = Register(number, int(bits) // 8).read if bits else 0
    return whole(number) & ~kept


def clobbered(code: Code, defined: frozenset[str]) -> int:
    """The general registers that a function gives new values anywhere, for all that its callers
    can know. Another one must not be written, even if nothing in the function reads it: callers
    may rely on what a function leaves alone (-fipa-ra)."""
    found = 0
    for line in code.lines:
        one = line.instruction
        if one is None:
            continue
        found |= effects(one).kills
        for operand in one.operands[-1:]:
            if isinstance(operand, Register) and one.stem not in ("cmp", "test", "push", "bt"):
                found |= whole(operand.number)
        target = one.operands[0] if one.stem == "call" else None
        if not isinstance(target, Label) or target.star:
            continue
        if target.text.removesuffix("@PLT") not in defined:
            found |= _CALLER_SAVED
    return found
