"""What gcc is told to make an object for a command of clang: `donors/clang_options.py` turned
round. Only for C on x86-64, with the options that both compilers understand alike.
"""

from __future__ import annotations

import re

from cr1cc.donors.clang_options import alike
from cr1cc.records import GccToolchain, Plan

# What clang does unasked and gcc would not, and what gcc would assume and clang does not.
_ALIKE = ("-ffp-contract=off", "-fno-strict-aliasing", "-fasynchronous-unwind-tables")

# A clang with one of these predefined does unasked what gcc is not trusted to do alike.
_REFUSED = re.compile(rb"^#define (__CET__|__FMA__|__ILP32__|__SSP\w*__|_FORTIFY_SOURCE) ", re.M)
_STANDARD = b"#define __STDC_VERSION__ 201710L"
_POSITION = ("-fPIC", "-fPIE", "-fpic", "-fpie", "-fno-PIC", "-fno-PIE", "-fno-pic", "-fno-pie")

# glibc's headers declare for clang what gcc has by itself.
_SIZED_FLOAT = re.compile(
    rb"^typedef (?:float|double|long double|__float128) _Float\d+x?;$", re.MULTILINE
)


def gcc_options(plan: Plan, macros: bytes, gcc: GccToolchain) -> tuple[str, ...] | None:
    """What gcc is told for a command of clang besides level and language; None: no donor.

    `macros` is what clang predefines with the options of the plan (`-dM -E`).
    """
    ours = b"#define __x86_64__ 1" in macros and "__x86_64__" in gcc.defaults
    if plan.language != "c" or not ours or _REFUSED.search(macros):
        return None
    told = alike(plan.text)
    if told is None:
        return None
    options = list(_ALIKE)
    if not any(word.startswith(("-std=", "--std=", "-ansi")) for word in told):
        if _STANDARD not in macros:
            return None
        options.append("-std=gnu17")
    if not set(told) & set(_POSITION):
        by_itself = {b"__PIE__": "-fPIE", b"__PIC__": "-fPIC"}
        names = (option for name, option in by_itself.items() if b"#define %s " % name in macros)
        options.append(next(names, "-fno-pie"))
    return (*options, *told)


def for_gcc(text: bytes) -> bytes:
    """The same program in words that gcc accepts."""
    return _SIZED_FLOAT.sub(b"", text)
