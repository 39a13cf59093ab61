"""Windows: what a source of them proposes, and what is live behind them. The rules are one source.

Whatever a source proposes, what must be equal behind a window is found here, and the proof is the
same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from cr1cc.asm.reference import references, renamed
from cr1cc.asm.statement import Kind, Machine, Statement
from cr1cc.rewrite import version
from cr1cc.rewrite.change import Objective
from cr1cc.rewrite.effects import effects
from cr1cc.rewrite.flow import Code, Line
from cr1cc.rewrite.instruction import Instruction, Label
from cr1cc.rewrite.pattern import Bindings, Part, built, could_match, matched, pattern
from cr1cc.rewrite.places import ALL_FLAGS, ALL_GENERAL, FLAGS, GENERAL, Register, flags, whole
from cr1cc.rewrite.rules import RULES, Rule

_CALLER_SAVED = sum(
    whole(GENERAL.index(name))
    for name in ("rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11")
)


# Where the stack's guard is. Behind a read of it compilers clear the register that held it, though
# nothing reads that: no proof can see why it has to stay.
GUARD = "%fs:40"
_BEHIND_GUARD = 3  # instructions

Texts = tuple[tuple[str, ...], tuple[str, ...]]  # instructions before and after


class Proposal(NamedTuple):
    """Lines that follow each other, and instructions that may do instead. `by`: who says so, for
    people: the name of a rule."""

    by: str
    old: tuple[Line, ...]
    new: tuple[Instruction, ...]


class Source(Protocol):
    """Who proposes. Equal code gets equal proposals, in the same order."""

    @property
    def version(self) -> str:
        """What its proposals depend on besides the code, in words."""
        ...

    def proposals(self, code: Code) -> Iterable[Proposal]:
        """For the code of one function; they may overlap. Lines say what is live behind them."""
        ...


class Window(NamedTuple):
    """A proposal, and the places that must be equal behind it."""

    by: str
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


_Row = tuple[Rule, tuple[Part, ...], tuple[Part, ...]]  # with the patterns of both sides


class Rules:
    """Proposes what the rules for an objective say."""

    def __init__(self, objective: Objective, rules: Iterable[Rule] = RULES) -> None:
        order = list(Objective)
        allowed = order[: order.index(objective) + 1]
        self._objective = objective
        self._rules: dict[str, list[_Row]] = {}
        self._beginnings: dict[tuple[str, tuple[type, ...]], list[_Row]] = {}
        for rule in rules:
            if rule.objective in allowed:
                old = pattern(rule.old)
                row = (rule, old, pattern(rule.new))
                self._rules.setdefault(old[0].stem, []).append(row)

    @property
    def version(self) -> str:
        """Of the table, and which of its rows."""
        return f"rules {version.RULES} {self._objective.name.lower()}"

    def proposals(self, code: Code) -> Iterator[Proposal]:
        """All places where a rule matches and what it calls dead is dead."""
        for run in code.runs():
            instructions = [line.instruction for line in run if line.instruction]
            for start, first in enumerate(instructions):
                for rule, old, new in self._beginning_with(first):
                    window = instructions[start : start + len(old)]
                    if [one.stem for one in window] != [part.stem for part in old]:
                        continue
                    found = matched(old, window)
                    if found is not None and _fits(rule, found, run[start + len(old) - 1].live):
                        meaning = found | {n: f(found) for n, f in rule.values.items()}
                        lines = tuple(run[start : start + len(old)])
                        yield Proposal(rule.name, lines, tuple(built(new, meaning)))

    def _beginning_with(self, one: Instruction) -> list[_Row]:
        """The rules that may match where it stands."""
        key = (one.stem, tuple(map(type, one.operands)))
        if key not in self._beginnings:
            rows = self._rules.get(one.stem, ())
            self._beginnings[key] = [row for row in rows if could_match(row[1][0], one)]
        return self._beginnings[key]


def windows(sources: Iterable[Source], code: Code, defined: frozenset[str]) -> Iterator[Window]:
    """All windows of a function that sources propose. `defined`: the unit's symbols."""
    if not code.is_plain or code.has_handlers or code.uses_places:
        return
    kept = ALL_GENERAL & ~clobbered(code, defined)
    guarding = _guarding(code)
    for source in sources:
        for by, old, new in source.proposals(code):
            if _follow_each_other(old) and guarding.isdisjoint(line.at for line in old):
                yield Window(by, old, new, old[-1].live | kept)


def _guarding(code: Code) -> set[tuple[int, int]]:
    """The places of instructions that read the stack's guard, and of those behind them."""
    found: set[tuple[int, int]] = set()
    for run in code.runs():
        for number, line in enumerate(run):
            if line.instruction is not None and GUARD in line.instruction.text:
                found |= {one.at for one in run[number : number + 1 + _BEHIND_GUARD]}
    return found


def _follow_each_other(lines: tuple[Line, ...]) -> bool:
    """Whether nothing stands between, a label above all."""
    first = lines[0].at
    return all(
        one.at == (first[0], first[1] + number) and one.instruction is not None
        for number, one in enumerate(lines)
    )


def _fits(rule: Rule, found: Bindings, live: int) -> bool:
    if any(live & _meant(one, found) for one in rule.dead.split()):
        return False
    return rule.when is None or rule.when(found)


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
