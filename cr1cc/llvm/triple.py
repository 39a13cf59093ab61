"""LLVM's names of targets; nothing here needs libLLVM."""

from __future__ import annotations

# The architecture of a triple (its first component, by prefix) and LLVM's name for the target.
_TARGETS: tuple[tuple[str, str], ...] = (
    ("aarch64", "AArch64"),
    ("arm64", "AArch64"),
    ("arm", "ARM"),
    ("avr", "AVR"),
    ("hexagon", "Hexagon"),
    ("i386", "X86"),
    ("i486", "X86"),
    ("i586", "X86"),
    ("i686", "X86"),
    ("loongarch", "LoongArch"),
    ("mips", "Mips"),
    ("msp430", "MSP430"),
    ("powerpc", "PowerPC"),
    ("ppc", "PowerPC"),
    ("riscv", "RISCV"),
    ("s390x", "SystemZ"),
    ("sparc", "Sparc"),
    ("thumb", "ARM"),
    ("x86_64", "X86"),
    ("xtensa", "Xtensa"),
)


def target_name(triple: str) -> str | None:
    """LLVM's name of the target for a triple, None if it is not in the table."""
    architecture = triple.split("-", 1)[0]
    return next((name for prefix, name in _TARGETS if architecture.startswith(prefix)), None)
