"""The rules: what is replaced by what, for which objective, and why it is the same.

No rule is trusted. What is live behind a window (`flow.py`) and a proof (`prove/window.py`) decide
whether a match may be replaced, the assembler whether it gets shorter. Conditions only spare work:
what they exclude could not be proved, or would not pay. Whoever changes a row raises
`version.RULES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from cr1cc.rewrite.change import Objective
from cr1cc.rewrite.instruction import Memory, Operand
from cr1cc.rewrite.pattern import Bindings
from cr1cc.rewrite.places import Register

_FIRST_LONG = 4  # the first of the registers whose bytes take a prefix
_SMALL = range(-128, 128)  # what an immediate of 8 bits holds


class Rule(NamedTuple):
    """`old` and `new` are patterns (`pattern.py`). `dead`: what nothing may read any more:
    registers, "r>32" the bits of one from 32 on, flags. `values`: what numbers of the new
    instructions are worth."""

    name: str
    old: str
    new: str
    objective: Objective
    why: str
    dead: str = ""
    when: Callable[[Bindings], bool] | None = None
    values: Mapping[str, Callable[[Bindings], int]] = {}


def _n(found: Bindings, name: str) -> int:
    value = found[name]
    assert isinstance(value, int)
    return value


def _apart(found: Bindings, memory: str, *registers: str) -> bool:
    """Whether an address is not made of registers that the window changes before."""
    operand = found[memory]
    if not isinstance(operand, Memory):
        return True
    used = {one.number for one in operand.registers}
    return not used & {_n(found, name) for name in registers}


def _free(found: Bindings, name: str, register: str) -> bool:
    """Whether an operand of any kind has nothing to do with a register."""
    operand: int | Operand = found[name]
    if isinstance(operand, Register):
        return operand.number != _n(found, register)
    return not isinstance(operand, Memory) or _apart(found, name, register)


def _short(name: str) -> Callable[[Bindings], bool]:
    return lambda found: _n(found, name) in _SMALL


def _minus(name: str) -> Mapping[str, Callable[[Bindings], int]]:
    return {"j": lambda found: -_n(found, name)}


def _positive(found: Bindings) -> bool:
    return 0 <= _n(found, "i") < 1 << 31


_S, _Z, _F = Objective.SIZE, Objective.SMALLEST, Objective.SPEED
_FLAGS_DEAD = "the flags are not read"
_UPPER = "the lower half of the result needs the lower halves only, and the upper one is not read"

_ROWS: list[Rule] = [
    # zeroes and constants
    Rule("zero", "mov.lq $0, r", "xor.l r, r", _F, _FLAGS_DEAD, "flags"),
    Rule("zero 64", "xor.q r, r", "xor.l r, r", _F, "32 bits clear the upper half"),
    Rule("minus one", "mov.lq $-1, r", "or.W $-1, r", _S, _FLAGS_DEAD, "flags"),
    Rule("one", "mov.l $1, r", "xor.l r, r; inc.l r", _Z, _FLAGS_DEAD, "flags"),
    Rule("constant of a byte", "mov.l $i, r", "mov.b $j, r", _S, "bits above are not read", "r>8",
         values={"j": lambda found: (_n(found, "i") & 255 ^ 128) - 128}),
    Rule("the same constant twice", "mov.lq $i, r; mov.W $i, s", "mov.W $i, r; mov.W r, s", _S,
         "r has that value already"),
    Rule("small constant", "mov.l $i, r", "xor.l r, r; mov.b $j, r", _Z, _FLAGS_DEAD, "flags",
         when=lambda found: 1 < _n(found, "i") < 256 and _n(found, "r") < _FIRST_LONG,
         values={"j": lambda found: (_n(found, "i") ^ 128) - 128}),
    Rule("minus one twice", "or.lq $-1, r; or.W $-1, s", "or.W $-1, r; mov.W r, s", _S,
         "r has that value already; both give the flags of the first"),
    Rule("constant 32", "mov.q $i, r", "mov.l $i, r", _F, "32 bits clear the upper half",
         when=_positive),
    Rule("and 32", "and.q $i, r", "and.l $i, r", _F, "the upper half gets 0 in both",
         when=_positive),
    Rule("and 255", "and.lq $255, r", "movzb.l r, r", _F, _FLAGS_DEAD, "flags"),
    Rule("and 65535", "and.lq $65535, r", "movzw.l r, r", _F, _FLAGS_DEAD, "flags"),
    # comparisons
    Rule("compare with 0", "cmp.bwlq $0, r", "test.W r, r", _F, "the same flags"),
    Rule("test a byte", "test.lq $i, r", "test.b $i, r", _F, "bits above are 0 in the number",
         when=lambda found: 0 <= _n(found, "i") < 128),
    Rule("compare with -1", "cmp.lq $-1, r", "inc.W r", _S, "zero in both, the register is dead",
         "r cf of"),
    Rule("compare with 1", "cmp.lq $1, r", "dec.W r", _S, "zero in both, the register is dead",
         "r cf of"),
    Rule("test in memory", "mov.bwlq m, r; test.W r, r", "cmp.W $0, m", _F, "r is dead", "r"),
    Rule("test a byte in memory", "movzb.l m, r; test.b r, r", "cmp.b $0, m", _F, "r is dead",
         "r"),
    Rule("test a byte in memory, widened", "movzb.l m, r; test.l r, r", "cmp.b $0, m", _F,
         "r is dead and zero if its byte is", "r"),
    Rule("compare in memory", "mov.bwlq m, r; cmp.W s, r", "cmp.W s, m", _F, "r is dead", "r"),
    Rule("compare a number in memory", "mov.bwlq m, r; cmp.W $i, r", "cmp.W $i, m", _F,
         "r is dead", "r"),
    Rule("compare a byte in memory", "movzb.l m, r; cmp.b $i, r", "cmp.b $i, m", _F,
         "r is dead", "r"),
    # addresses and sums
    Rule("increment by lea", "lea.lq 1(r), r", "inc.W r", _S, _FLAGS_DEAD, "flags"),
    Rule("decrement by lea", "lea.lq -1(r), r", "dec.W r", _S, _FLAGS_DEAD, "flags"),
    Rule("add a register", "lea.lq (r,s,1), r", "add.W s, r", _F, _FLAGS_DEAD, "flags"),
    Rule("add to the index", "lea.lq (s,r,1), r", "add.W s, r", _F, _FLAGS_DEAD, "flags"),
    Rule("twice", "lea.lq (r,r,1), r", "add.W r, r", _F, _FLAGS_DEAD, "flags"),
    Rule("twice elsewhere", "lea.lq (,r,2), s", "lea.W (r,r,1), s", _F, "r + r is 2 r"),
    Rule("shift", "lea.lq (,r,k), r", "shl.W $j, r", _F, _FLAGS_DEAD, "flags",
         values={"j": lambda found: _n(found, "k").bit_length() - 1}),
    Rule("add 128", "add.lq $128, r", "sub.W $-128, r", _F, "the carry is not read", "cf"),
    Rule("subtract 128", "sub.lq $128, r", "add.W $-128, r", _F, "the carry is not read", "cf"),
    Rule("increment", "add.bwlq $1, r", "inc.W r", _S, "the carry is not read", "cf"),
    Rule("decrement", "sub.bwlq $1, r", "dec.W r", _S, "the carry is not read", "cf"),
    Rule("decrement by adding", "add.bwlq $-1, r", "dec.W r", _S, "the carry is not read", "cf"),
    Rule("sum elsewhere", "mov.lq r, s; add.W t, s", "lea.W (r,t,1), s", _F, _FLAGS_DEAD, "flags"),
    Rule("twice a copy", "mov.lq r, s; add.W s, s", "lea.W (r,r,1), s", _F, _FLAGS_DEAD,
         "flags"),
    Rule("a copy and itself", "mov.lq r, s; add.W r, s", "lea.W (r,r,1), s", _F, _FLAGS_DEAD,
         "flags"),
    Rule("number added elsewhere", "mov.lq r, s; add.W $i, s", "lea.W i(r), s", _F, _FLAGS_DEAD,
         "flags"),
    Rule("number subtracted elsewhere", "mov.lq r, s; sub.W $i, s", "lea.W j(r), s", _F,
         _FLAGS_DEAD, "flags", values=_minus("i")),
    Rule("increment elsewhere", "mov.lq r, s; inc.W s", "lea.W 1(r), s", _F, _FLAGS_DEAD, "flags"),
    Rule("decrement elsewhere", "mov.lq r, s; dec.W s", "lea.W -1(r), s", _F, _FLAGS_DEAD, "flags"),
    # copies
    Rule("back and forth", "mov.lq r, s; mov.W s, r", "mov.W r, s", _F,
         "r has that value already"),
    Rule("copy to itself", "mov.q r, r", "", _F, "nothing changes"),
    Rule("cleared already", "mov.l r, r", "", _F, "the upper half is not read",
         "r>32"),
    Rule("a copy that is moved on", "mov.lq x, r; mov.W r, s", "mov.W x, s", _F, "r is dead",
         "r", when=lambda found: _free(found, "x", "r")),
    Rule("number through a register", "mov.lq $i, r; mov.W r, m", "mov.W $i, m", _S, "r is dead",
         "r", when=lambda found: _apart(found, "m", "r")),
    Rule("byte cleared already", "movzb.l r, r", "", _F, "bits above are not read",
         "r>8"),
    Rule("word cleared already", "movzw.l r, r", "", _F, "bits above are not read",
         "r>16"),
    Rule("sign not read", "movsl.q r, r", "", _F, "the upper half is not read",
         "r>32"),
    Rule("sign of %rax not read", "cltq", "", _F, "the upper half is not read",
         "rax>32"),
    Rule("byte loaded alone", "movzb.l m, r", "mov.b m, r", _Z, "bits above are not read",
         "r>8"),
    Rule("byte copied in a word", "movzb.l r, s", "mov.l r, s", _F, "bits above are not read",
         "s>8"),
    Rule("sign of a copy not read", "movsl.q r, s", "mov.l r, s", _F, "the upper half is not read",
         "s>32"),
    Rule("exchange from %eax", "mov.lq s, r", "xchg.W r, s", _Z, "one of the two is dead", "s",
         when=lambda found: 0 in (_n(found, "s"), _n(found, "r"))),
]  # fmt: skip

# An operation after which its result is compared with 0.
_ROWS += [
    Rule(f"test after {name}", f"{name}.bwlq {more}r; test.W r, r", f"{name}.W {more}r", _F,
         "the operation gives the flags that are read")
    for name, more in (("and", "x, "), ("or", "x, "), ("xor", "x, "), ("add", "x, "),
                       ("sub", "x, "), ("inc", ""), ("dec", ""), ("neg", ""), ("shl", "$i, "),
                       ("shr", "$i, "), ("sar", "$i, "), ("sal", "$i, "))
]  # fmt: skip

# A loaded value that is only one operand.
_ROWS += [
    Rule(f"{name} from memory", f"mov.lq m, r; {name}.W r, s", f"{name}.W m, s", _F, "r is dead",
         "r")
    for name in ("add", "sub", "and", "or", "xor", "imul", "cmp")
]  # fmt: skip
_ROWS += [
    Rule(f"{name} in memory", f"mov.bwlq m, r; {name}.W x, r; mov.W r, m", f"{name}.W x, m", _F,
         "r is dead", "r", when=lambda found: (
             not isinstance(found["x"], Memory) and _apart(found, "m", "r")
             and _free(found, "x", "r")))
    for name in ("add", "sub", "and", "or", "xor")
]  # fmt: skip

# 64 bits of which half is read.
_ROWS += [
    Rule(f"{name} of 32 bits{kind}", f"{name}.q {more}r", f"{name}.l {more}r", _F, _UPPER, "r>32")
    for names, kind, more in (
        ("mov add sub and or xor imul", "", "s, "),
        ("add sub and or xor shl sal", " by a number", "$i, "),
        ("lea", "", "m, "),
        ("inc dec neg not", "", ""),
    )
    for name in names.split()
]

# Comparisons with a number that does not fit 8 bits, by one beside it that does.
_ROWS += [
    Rule(f"{use}{condition} of 128", f"cmp.wlq $128, r; {use}{condition} {more}",
         f"cmp.W $127, r; {use}{other} {more}", _F, "x < 128 is x <= 127")
    for condition, other in (("l", "le"), ("ge", "g"), ("b", "be"), ("ae", "a"))
    for use, more in (("j", "L"), ("set", "s"))
]  # fmt: skip

RULES: tuple[Rule, ...] = tuple(_ROWS)
