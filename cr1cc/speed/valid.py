"""Whether an object for a level of speed may replace the baseline."""

from __future__ import annotations

from cr1cc.donors import valid
from cr1cc.donors.clang_options import granted
from cr1cc.records import Plan
from cr1cc.speed.build import Choice
from cr1cc.validate import objects

# Functions of the C library that both compilers put for others: printf("x") is a putchar.
_HOSTED = frozenset(
    {"calloc", "fputc", "fwrite", "memchr", "putchar", "puts", "rawmemchr", "sincos", "sincosf",
     "stpcpy", "strchr", "strcpy", "strlen"}
)  # fmt: skip


def complaint(plan: Plan, family: str, choice: Choice, baseline: bytes, data: bytes) -> str:
    """Why an object that was made as `choice` says may not replace the user's own, "" if it may.

    `family` is that of the user's compiler.
    """
    foreign = any(build.family != family for build in choice.builds)
    always = granted(plan)
    needs = always | _HOSTED if always else always
    if foreign:
        return valid.foreign_complaint(baseline, data, needs)
    found = objects.complaint(baseline, data, needs, vague=plan.language == "c++")
    return found or valid.notes_complaint(baseline, data)
