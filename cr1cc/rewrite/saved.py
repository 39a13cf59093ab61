"""Which of the registers that a function saves for its caller may take each other's places.

What a function does with a register that it saved, before it gives the caller's value back, is its
own business: callers do not see it, and callees save it as well (System V ABI for x86-64, figure
3.4). If two such registers take each other's place everywhere in it, in what is saved, in what is
used, in what is given back and in what is said for unwinding, it does the same as before.

That holds of registers of which this is shown here, over all ways through the function:

- while one has the caller's value nothing reads it but a `push`;
- a `pop` from where that push left it gives it back;
- whenever the function ends, by a return or a jump elsewhere, it has the caller's value.

Exceptions that come back into the function find these registers as the call left them, as
unwinding is told; so control may go from any call to any place that a table names.

Where any of it cannot be followed, the register stays, or the whole function does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from cr1cc.asm.statement import Kind, Statement
from cr1cc.rewrite.effects import effects
from cr1cc.rewrite.flow import Block, Code, Line
from cr1cc.rewrite.instruction import Immediate, Instruction, Label, Memory
from cr1cc.rewrite.places import GENERAL, REGISTERS, Register, whole

SAVED = tuple(map(GENERAL.index, ("rbx", "rbp", "r12", "r13", "r14", "r15")))
_STACK = GENERAL.index("rsp")
_BASE = GENERAL.index("rbp")
_STACK_POINTER, _BASE_POINTER = REGISTERS["rsp"], REGISTERS["rbp"]
_WORD = 8

# Of the directives for unwinding those that mention no register, or one that is told by `spelled`.
_UNWINDING = frozenset(
    (".cfi_startproc", ".cfi_endproc", ".cfi_def_cfa_offset", ".cfi_adjust_cfa_offset",
     ".cfi_remember_state", ".cfi_restore_state", ".cfi_offset", ".cfi_rel_offset",
     ".cfi_restore", ".cfi_personality", ".cfi_lsda")
)  # fmt: skip
# The same of those that say by what register the frame is found, if it is one of these.
_FRAME = re.compile(r"\.cfi_def_cfa(?:_register)? (?:%?r[sb]p|[67])(?:,.*)?")
_NAMED = re.compile(r"%(\w+)")

# Instructions that use no register of those above but their operands. Any other one may.
_EXPLICIT = re.compile(
    r"v?mov\w*|lea[wlq]|(add|sub|and|or|xor|adc|sbb|cmp|test|inc|dec|neg|not|mul|imul|div|idiv)[bwlq]"
    r"|(sh[lr]|sa[lr]|ro[lr]|rc[lr])[bwlq]|sh[lr]d[wlq]|[sr][ahlo][lr]x[lq]|bt[srci]?[wlq]"
    r"|(bsf|bsr|tzcnt|lzcnt|popcnt|bswap|xchg|xadd|cmpxchg)[bwlq]?|andn[lq]|bextr[lq]"
    r"|bls(i|r|msk)[lq]|bzhi[lq]|pdep[lq]|pext[lq]|mulx[lq]|rorx[lq]|adcx[lq]|adox[lq]|crc32[bwlq]"
    r"|set\w+|cmov\w+|j(?!cxz)[a-z]{1,3}|jmpq?|callq?|retq?|pushq?|popq?|c[lqw]t[dloq]|cwt[ld]|cqto"
    r"|cdq|cqo|cdqe|nop[wlq]?|endbr64|ud2|pause|[lms]fence|prefetch\w+"
    r"|(stos|movs|cmps|scas|lods)[bwlq]|leaveq?"
    r"|f(ld|st|ild|ist|istt)p?(ll|[a-z])?|f(ld[1z]|ldl2[et]|ldpi|ldlg2|ldln2|ldcw|nstcw|nstsw)"
    r"|fi?(add|sub|subr|mul|div|divr|com)p?[a-z]?|fu?comi?p{0,2}|f(xch|chs|abs|sqrt|rndint|scale)"
    r"|f(xam|tst|nclex|wait|cmov\w+|prem1?|2xm1|yl2x|patan|ptan|sin|cos|sincos|xtract)"
    r"|v?(add|sub|mul|div|min|max|sqrt|rsqrt|rcp|and|andn|or|xor|cmp(eq|lt|le|unord|n(eq|lt|le)|ord)?|u?comi|round|blend|blendv"
    r"|shuf|unpck[lh]|h?add|hsub|addsub|dp|broadcast\w*|perm\w*|extract\w*|insert\w*|test)([sp][sd])?"
    r"|v?cvt\w+|v?p(add|sub|mul|mull|mulh|madd|and|andn|or|xor|cmpeq|cmpgt|unpck[lh]|shuf|shufb|ack|max"
    r"|min|avg|abs|sign|sll|srl|sra|extr|insr|movmskb|movsx|movzx|broadcast|erm|sad|align|blend)\w*"
    r"|vzeroupper|vzeroall|vfn?m(add|sub)\w+|vfmaddsub\w+|ldmxcsr|stmxcsr|emms"
)


# What may stand before one of them, in the same statement or by itself.
_PREFIXED = re.compile(r"(?:lock|rep|repe|repne|repz|repnz)(?:[ \t]+(\w+)(?:[ \t].*)?)?")
_ENDING = re.compile(r"j\w+|call\w*|ret\w*")


class _State(NamedTuple):
    """Before an instruction: bytes on the stack since the function began, the registers that have
    the caller's value, where on the stack such values lie (pairs of depth and register), and the
    depth that %rbp points to, if it is the base of the frame."""

    depth: int
    entry: frozenset[int]
    slots: frozenset[tuple[int, int]]
    base: int | None = None

    def merged(self, other: _State) -> _State | None:
        """What holds of both, None if they cannot be the same place."""
        if self.depth != other.depth:
            return None
        base = self.base if self.base == other.base else None
        return _State(self.depth, self.entry & other.entry, self.slots & other.slots, base)

    def moved(self, depth: int) -> _State:
        """With another depth of the stack: what lies beyond is gone."""
        return self._replace(depth=depth, slots=frozenset(s for s in self.slots if s[0] <= depth))


class _LostError(Exception):
    """The function cannot be followed."""


def exchangeable(
    code: Code, entries: Iterable[str], tabled: Iterable[str], told: Iterable[str]
) -> frozenset[int]:
    """The numbers of registers that may take each other's places; none where there is nothing to
    exchange. `entries`: labels at which it is called, `tabled`: those that tables name, for
    computed jumps and exceptions, `told`: those whose address its code takes, so that any call
    may come back to them (`__builtin_longjmp`)."""
    if not code.is_plain or code.uses_places or not _is_readable(code):
        return frozenset()
    used = _used(code)
    if len(used) < 2:
        return frozenset()
    try:
        found = _Following(code, used, tabled, told)
        found.follow(code.labels[name] for name in entries)
    except _LostError:
        return frozenset()
    free = found.pushed - found.fixed - _frame_bases(code)
    return free if len(free) > 1 else frozenset()


def _is_readable(code: Code) -> bool:
    """Whether all statements are known well enough."""
    return all(_is_known(line) for line in code.lines)


def _is_known(line: Line) -> bool:
    statement = line.statement
    if statement.inline:
        return False
    if statement.kind is Kind.INSTRUCTION:
        takes_more = statement.name.startswith("ret") and statement.operands
        return is_explicit(statement) and "%bh" not in statement.operands and not takes_more
    if line.instruction is not None:  # bytes in the code
        return False
    if not statement.name.startswith(".cfi_") or statement.name in _UNWINDING:
        return True
    return _FRAME.fullmatch(f"{statement.name} {statement.operands}") is not None


def _frame_bases(code: Code) -> frozenset[int]:
    """%rbp, where unwinding goes by it."""
    named = any(_FRAME.fullmatch(f"{one.statement.name} {one.statement.operands}")
                and not one.statement.operands.startswith(("%rsp", "7"))
                for one in code.lines)  # fmt: skip
    return frozenset((_BASE,)) if named else frozenset()


def is_explicit(statement: Statement) -> bool:
    """Whether an instruction uses no saved register but those that it names."""
    prefixed = _PREFIXED.fullmatch(f"{statement.name} {statement.operands}".strip())
    if prefixed is None:
        return _EXPLICIT.fullmatch(statement.name) is not None
    name = prefixed[1] or "nop"
    return _EXPLICIT.fullmatch(name) is not None and not _ENDING.fullmatch(name)


def mentioned(statement: Statement) -> frozenset[int]:
    """The general registers that the operands of an instruction name."""
    names = (REGISTERS.get(name) for name in _NAMED.findall(statement.operands))
    return frozenset(one.number for one in names if one is not None)


def _used(code: Code) -> frozenset[int]:
    found: set[int] = set()
    for line in code.lines:
        if line.instruction is not None:
            found |= mentioned(line.statement)
    return frozenset(found & set(SAVED))


class _Following:
    """Follows a function forward until nothing changes. `pushed`: registers that are saved,
    `fixed`: those that have to stay."""

    def __init__(
        self, code: Code, used: frozenset[int], tabled: Iterable[str], told: Iterable[str]
    ) -> None:
        self._blocks = code.blocks
        self._used = used
        tables, escaped = ({code.labels[name] for name in names} for names in (tabled, told))
        self._addressed = sorted(tables | escaped)
        self._handlers = sorted(escaped | tables if code.has_handlers else escaped)
        self.fixed: set[int] = set()
        self.pushed: frozenset[int] = frozenset()

    def follow(self, entries: Iterable[int]) -> None:
        """Raises _LostError."""
        before: dict[int, _State] = {}
        waiting = list(entries)
        begin = _State(0, self._used, frozenset())
        for number in waiting:
            before[number] = begin
        while waiting:
            number = waiting.pop()
            for successor, state in self._through(self._blocks[number], before[number]):
                known = before.get(successor)
                merged = state if known is None else known.merged(state)
                if merged is None:
                    raise _LostError
                if merged != known:
                    before[successor] = merged
                    waiting.append(successor)
        for number, block in enumerate(self._blocks):
            if number not in before and any(self._names(line) for line in block.lines):
                raise _LostError  # nobody knows how control gets there

    def _through(self, block: Block, state: _State) -> Iterable[tuple[int, _State]]:
        """The blocks that follow, and the state before them. What is found to be fixed with a state
        is so with any weaker one."""
        one: Instruction | None = None
        found: list[tuple[int, _State]] = []
        for line in block.lines:
            if line.instruction is not None:
                one = line.instruction
                state = self._step(one, self._names(line), state)
                if one.stem == "call":
                    found += [(handler, state) for handler in self._handlers]
        found += [(successor, state) for successor in block.successors]
        if one is None:
            return found
        if one.stem == "ret":
            self._end(state)
        elif one.stem[:1] == "j" and isinstance(one.operands[0], Label):
            found += self._jumped(one.operands[0], state, block)
        return found

    def _names(self, line: Line) -> frozenset[int]:
        """The registers in question that an instruction names."""
        is_code = line.instruction is not None
        return mentioned(line.statement) & self._used if is_code else frozenset()

    def _jumped(self, target: Label, state: _State, block: Block) -> list[tuple[int, _State]]:
        if target.star and self._addressed:
            return [(number, state) for number in self._addressed]
        if target.star or block.beyond:
            self._end(state)
        return []

    def _end(self, state: _State) -> None:
        if state.depth:
            raise _LostError
        self.fixed |= self._used - state.entry

    def _step(self, one: Instruction, named: frozenset[int], state: _State) -> _State:
        if one.stem == "push":
            return self._pushed(one, named, state)
        if one.stem == "pop":
            return self._popped(one, named, state)
        if one.stem == "leave":
            return self._left(state)
        depth = _depth(one, state)
        if depth is not None:
            return state.moved(depth)
        return self._used_by(one, named, state) if named else state

    def _used_by(self, one: Instruction, named: frozenset[int], state: _State) -> _State:
        reads, kills = effects(one)
        for number in named & state.entry:
            if reads & whole(number) or kills & whole(number) != whole(number):
                self.fixed.add(number)
        base = state.base
        if one.stem == "mov" and one.operands == (_STACK_POINTER, _BASE_POINTER):
            self.fixed.add(_BASE)  # those who unwind, and profilers, look for it there
            base = state.depth
        elif _BASE in named and not _only_reads_base(one):
            base = None
        return state._replace(entry=state.entry - named, base=base)

    def _left(self, state: _State) -> _State:
        """After `leave`: the stack ends at the base of the frame, and what lies there is the
        caller's."""
        if state.base is None or (state.base, _BASE) not in state.slots:
            raise _LostError
        found = state.moved(state.base).moved(state.base - _WORD)
        return found._replace(entry=found.entry | {_BASE}, base=None)

    def _pushed(self, one: Instruction, named: frozenset[int], state: _State) -> _State:
        depth = state.depth + _WORD
        slots = set(state.slots)
        operand = one.operands[0]
        if isinstance(operand, Register):
            slots |= {(depth, number) for number in named & state.entry}
            self.pushed |= named & state.entry
        else:
            self.fixed |= named & state.entry
        return state._replace(depth=depth, slots=frozenset(slots))

    def _popped(self, one: Instruction, named: frozenset[int], state: _State) -> _State:
        depth = state.depth - _WORD
        entry = state.entry
        if isinstance(one.operands[0], Register):
            back = {number for number in named if (state.depth, number) in state.slots}
            entry = (entry - named) | back
        else:
            self.fixed |= named & entry
        base = None if _BASE in named else state.base
        return state._replace(entry=entry, base=base).moved(depth)


