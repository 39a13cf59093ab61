"""Make a decision for one source: build donors, validate, take the smallest object, or one of
functions from several if that is smaller.

Nothing here writes an object. When equal inputs would get another decision, `VERSION` is
raised.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from cr1cc import decide
from cr1cc.donors import valid
from cr1cc.donors.build import Build, RealGcc
from cr1cc.donors.table import APART, CLANG, Donor, donor_named, donor_of
from cr1cc.errors import AsmError, EvaluationError
from cr1cc.outcome import Outcome
from cr1cc.records import Answer, Decision, Turn
from cr1cc.util.elf import NotElfError, ObjectFile

VERSION = "3"
PROPOSER = "donors"

_WHOLE = "compiled from the same preprocessed source by {}"
_MIXED = "spliced from compilations of the same preprocessed source by {}"
_EVIDENCE = (
    "; smaller loadable bytes, same symbols, debug and unwind data measured on the emitted object"
)
_MAKERS = {
    (False, True): "the same compiler with other choices",
    (True, False): "clang",
    (True, True): "clang and the same compiler with other choices",
}


@dataclass(frozen=True)
class _Found:
    """A valid object: its base, and the functions that come from elsewhere. Of a whole build that
    could also have given functions, `more` are the options that this took."""

    base: Donor
    functions: Mapping[str, Donor]
    data: bytes
    more: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return ObjectFile(self.data).loadable_bytes()

    @property
    def donors(self) -> list[Donor]:
        return [self.base, *self.functions.values()]


def best_donor(
    compiler: RealGcc, text: bytes, baseline: bytes, donors: Sequence[Donor]
) -> tuple[Decision, bytes | None]:
    """The decision for a source and, if its object is to be replaced, the new one.

    `baseline` is the object of the user's own command. Of equally small objects the first
    one is taken, and only a strictly smaller one than the baseline counts.
    """
    try:
        before = ObjectFile(baseline)
        functions = before.function_sizes()
    except NotElfError:
        return Decision(Answer.NOTHING, Outcome.UNSUPPORTED_OBJECT), None
    limit = before.loadable_bytes()
    if not functions:
        return _nothing(Answer.NOTHING, Outcome.NO_CODE, limit), None
    major = compiler.toolchain.major
    builds, valid_ones, turns, refused = _built(compiler, text, baseline, donors)
    best = min(valid_ones, key=lambda found: found.size, default=None)
    if best is not None:
        plain = _plain(compiler, text, baseline, best)
        if plain is not None:
            turns = (*turns, Turn(Turn.MEASURED, plain.base.recipe(major), limit, plain.size))
        mixed = _mixed(compiler, baseline, builds, best)
        best = min((one for one in (plain, best, mixed) if one), key=lambda found: found.size)
    if best is None or best.size >= limit:
        if refused and not valid_ones:
            return _nothing(
                Answer.FAILED, Outcome.CANDIDATES_FAILED, limit, turns, evidence=refused
            ), None
        return _nothing(Answer.NOTHING, Outcome.NOTHING_BETTER, limit, turns), None
    tails = {name: donor.text(major) for name, donor in sorted(best.functions.items())}
    after = ObjectFile(best.data).function_sizes()
    return Decision(
        Answer.BETTER,
        Outcome.SMALLER,
        recipe=best.base.recipe(major, best.more),
        tails=tuple(tails.items()),
        proposer=PROPOSER,
        evaluations=len(turns),
        bytes_before=limit,
        bytes_after=best.size,
        evidence=_evidence(best),
        functions=decide.function_changes(functions, after, tails, dict.fromkeys(tails, "search")),
        trace=turns,
    ), best.data


def repeated(
    compiler: RealGcc, text: bytes, baseline: bytes, donors: Sequence[Donor], known: Decision
) -> bytes | None:
    """The object of a known better decision; None if it is not what the decision says, which
    then is not that of this text."""
    try:
        wanted = _rows(compiler, known)
        if not set(wanted.values()) <= set(donors):
            return None
        if known.tails or _is_apart(known):
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
        is_known = sizes == (known.bytes_before, known.bytes_after) and set(wanted) <= set(donors)
        return is_known and not _refused(compiler, wanted, baseline, data)
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
    return remix(base, texts, dict(known.tails), _granted(compiler))


def _is_apart(known: Decision) -> bool:
    """Whether a whole build is that of which functions could have been taken."""
    return any(known.recipe.options[-len(more) :] == more for more in APART.values())


def _rows(compiler: RealGcc, known: Decision) -> dict[str, Donor]:
    """The donors of a decision as it names them, the base first. Raises ValueError."""
    major = compiler.toolchain.major
    base = donor_of(known.recipe, major)
    named = {name: donor_named(name, major) for _, name in known.tails}
    return {base.text(major): base, **named}


def _built(
    compiler: RealGcc, text: bytes, baseline: bytes, donors: Sequence[Donor]
) -> tuple[dict[str, Build], list[_Found], tuple[Turn, ...], str]:
    """All builds by name, those whose objects are valid, the turns, and the last refusal."""
    builds, found, turns, refused = {}, [], [], ""
    major = compiler.toolchain.major
    limit = ObjectFile(baseline).loadable_bytes()
    for donor in donors:
        size: int | None = None
        more = _more(compiler, donor)
        try:
            build = compiler.build(donor, text)
            builds[donor.text(major)] = build
            refusal = _refused(compiler, [donor], baseline, build.data)
        except EvaluationError as error:
            refusal = str(error)
        if refusal:
            refused = refusal
        else:
            found.append(_Found(donor, {}, build.data, more))
            size = found[-1].size
        turns.append(Turn(Turn.MEASURED, donor.recipe(major, more), limit, size))
    return builds, found, tuple(turns), refused


def _more(compiler: RealGcc, donor: Donor) -> tuple[str, ...]:
    """The options that a build has for functions to be taken from it."""
    return APART[donor.family] if compiler.splices else ()


def _plain(compiler: RealGcc, text: bytes, baseline: bytes, best: _Found) -> _Found | None:
    """The best build without the options that only functions for others need, if it is valid."""
    if not best.more:
        return None
    try:
        found = replace(best, data=compiler.whole(best.base, text), more=())
        return None if _refused(compiler, [found.base], baseline, found.data) else found
    except (EvaluationError, NotElfError):
        return None


def _mixed(
    compiler: RealGcc, baseline: bytes, builds: Mapping[str, Build], best: _Found
) -> _Found | None:
    """The best build with functions of the others, if that is smaller and valid."""
    from cr1cc.donors.mix import mix  # of no use to a known decision

    if not compiler.splices:
        return None
    made = mix(best.base.text(compiler.toolchain.major), builds, _granted(compiler))
    if made is None:
        return None
    choice, assembly = made
    functions = {name: builds[build].donor for name, build in choice.items()}
    try:
        found = _Found(best.base, functions, compiler.assemble(assembly))
        refused = _refused(compiler, found.donors, baseline, found.data)
        return None if refused or found.size >= best.size else found
    except (EvaluationError, NotElfError):
        return None


def _granted(compiler: RealGcc) -> frozenset[str]:
    return compiler.clang.granted if compiler.clang is not None else frozenset()


def _refused(compiler: RealGcc, donors: Iterable[Donor], baseline: bytes, data: bytes) -> str:
    """Why an object of donors may not replace the baseline, "" if it may."""
    if compiler.clang is not None and any(donor.family == CLANG for donor in donors):
        return valid.foreign_complaint(baseline, data, compiler.clang.granted)
    return valid.complaint(baseline, data)


def _evidence(found: _Found) -> str:
    compilers = {donor.family for donor in found.donors}
    makers = _MAKERS[CLANG in compilers, bool(compilers - {CLANG})]
    return (_MIXED if found.functions else _WHOLE).format(makers) + _EVIDENCE


def _nothing(
    answer: Answer, outcome: Outcome, size: int, trace: tuple[Turn, ...] = (), evidence: str = ""
) -> Decision:
    return Decision(
        answer, outcome, proposer=PROPOSER, evaluations=len(trace), bytes_before=size,
        bytes_after=size, evidence=evidence, trace=trace,
    )  # fmt: skip
