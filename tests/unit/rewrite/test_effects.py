"""What is said of reads and writes, compared with capstone's tables.

Too many reads and too few writes do no harm; too few reads or too many writes would.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import pytest

from cr1cc.asm.statement import Machine, statements
from cr1cc.errors import GateError
from cr1cc.gate.body import assembled
from cr1cc.rewrite import stems
from cr1cc.rewrite.effects import UNKNOWN, effects
from cr1cc.rewrite.instruction import SUFFIXES, Instruction, parsed
from cr1cc.rewrite.places import ALL_FLAGS, FLAGS, REGISTERS, Register, flags
from cr1cc.util.elf import ObjectFile

capstone = pytest.importorskip("capstone")
x86 = pytest.importorskip("capstone.x86_const")


_REGISTERS = {1: "%cl", 2: "%cx", 4: "%ecx", 8: "%rcx"}
_OTHERS = {1: "%sil", 2: "%si", 4: "%esi", 8: "%rsi"}


def forms() -> list[str]:
    """Instructions of all rows, in registers and in memory."""
    found = list(stems.FIXED.keys() - {"jmp", "call", "jmpq", "callq", "retq", "leaveq"})
    for stem, row in stems.PLAIN.items():
        for width, suffix in SUFFIXES.items():
            register, other = _REGISTERS[width], _OTHERS[width]
            for count in row.forms:
                found += {
                    1: [f"{stem}{suffix} {register}", f"{stem}{suffix} 8(%rdi)"],
                    2: [f"{stem}{suffix} {one}, {two}" for one, two in (
                        (register, other), ("$5", other), ("$-1", other), ("$0", other),
                        ("8(%rdi,%rdx,2)", other), (register, "8(%rdi)"), (other, other),
                        ("%cl", other), ("$32", other), ("$5", "8(%rdi)"))],
                    3: [f"{stem}{suffix} $5, {register}, {other}",
                        f"{stem}{suffix} $5, 8(%rdi), {other}"],
                }[count]  # fmt: skip
    for stem, source in stems.WIDENING.items():
        for width in (2, 4, 8):
            found += [f"{stem}{SUFFIXES[width]} {one}, {_OTHERS[width]}"
                      for one in (_REGISTERS[source], "8(%rdi)")]  # fmt: skip
    for name in stems.CONDITIONAL:
        found += {"j": [f"{name} somewhere"], "s": [f"{name} %cl", f"{name} 8(%rdi)"],
                  "c": [f"{name} %ecx, %esi", f"{name} 8(%rdi), %rsi"]}[name[0]]  # fmt: skip
    found += ["movb %ah, %cl", "movb %cl, %ah", "addb %ch, %dl", "ucomisd %xmm1, %xmm2",
              "movd %ecx, %xmm3", "cvttsd2sil %xmm1, %ecx", "addsd 8(%rdi), %xmm1",
              "pxor %xmm1, %xmm1", "jmp *%rcx", "jmp *8(%rcx)"]  # fmt: skip
    return found


@cache
def known() -> list[tuple[Instruction, Any]]:
    """The forms that the assembler accepts, as we and as capstone read them."""
    decoder = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    decoder.detail = True
    accepted = []
    for text in sorted(set(forms())):
        line = f"\t{text}\n"
        try:
            data = assembled(line, os.environ)
        except GateError:  # there is no such form
            continue
        code = next(one for one in ObjectFile(data).sections if one.kind == "code")
        instruction = parsed(next(iter(statements(line, Machine.X86_64))))
        decoded = next(decoder.disasm(data[code.offset : code.offset + code.size], 0))
        accepted.append((instruction, decoded))
    return accepted


def registers(decoded: Any, numbers: list[int]) -> list[Register]:
    names = map(decoded.reg_name, numbers)
    return [REGISTERS[name] for name in names if name in REGISTERS]


def flags_that(decoded: Any, *actions: str) -> int:
    bits = {
        name: getattr(x86, f"X86_EFLAGS_{action}_{name.upper()}", 0)
        for action in actions
        for name in FLAGS
        if decoded.eflags & getattr(x86, f"X86_EFLAGS_{action}_{name.upper()}", 0)
    }
    return flags(*bits)


def test_all_that_is_read_is_said() -> None:
    for ours, theirs in known():
        said = effects(ours)
        wanted = flags_that(theirs, "TEST")
        for register in registers(theirs, theirs.regs_access()[0]):
            wanted |= register.read
        if is_same_for_all(ours):
            wanted &= ~said.kills
        assert not wanted & ~said.reads, ours.text


def is_same_for_all(one: Instruction) -> bool:
    """Whether it gives the same from any operand, so that it does not read it."""
    source, *rest = one.operands or ("",)
    return (one.stem, str(source)) in (("or", "$-1"), ("and", "$0")) or (
        one.stem in ("xor", "sub") and rest == [source]
    )


def test_nothing_is_called_written_that_is_not() -> None:
    for ours, theirs in known():
        written = flags_that(theirs, "MODIFY", "RESET", "SET", "UNDEFINED")
        if ours.stem == "test":  # capstone 5 has no flags for it with memory
            written = ALL_FLAGS
        for register in registers(theirs, theirs.regs_access()[1]):
            written |= register.written
        assert not effects(ours).kills & ~written, ours.text


def test_every_row_is_compared() -> None:
    stems_ = {ours.stem for ours, _ in known() if effects(ours) != UNKNOWN}
    assert stems.PLAIN.keys() | stems.WIDENING.keys() | stems.CONDITIONAL.keys() <= stems_


def test_what_is_not_known_reads_everything() -> None:
    for text in ("cpuid", "rep stosq", "lock addl $1, (%rdi)", "vpaddd %ymm0, %ymm1, %ymm2"):
        statement = next(iter(statements(f"\t{text}\n", Machine.X86_64)))
        assert effects(parsed(statement)) == UNKNOWN