def _only_reads_base(one: Instruction) -> bool:
    """Whether %rbp is no operand that an instruction may write."""
    if one.stem == "xchg":
        return False
    if one.stem == "":
        return one.text.endswith(")")
    last = one.operands[-1] if one.operands else None
    reads_last = one.stem in ("cmp", "test", "bt")
    return reads_last or not isinstance(last, Register) or last.number != _BASE


def _depth(one: Instruction, state: _State) -> int | None:
    """Where the stack ends after an instruction that moves its end; None if it does not. Raises
    _LostError if that is not known."""
    last = one.operands[-1] if one.operands else None
    if one.stem == "":
        if "%rsp" in one.text and one.text.rpartition(",")[2].strip() in ("%rsp", "%esp"):
            raise _LostError
        return None
    if not isinstance(last, Register) or last.number != _STACK or one.stem in ("cmp", "test"):
        exchanged = one.stem == "xchg" and _STACK_POINTER in one.operands
        if exchanged:
            raise _LostError
        return None
    first = one.operands[0]
    if one.stem in ("add", "sub") and isinstance(first, Immediate) and first.value is not None:
        return state.depth + (first.value if one.stem == "sub" else -first.value)
    if one.stem == "lea" and isinstance(first, Memory) and first.registers == (_STACK_POINTER,):
        return state.depth - _offset(first)
    if state.base is None:
        raise _LostError
    if one.stem == "lea" and isinstance(first, Memory) and first.registers == (_BASE_POINTER,):
        return state.base - _offset(first)
    if one.stem == "mov" and first == _BASE_POINTER:
        return state.base
    raise _LostError


def _offset(address: Memory) -> int:
    if address.symbolic:
        raise _LostError
    return address.offset
