"""Instruction sets beyond the user's own, which only the user can allow."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence

NATIVE = "native"
NAMES = ("x86-64-v2", "x86-64-v3", "x86-64-v4", NATIVE)

# Options after which floating point is rounded as the user's own command lets it be.
_DECIDES_ROUNDING = ("-march=", "-mfma", "-ffp-contract=", "-ffast-math")


def isa_options(isa: str, user: Sequence[str]) -> tuple[str, ...]:
    """What both compilers are told for an instruction set, "" for the user's own.

    With fused multiply-add a compiler could round a sum of products once instead of twice,
    and a program would print other figures than before: that is switched off.
    """
    if not isa:
        return ()
    rounding = any(word.startswith(_DECIDES_ROUNDING) for word in user)
    return (f"-march={name_of(isa)}", *(() if rounding else ("-ffp-contract=off",)))


def name_of(isa: str) -> str:
    """The name in what a lockfile says of an instruction set."""
    return isa.partition(":")[0]


def written(name: str) -> str:
    """How a lockfile says it: `native` is what it is on this machine only."""
    return f"{name}:{processor()}" if name == NATIVE else name


def problem(isa: str, triple: str) -> str:
    """Why a decision with this instruction set does not hold here, "" if it does."""
    if not isa:
        return ""
    name = name_of(isa)
    if name not in NAMES:
        return f"there is no instruction set {name}"
    if not triple.startswith("x86_64"):
        return f"{name} is no instruction set of {triple}"
    if written(name) != isa:
        return "native was another processor"
    return ""


def processor() -> str:
    """What `native` stands for here, hexadecimal: all that the kernel says about the first one."""
    try:
        with open("/proc/cpuinfo", "rb") as file:
            told = file.read().partition(b"\n\n")[0]
    except OSError:
        told = os.urandom(16)
    lines = [line for line in told.splitlines() if b"MHz" not in line]
    return hashlib.blake2b(b"\n".join(lines), digest_size=8).hexdigest()
