"""Instruction sets beyond the user's own, which only the user can allow."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence

NATIVE = "native"
NAMES = ("x86-64-v2", "x86-64-v3", "x86-64-v4", NATIVE)

# The levels among them, in rising order: all processors of a level have what it names.
LEVELS = ("x86-64", *NAMES[:-1])

# Options of the user that say which indirect jumps may be, or what addresses look like. A function
# with two bodies needs a jump of its own.
_NO_INDIRECT_JUMPS = ("-mcmodel=large", "-mcmodel=medium", "-mharden-sls", "-mindirect-branch",
                      "-mretpoline", "-mx32", "-m32", "-m16")  # fmt: skip

# What of a program depends on the instruction set beyond its code. A vector of 32 bytes is passed
# in another place with AVX; `aligned` without a number means 16 bytes, or 32 with AVX.
_VECTORS = re.compile(
    rb"\b(?:(?:__)?(?:ext_)?vector_size(?:__)?|ext_vector_type|__m(?:256|512)\w*)\b"
)
_ALIGNED = re.compile(rb"\baligned(?:__)?\s*[),]")
_LINEMARKER = re.compile(rb'^# \d+ "(?:[^"\\]|\\.)*"((?: \d)*)$', re.MULTILINE)

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


def refusal(text: bytes) -> str:
    """Why preprocessed text may not be compiled for another instruction set than that of what
    it is linked with, "" if it may."""
    if _ALIGNED.search(text):
        return "it has the attribute aligned without a number"
    at, system = 0, False
    for marker in (*_LINEMARKER.finditer(text), None):
        end = marker.start() if marker else len(text)
        if not system and (found := _VECTORS.search(text, at, end)):
            return f"it has {found[0].decode()}"
        if marker:
            at, system = end, b"3" in marker[1]
    return ""


def ifunc_problem(isa: str, user: Sequence[str]) -> str:
    """Why functions of a command with the options `user` may not have a second body for an
    instruction set, "" if they may."""
    name = name_of(isa)
    if name not in LEVELS:
        return f"a loader cannot ask for {name or 'nothing'}"
    own = [word.removeprefix("-march=") for word in user if word.startswith("-march=")]
    if own and own[-1] not in LEVELS:
        return f"the command has -march={own[-1]}"
    if own and LEVELS.index(own[-1]) >= LEVELS.index(name):
        return f"the command's own -march={own[-1]} is no less than {name}"
    told = [word for word in user if word.startswith(_NO_INDIRECT_JUMPS)]
    return f"the command has {told[0]}" if told else ""


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
