"""The code of a function in blocks, and what is live behind each instruction.

Liveness is that of the whole function, from its ends backward. Where control goes to a place that
is not known, everything is live; what a call or an unknown instruction may read is live before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from cr1cc.asm.directives import DIRECTIVES, Treatment
from cr1cc.asm.statement import Kind, Statement
from cr1cc.rewrite.effects import effects
from cr1cc.rewrite.instruction import Instruction, Label, parsed
from cr1cc.rewrite.places import (
    ALL_REGISTERS,
    EVERYTHING,
    GENERAL,
    PARTS,
    Register,
    vector,
    whole,
)
from cr1cc.rewrite.stems import CONDITIONAL

# System V ABI for x86-64, figure 3.4: results, and what is saved for callers. Swift's convention,
# which clang has in C, too, gives results in four registers of a kind.
_SAVED = ("rbx", "rbp", "r12", "r13", "r14", "r15")
_KEPT = ("rax", "rdx", "rcx", "r8", "rsp", *_SAVED)
_AT_RETURN = sum(whole(GENERAL.index(name)) for name in _KEPT)
_AT_RETURN |= vector(0) | vector(1) | vector(2) | vector(3)
# Of .cfi_offset: the numbers of the saved registers and of the return address in DWARF.
_SAVED_NUMBERS = frozenset(("3", "6", "12", "13", "14", "15", "16"))
_ALIGNING = frozenset(("rax", *_SAVED))  # pushed to be kept, or to move the stack pointer
# Where they stand alone they belong to what follows.
_PREFIXES = frozenset(
    (
        "addr32", "bnd", "cs", "data16", "ds", "es", "fs", "gs", "lock", "notrack", "rep", "repe",
        "repne", "repnz", "repz", "rex64", "ss", "xacquire", "xrelease",
    )
)  # fmt: skip
# Functions by another convention, and parts of functions that clang made functions of.
_OTHER_CONVENTIONS = ("__regcall", "OUTLINED_FUNCTION_")


@dataclass
class Line:
    """A statement of a function; `instruction` if it is one. `live`: places behind it."""

    at: tuple[int, int]  # piece of the unit, statement of the piece
    statement: Statement
    instruction: Instruction | None
    live: int = 0


@dataclass
class Block:
    """Lines that run one after the other. `successors`: numbers of blocks."""

    lines: list[Line] = field(default_factory=list)
    successors: list[int] = field(default_factory=list)
    beyond: int = 0  # what is live where control leaves the function, or nobody knows


class Code:
    """The statements of a function, hot and cold parts one behind the other."""

    def __init__(
        self, parts: Iterable[Iterable[tuple[tuple[int, int], Statement]]], *, live: bool = True
    ) -> None:
        """`live`: whether lines shall say what is live behind them, which takes time."""
        self.blocks: list[Block] = []
        self.labels: dict[str, int] = {}  # the number of the block that each begins
        self._last: list[bool] = []  # whether a block is the last one of its part
        for part in parts:
            self._add(part)
        for number, block in enumerate(self.blocks):
            self._connect(number, block)
        if live:
            self._settle()

    @property
    def lines(self) -> list[Line]:
        return [line for block in self.blocks for line in block.lines]

    @cached_property
    def is_plain(self) -> bool:
        """Whether its name says nothing of another calling convention."""
        return not any(mark in name for name in self.labels for mark in _OTHER_CONVENTIONS)

    @cached_property
    def has_handlers(self) -> bool:
        """Whether exceptions come back into it: then any access may be a jump."""
        return any(line.statement.name == ".cfi_lsda" for line in self.lines)

    @cached_property
    def uses_places(self) -> bool:
        """Whether it says how far something is in bytes from an instruction."""
        return any(
            isinstance(operand, Label) and operand.text.startswith((".+", ".-", "*.+", "*.-"))
            for line in self.lines
            if line.instruction
            for operand in line.instruction.operands
        )

    def runs(self) -> Iterable[Sequence[Line]]:
        """Instructions that follow each other with nothing between."""
        for block in self.blocks:
            run: list[Line] = []
            for line in block.lines:
                if line.instruction is not None:
                    run.append(line)
                elif run:
                    yield run
                    run = []
            if run:
                yield run

    def _add(self, part: Iterable[tuple[tuple[int, int], Statement]]) -> None:
        block = self._new()
        prefixed = False
        for at, statement in part:
            if statement.kind is Kind.LABEL:
                if block.lines:
                    block = self._new()
                self.labels[statement.name] = len(self.blocks) - 1
                continue
            instruction = _instruction(statement)
            if instruction is not None:
                text = instruction.text
                if prefixed:
                    instruction = Instruction("", 0, (), text)
                prefixed = text in _PREFIXES or statement.kind is Kind.DIRECTIVE
            block.lines.append(Line(at, statement, instruction))
            if instruction is not None and _ends(instruction):
                block = self._new()
        self._last[-1] = True

    def _new(self) -> Block:
        self.blocks.append(Block())
        self._last.append(False)
        return self.blocks[-1]

    def _connect(self, number: int, block: Block) -> None:
        last = next((one.instruction for one in reversed(block.lines) if one.instruction), None)
        falls = True
        if last is not None and _ends(last):
            falls = last.stem in CONDITIONAL
            if last.stem in ("ret", "ud2", "hlt"):
                block.beyond = self._at_return if last.stem == "ret" else 0
            elif last.stem == "":
                block.beyond, falls = EVERYTHING, True
            else:
                self._jump(block, last)
        if falls and self._last[number]:
            block.beyond = EVERYTHING
        elif falls:
            block.successors.append(number + 1)

    def _jump(self, block: Block, last: Instruction) -> None:
        target = last.operands[0]
        assert isinstance(target, Label)
        name = target.text
        if not target.star and name in self.labels:
            block.successors.append(self.labels[name])
        elif target.star or name.startswith(".") or name[:1].isdigit() or ".cold" in name:
            block.beyond |= EVERYTHING
        else:  # another function, which goes back to the caller
            block.beyond |= ALL_REGISTERS

    @cached_property
    def _at_return(self) -> int:
        """What callers may look at. A function that saves other registers than the ABI asks for
        was told to keep all of them."""
        return ALL_REGISTERS if any(map(_saves_more, self.lines)) else _AT_RETURN

    def _settle(self) -> None:
        """Backward to a fixed point."""
        before = [0] * len(self.blocks)
        users: list[list[int]] = [[] for _ in self.blocks]
        for number, block in enumerate(self.blocks):
            for successor in block.successors:
                users[successor].append(number)
        left = list(range(len(self.blocks)))
        waiting = set(left)
        while left:
            number = left.pop()
            waiting.discard(number)
            live = self._through(self.blocks[number], before)
            if live != before[number]:
                before[number] = live
                left += [one for one in users[number] if one not in waiting]
                waiting.update(users[number])

    def _through(self, block: Block, before: list[int]) -> int:
        live = block.beyond
        for successor in block.successors:
            live |= before[successor]
        for line in reversed(block.lines):
            line.live = live
            if line.instruction is not None:
                live = live_before(line.instruction, live)
        return live


def _instruction(statement: Statement) -> Instruction | None:
    """What is executed, None for a directive that only says something. Bytes may be anything."""
    if statement.kind is Kind.INSTRUCTION:
        return parsed(statement)
    if DIRECTIVES.get(statement.name) is Treatment.DATA:
        return Instruction("", 0, (), str(statement))
    return None


def live_before(one: Instruction, live: int) -> int:
    """What is live before an instruction that has `live` behind it."""
    if one.stem == "ret":
        return live
    if one.stem == "xchg" and all(isinstance(operand, Register) for operand in one.operands):
        return _exchanged(one, live)
    reads, kills = effects(one)
    return live & ~kills | reads


def _saves_more(line: Line) -> bool:
    """Whether a register is saved that the ABI does not ask for."""
    if line.statement.name in (".cfi_offset", ".cfi_rel_offset"):
        number = line.statement.operands.partition(",")[0].strip()
        return number not in _SAVED_NUMBERS
    one = line.instruction
    if one is None or one.stem != "push":
        return False
    saved = one.operands[0]
    return isinstance(saved, Register) and GENERAL[saved.number] not in _ALIGNING


def _exchanged(one: Instruction, live: int) -> int:
    """Each register takes what is live of the other one; that is no use of a dead one."""
    a, b = one.operands
    assert isinstance(a, Register)
    assert isinstance(b, Register)
    if a.high or b.high:
        return live | a.read | b.read
    found = live & ~(a.written | b.written)
    for source, target in ((a, b), (b, a)):
        parts = live & target.read
        distance = PARTS * (source.number - target.number)
        found |= parts << distance if distance >= 0 else parts >> -distance
    return found


def _ends(one: Instruction) -> bool:
    return one.stem in ("", "jmp", "ret", "ud2", "hlt") or (
        one.stem in CONDITIONAL and one.stem.startswith("j")
    )
