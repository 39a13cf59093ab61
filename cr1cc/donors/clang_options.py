"""What of a command line of gcc clang is told, and which commands it makes no object for.

Only for x86-64 and C: there both compilers follow one psABI and one set of extensions,
which distributions rely on whenever they link objects of both. An option without a row
means: no donor by clang. So does every option that asks for a defence (stack protector,
control flow, clash protection, zeroed registers), for floating point other than IEEE 754,
or for another instruction set, since the two compilers need not mean the same by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from cr1cc.records import GccToolchain, Plan


class Told(Enum):
    """What becomes of an option of gcc."""

    SAME = "clang means the same by it"
    LEFT_OUT = "it says nothing to clang that changes what the object does"


# By the beginning of the option; the longest one decides. `=`, `-` at the end: any value.
OPTIONS: tuple[tuple[str, Told], ...] = (
    ("--std=", Told.SAME),
    ("-Wa,--noexecstack", Told.SAME),
    ("-ansi", Told.SAME),
    ("-fPIC", Told.SAME),
    ("-fPIE", Told.SAME),
    ("-fasynchronous-unwind-tables", Told.SAME),
    ("-fbuiltin", Told.SAME),
    ("-fcommon", Told.SAME),
    ("-fdata-sections", Told.SAME),
    ("-fdebug-prefix-map=", Told.SAME),
    ("-fexceptions", Told.SAME),
    ("-ffile-prefix-map=", Told.SAME),
    ("-ffreestanding", Told.SAME),
    ("-ffunction-sections", Told.SAME),
    ("-fgnu89-inline", Told.SAME),
    ("-fhosted", Told.SAME),
    ("-fident", Told.LEFT_OUT),
    ("-finline", Told.SAME),
    ("-finline-functions", Told.SAME),
    ("-fjump-tables", Told.SAME),
    ("-fmacro-prefix-map=", Told.SAME),
    ("-fmerge-constants", Told.LEFT_OUT),
    ("-fno-PIC", Told.SAME),
    ("-fno-PIE", Told.SAME),
    ("-fno-asynchronous-unwind-tables", Told.SAME),
    ("-fno-builtin", Told.SAME),
    ("-fno-builtin-", Told.SAME),
    ("-fno-common", Told.SAME),
    ("-fno-data-sections", Told.SAME),
    ("-fno-delete-null-pointer-checks", Told.SAME),
    ("-fno-exceptions", Told.SAME),
    ("-fno-function-sections", Told.SAME),
    ("-fno-ident", Told.LEFT_OUT),
    ("-fno-inline", Told.SAME),
    ("-fno-inline-functions", Told.SAME),
    ("-fno-jump-tables", Told.SAME),
    ("-fno-omit-frame-pointer", Told.SAME),
    ("-fno-optimize-sibling-calls", Told.SAME),
    ("-fno-pic", Told.SAME),
    ("-fno-pie", Told.SAME),
    ("-fno-semantic-interposition", Told.SAME),
    ("-fno-stack-protector", Told.SAME),
    ("-fno-strict-aliasing", Told.SAME),
    ("-fno-strict-overflow", Told.SAME),
    ("-fno-unwind-tables", Told.SAME),
    ("-fno-verbose-asm", Told.LEFT_OUT),
    ("-fomit-frame-pointer", Told.SAME),
    ("-fpic", Told.SAME),
    ("-fpie", Told.SAME),
    ("-fsemantic-interposition", Told.SAME),
    ("-fsigned-char", Told.SAME),
    ("-fstrict-aliasing", Told.LEFT_OUT),
    ("-ftls-model=", Told.SAME),
    ("-funsigned-char", Told.SAME),
    ("-funwind-tables", Told.SAME),
    ("-fvisibility=", Told.SAME),
    ("-fwrapv", Told.SAME),
    ("-g", Told.SAME),
    ("-g0", Told.SAME),
    ("-g1", Told.SAME),
    ("-g2", Told.SAME),
    ("-gdwarf-4", Told.SAME),
    ("-gdwarf-5", Told.SAME),
    ("-ggdb", Told.SAME),
    ("-m64", Told.SAME),
    ("-march=x86-64", Told.SAME),
    ("-mtune=", Told.LEFT_OUT),
    ("-pthread", Told.SAME),
    ("-std=", Told.SAME),
)

_BY_SPELLING = dict(OPTIONS)
_OPEN = tuple(spelling for spelling, _ in OPTIONS if spelling.endswith(("=", "-")))

# What a gcc with one of these predefined does unasked, clang is not trusted to do alike.
_REFUSED_DEFAULTS = frozenset(
    {"_FORTIFY_SOURCE", "__CET__", "__FMA__", "__ILP32__",
     "__SSP_ALL__", "__SSP_EXPLICIT__", "__SSP_STRONG__", "__SSP__"}
)  # fmt: skip

_POSITION = ("-fPIC", "-fPIE", "-fpic", "-fpie", "-fno-PIC", "-fno-PIE", "-fno-pic", "-fno-pie")
_UNWINDING = ("-fasynchronous-unwind-tables", "-fno-asynchronous-unwind-tables")

# What gcc does unasked and clang would not, and what clang would assume and gcc does not.
_ALIKE = (
    "-ffp-contract=off",
    "-fno-builtin-bcmp",  # which clang calls for memcmp; not every C library has it
    "-fno-builtin-fprintf",  # the same of fwrite
    "-fno-builtin-fputs",
    "-fno-finite-loops",
    "-fno-strict-aliasing",
    "-fsemantic-interposition",
)

# Options by which a program says that it has no C library.
_UNHOSTED = ("-ffreestanding", "-fno-builtin", "-fno-hosted")

# What both compilers may call in every environment (GCC's manual, "Language Standards
# Supported by GCC"; clang relies on the same).
_ALWAYS_THERE = frozenset({"memcmp", "memcpy", "memmove", "memset"})


def clang_options(plan: Plan, toolchain: GccToolchain) -> tuple[str, ...] | None:
    """What clang is told for a command of gcc besides level and language; None: no donor."""
    defaults = set(toolchain.defaults)
    if plan.language != "c" or "__x86_64__" not in defaults or defaults & _REFUSED_DEFAULTS:
        return None
    told = alike(plan.codegen)
    if told is None:
        return None
    return (f"--target={toolchain.triple}", *_ALIKE, *_unasked(plan.codegen, defaults), *told)


def alike(words: Sequence[str]) -> list[str] | None:
    """Those of the options that the other compiler is told; None if one of them has no row."""
    rows = [_row(word) for word in words]
    if None in rows:
        return None
    return [word for word, row in zip(words, rows, strict=True) if row is Told.SAME]


def granted(plan: Plan) -> frozenset[str]:
    """The functions that an object may need although the baseline does not."""
    if any(word.startswith(_UNHOSTED) for word in plan.codegen):
        return frozenset()
    return _ALWAYS_THERE


def _row(word: str) -> Told | None:
    if word in _BY_SPELLING:
        return _BY_SPELLING[word]
    beginnings = [spelling for spelling in _OPEN if word.startswith(spelling)]
    return _BY_SPELLING[max(beginnings, key=len)] if beginnings else None


def _unasked(words: Sequence[str], defaults: set[str]) -> list[str]:
    """What the gcc at hand does by itself, said out loud."""
    options = []
    if not any(word.startswith(("-std=", "--std=", "-ansi")) for word in words):
        options.append("-std=gnu17")  # of gcc 11 to 14
    said = [word for word in words if word in _POSITION]
    if not said:
        position = {"__PIE__": "-fPIE", "__PIC__": "-fPIC"}
        options.append(next((o for m, o in position.items() if m in defaults), "-fno-pic"))
    if (said or options)[-1] in ("-fPIE", "-fpie"):
        options.append("-fdirect-access-external-data")  # as gcc on x86-64: no detour by the GOT
    if not set(words) & set(_UNWINDING):
        options.append("-fasynchronous-unwind-tables")
    return options
