"""What a decision that is known says of a source: its donors built again, and checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from cr1cc.donors import valid
from cr1cc.donors.build import RealGcc
from cr1cc.donors.table import APART, CLANG, OWN, Donor, donor_named, donor_of
from cr1cc.errors import AsmError, EvaluationError
from cr1cc.records import Decision
from cr1cc.util.elf import NotElfError, ObjectFile


def repeated(
    compiler: RealGcc,
    text: bytes,
    baseline: bytes,
    donors: Sequence[Donor],
    known: Decision,
    finish: Callable[[bytes], bytes] | None = None,
) -> bytes | None:
    """The object of a known better decision; None if it is not what the decision says, which
    then is not that of this text. `finish`: what is done to its assembly."""
    try:
        wanted = _rows(compiler, known)
        if not set(wanted.values()) <= {*donors, OWN[compiler.plan.size_level]}:
            return None
        if finish is not None:
            data = compiler.assemble(finish(assembly_of(compiler, text, known)))
        elif known.tails or _is_apart(known):
            data = compiler.assemble(assembly_of(compiler, text, known))
        else:
            data = compiler.whole(next(iter(wanted.values())), text)
    except (AsmError, EvaluationError, ValueError):
        return None
    return data if checked(compiler, baseline, donors, known, data) else None


def checked(
    compiler: RealGcc, baseline: bytes, donors: Sequence[Donor], known: Decision, data: bytes
) -> bool:
    """Whether an object is what a better decision says, and may replace the baseline."""
    try:
        wanted = _rows(compiler, known).values()
        sizes = ObjectFile(baseline).loadable_bytes(), ObjectFile(data).loadable_bytes()
        is_known = sizes == (known.bytes_before, known.bytes_after)
        is_known = is_known and set(wanted) <= {*donors, OWN[compiler.plan.size_level]}
        return is_known and not complaint(compiler, wanted, baseline, data)
    except (NotElfError, ValueError):
        return False


def assembly_of(compiler: RealGcc, text: bytes, known: Decision) -> bytes:
    """The assembly of what a better decision says. Raises EvaluationError, AsmError, ValueError."""
    from cr1cc.donors.mix import remix

    rows = _rows(compiler, known)
    base, donor = next(iter(rows.items()))
    if not known.tails:
        return compiler.assembly(donor, text, apart=_is_apart(known))
    texts = {name: compiler.assembly(one, text) for name, one in rows.items()}
    return remix(base, texts, dict(known.tails), granted(compiler))


def _is_apart(known: Decision) -> bool:
    """Whether a whole build is that of which functions could have been taken."""
    return any(known.recipe.options[-len(more) :] == more for more in APART.values())


def _rows(compiler: RealGcc, known: Decision) -> dict[str, Donor]:
    """The donors of a decision as it names them, the base first. Raises ValueError."""
    major = compiler.toolchain.major
    base = donor_of(known.recipe, major)
    named = {name: donor_named(name, major) for _, name in known.tails}
    return {base.text(major): base, **named}


def complaint_of(compiler: RealGcc, known: Decision, baseline: bytes, data: bytes) -> str:
    """Why an object of the donors of a decision may not replace the baseline, "" if it may.
    Raises ValueError, NotElfError."""
    return complaint(compiler, _rows(compiler, known).values(), baseline, data)


def granted(compiler: RealGcc) -> frozenset[str]:
    """Functions that objects by the clang of a command may need anew."""
    return compiler.clang.granted if compiler.clang is not None else frozenset()


def complaint(compiler: RealGcc, donors: Iterable[Donor], baseline: bytes, data: bytes) -> str:
    """Why an object of donors may not replace the baseline, "" if it may."""
    if compiler.clang is not None and any(donor.family == CLANG for donor in donors):
        return valid.foreign_complaint(baseline, data, compiler.clang.granted)
    return valid.complaint(baseline, data)
