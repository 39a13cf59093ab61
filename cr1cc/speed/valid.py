"""Whether an object for a level of speed may replace the baseline."""

from __future__ import annotations

from cr1cc.donors import valid
from cr1cc.donors.clang_options import granted
from cr1cc.records import Plan
from cr1cc.speed.build import Choice, Made
from cr1cc.util.elf import ELFOSABI_GNU, STB_LOCAL, STT_GNU_IFUNC, NotElfError, ObjectFile
from cr1cc.validate import objects

# Functions of the C library that both compilers put for others: printf("x") is a putchar.
_HOSTED = frozenset(
    {"calloc", "fputc", "fwrite", "memchr", "putchar", "puts", "rawmemchr", "sincos", "sincosf",
     "stpcpy", "strchr", "strcpy", "strlen"}
)  # fmt: skip


_OSABI = 7  # where in an ELF file it is said (gABI, EI_OSABI)


def complaint(plan: Plan, family: str, choice: Choice, baseline: bytes, made: Made) -> str:
    """Why an object that was made as `choice` says may not replace the user's own, "" if it may.

    `family` is that of the user's compiler.
    """
    data = made.data
    foreign = any(build.family != family for build in choice.builds)
    always = granted(plan)
    needs = always | _HOSTED if always else always
    if choice.ifunc:
        needs |= valid.OF_LINKERS  # the pointer to the picked body lies in that table
        picked = {name for name, _ in choice.ifunc} - made.refused.keys()
        if found := _ifunc_complaint(picked, baseline, data):
            return found
        data = data[:_OSABI] + baseline[_OSABI : _OSABI + 1] + data[_OSABI + 1 :]
    if foreign:
        return valid.foreign_complaint(baseline, data, needs)
    found = objects.complaint(baseline, data, needs, vague=plan.language == "c++")
    return found or valid.notes_complaint(baseline, data)


def _ifunc_complaint(picked: set[str], baseline: bytes, data: bytes) -> str:
    """ "" if an object has an indirect function for each of the picked ones and no other one that
    the baseline has not. All are local: what other objects see is as it was, but that the
    assembler says of the whole object that it needs a GNU system (gABI, EI_OSABI)."""
    from cr1cc.asm.ifunc import PICKED  # most decisions have none

    try:
        before, after = _indirect(baseline), _indirect(data)
    except NotElfError as error:
        return str(error)
    if data[_OSABI] not in (baseline[_OSABI], ELFOSABI_GNU):
        return "the object is for another machine or ABI"
    added = after - before
    if before - after or added != {(name + PICKED, STB_LOCAL) for name in picked}:
        return "the indirect functions are not those that were decided"
    return ""


def _indirect(data: bytes) -> set[tuple[str, int]]:
    symbols = ObjectFile(data).symbols()
    return {(one.name, one.binding) for one in symbols if one.type == STT_GNU_IFUNC}
