"""The instructions whose reads and writes are known: a row for each stem.

A row says of the operands whether they are read ("r"), written ("w") or both ("m"), in the order
of the text; which flags are read and which get a new value, an undefined one too; and which
registers are read and written besides the operands. All others read and keep everything.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from cr1cc.rewrite.places import ALL_FLAGS, flags, whole

RAX, RCX, RDX, RSP, RBP = (whole(number) for number in (0, 1, 2, 4, 5))

CONDITIONS = {
    "o": ("of",), "no": ("of",), "b": ("cf",), "ae": ("cf",), "c": ("cf",), "nc": ("cf",),
    "nae": ("cf",), "nb": ("cf",), "e": ("zf",), "ne": ("zf",), "z": ("zf",), "nz": ("zf",),
    "be": ("cf", "zf"), "a": ("cf", "zf"), "na": ("cf", "zf"), "nbe": ("cf", "zf"),
    "s": ("sf",), "ns": ("sf",), "p": ("pf",), "np": ("pf",), "l": ("sf", "of"),
    "ge": ("sf", "of"), "nge": ("sf", "of"), "nl": ("sf", "of"), "le": ("zf", "sf", "of"),
    "g": ("zf", "sf", "of"), "ng": ("zf", "sf", "of"), "nle": ("zf", "sf", "of"),
}  # fmt: skip


class Row(NamedTuple):
    """`forms`: the use of operands, by their number. `reads`, `kills`: places besides them."""

    forms: dict[int, str]
    reads: int = 0
    kills: int = 0


_NO_CARRY = flags("pf", "af", "zf", "sf", "of")
_CARRY = flags("cf")

# Their mnemonic ends in the width.
PLAIN: dict[str, Row] = {
    "mov": Row({2: "rw"}),
    "movabs": Row({2: "rw"}),
    "lea": Row({2: "aw"}),
    "add": Row({2: "rm"}, 0, ALL_FLAGS),
    "sub": Row({2: "rm"}, 0, ALL_FLAGS),
    "and": Row({2: "rm"}, 0, ALL_FLAGS),
    "or": Row({2: "rm"}, 0, ALL_FLAGS),
    "xor": Row({2: "rm"}, 0, ALL_FLAGS),
    "adc": Row({2: "rm"}, _CARRY, ALL_FLAGS),
    "sbb": Row({2: "rm"}, _CARRY, ALL_FLAGS),
    "cmp": Row({2: "rr"}, 0, ALL_FLAGS),
    "test": Row({2: "rr"}, 0, ALL_FLAGS),
    "inc": Row({1: "m"}, 0, _NO_CARRY),
    "dec": Row({1: "m"}, 0, _NO_CARRY),
    "neg": Row({1: "m"}, 0, ALL_FLAGS),
    "not": Row({1: "m"}),
    # By a count of 0 flags stay as they are: `effects.py` looks at the count.
    "shl": Row({1: "m", 2: "rm"}, 0, ALL_FLAGS),
    "sal": Row({1: "m", 2: "rm"}, 0, ALL_FLAGS),
    "shr": Row({1: "m", 2: "rm"}, 0, ALL_FLAGS),
    "sar": Row({1: "m", 2: "rm"}, 0, ALL_FLAGS),
    "imul": Row({2: "rm", 3: "rrw"}, 0, ALL_FLAGS),
    "bt": Row({2: "rr"}, 0, _CARRY),
    "bswap": Row({1: "m"}),
    "xchg": Row({2: "mm"}),
    "push": Row({1: "r"}, RSP, 0),
    "pop": Row({1: "w"}, RSP, 0),
}

SHIFTS = frozenset(("shl", "sal", "shr", "sar"))

# From a narrower operand, whose width the stem says.
WIDENING: dict[str, int] = {"movzb": 1, "movsb": 1, "movzw": 2, "movsw": 2, "movsl": 4}

# No part of the mnemonic is a width of operands. (stem, width)
FIXED: dict[str, tuple[str, int]] = {
    name: (name, 0)
    for name in ("cltq", "cwtl", "cwtd", "cltd", "cqto", "leave", "nop", "ret", "jmp", "call",
                 "ud2", "endbr64", "hlt")
}  # fmt: skip
FIXED |= {"retq": ("ret", 0), "callq": ("call", 0), "jmpq": ("jmp", 0), "cdq": ("cltd", 0),
          "cqo": ("cqto", 0), "cdqe": ("cltq", 0), "leaveq": ("leave", 0)}  # fmt: skip

IMPLICIT: dict[str, Row] = {
    "cltq": Row({}, RAX, RAX),
    "cwtl": Row({}, RAX, RAX),
    "cltd": Row({}, RAX, RDX),
    "cqto": Row({}, RAX, RDX),
    "leave": Row({}, RBP | RSP, RBP | RSP),
    "nop": Row({}),
    "endbr64": Row({}),
    "jmp": Row({}),
}

CONDITIONAL: dict[str, Row] = {}
for _condition, _read in CONDITIONS.items():
    CONDITIONAL[f"j{_condition}"] = Row({}, flags(*_read))
    CONDITIONAL[f"set{_condition}"] = Row({1: "w"}, flags(*_read))
    CONDITIONAL[f"cmov{_condition}"] = Row({2: "rm"}, flags(*_read))

# Vector instructions that read no more than their operands and no flags. What they write is not
# followed, but that comparisons write all flags.
VECTOR_STEM = re.compile(
    r"mov(aps|apd|ups|upd|dqa|dqu|ss|sd|d|q|hlps|lhps|hps|lps|hpd|lpd|mskps|mskpd)"
    r"|(add|sub|mul|div|min|max|sqrt)[sp][sd]|u?comis[sd]|(and|andn|or|xor)p[sd]"
    r"|cvtt?(s[sd]2si|s[sd]2s[sd]|si2s[sd]|p[sd]2dq|p[sd]2p[sd]|dq2p[sd])[lq]?"
    r"|p(and|andn|or|xor)|p(add|sub)[bwdq]|pcmp(eq|gt)[bwd]|p?unpck[lh](ps|pd|bw|wd|dq|qdq)"
    r"|pshuf(d|lw|hw)|ps(ll|rl|ra)(w|d|q|dq)|pmul(udq|lw|hw)|shufp[sd]"
)
