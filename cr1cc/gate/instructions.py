"""The instructions that a body may have, in the names that capstone gives them (Intel's).

What is not in here is refused: privileged and system instructions, those that change how other
instructions work (direction flag, MXCSR, x87 and MMX state), atomic ones and fences, stores that
are ordered otherwise (movnt*), and all whose writes no operand shows (maskmovdqu, scatters).
"""

from __future__ import annotations

import re

CONDITIONS = (
    "o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g",
)  # fmt: skip

JUMPS = frozenset(f"j{condition}" for condition in CONDITIONS) | {"jrcxz", "jecxz"}

_INTEGER = frozenset(
    (
        "adc", "add", "and", "andn", "bextr", "blsi", "blsmsk", "blsr", "bsf", "bsr", "bswap",
        "bt", "btc", "btr", "bts", "bzhi", "call", "cbw", "cdq", "cdqe", "clc", "cmc", "cmp",
        "cqo", "cwd", "cwde", "dec", "div", "endbr64", "idiv", "imul", "inc", "jmp", "lea",
        "leave", "lzcnt", "mov", "movabs", "movbe", "movsx", "movsxd", "movzx", "mul", "mulx",
        "neg", "nop", "not", "or", "pdep", "pext", "pop", "popcnt", "push", "rcl", "rcr", "ret",
        "rol", "ror", "rorx", "sar", "sarx", "sbb", "shl", "shld", "shlx", "shr", "shrd",
        "shrx", "stc", "sub", "test", "tzcnt", "ud2", "xchg", "xor"
    )
)  # fmt: skip
STRINGS = frozenset(f"{name}{size}" for name in ("movs", "stos") for size in "bwdq")
_PREFIXED = frozenset(f"rep {name}" for name in STRINGS)

ALLOWED = (
    _INTEGER
    | JUMPS
    | frozenset(f"{kind}{condition}" for kind in ("cmov", "set") for condition in CONDITIONS)
    | STRINGS
    | _PREFIXED
    | {"rep ret", "repz ret", "bnd jmp", "bnd ret", "notrack jmp", "prefetcht0", "prefetchw"}
)

# Vector instructions are many; these are the ones that are no mere function of their operands.
VECTOR_GROUPS = frozenset(
    ("sse1", "sse2", "sse3", "ssse3", "sse41", "sse42", "avx", "avx2", "fma", "f16c", "fc16")
)
REFUSED_VECTOR = re.compile(
    r"v?maskmov.*|v?(ld|st)mxcsr|v?movnt.*|[lsm]fence|clflush.*|v?p?gather.*|v?p?scatter.*"
    r"|crc32|emms|pause|v?pmaskmov.*|monitor|mwait|vzeroall"
)

# What writes nothing though its first operand may be memory.
READERS = frozenset(
    ("bt", "call", "cmp", "div", "idiv", "imul", "jmp", "mul", "nop", "prefetcht0", "prefetchw",
     "push", "test", "comisd", "comiss", "ucomisd", "ucomiss", "vcomisd", "vcomiss", "vucomisd",
     "vucomiss", "ptest", "vptest", "bnd jmp", "notrack jmp")
)  # fmt: skip

# Why one is refused, for a person; the first row that fits.
REASONS = (
    (re.compile(r"std"), "sets the direction flag"),
    (re.compile(r"v?(ld|st)mxcsr"), "reads or changes MXCSR"),
    (re.compile(r"f\w+|emms"), "changes the state of the x87 unit"),
    (re.compile(r"syscall|sysenter|int\d?|int1|iretq?|sysret"), "calls the system"),
    (re.compile(r"lock .*|xadd|cmpxchg.*|[lsm]fence"), "is atomic, or orders memory"),
    (re.compile(r"in[bwld]?|out[bwld]?|hlt|cli|sti|rdmsr|wrmsr|invd|lgdt|lidt"), "is privileged"),
    (re.compile(r"cpuid|rdtscp?|rdrand|rdseed|xgetbv|rdpid"), "asks the machine"),
    (re.compile(r"pushfq?|popfq?"), "reads or changes all flags"),
)


def is_allowed(mnemonic: str, groups: frozenset[str]) -> bool:
    """Whether a body may have an instruction; `groups` are capstone's."""
    if mnemonic in ALLOWED:
        return True
    if any(pattern.fullmatch(mnemonic) for pattern, _ in REASONS):
        return False
    return bool(groups & VECTOR_GROUPS) and not REFUSED_VECTOR.fullmatch(mnemonic)


def why_refused(mnemonic: str) -> str:
    """The reason, as the end of a sentence."""
    for pattern, reason in REASONS:
        if pattern.fullmatch(mnemonic):
            return reason
    return "is not known to the gate"
