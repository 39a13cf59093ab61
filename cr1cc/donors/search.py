"""Make a decision for one source: build donors, validate, take the smallest object, or one of
functions from several if that is smaller.

Nothing here writes an object. When equal inputs would get another decision, `VERSION` is
raised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from cr1cc import decide
from cr1cc.donors.build import Build, RealGcc
from cr1cc.donors.known import complaint, granted
from cr1cc.donors.table import APART, CLANG, Donor
from cr1cc.errors import EvaluationError
from cr1cc.outcome import Outcome
from cr1cc.records import Answer, Decision, Turn
from cr1cc.util.elf import NotElfError, ObjectFile

VERSION = "4"
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


class Best(NamedTuple):
    """A decision. If it is to replace the baseline, `data` is its object, and `assembly` what
    that was made of, b"" where it was not made by way of assembly."""

    decision: Decision
    data: bytes | None = None
    assembly: bytes = b""


@dataclass(frozen=True)
class _Found:
    """A valid object: its base, and the functions that come from elsewhere. Of a whole build that
    could also have given functions, `more` are the options that this took."""

    base: Donor
    functions: Mapping[str, Donor]
    data: bytes
    assembly: bytes
    more: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return ObjectFile(self.data).loadable_bytes()

    @property
    def donors(self) -> list[Donor]:
        return [self.base, *self.functions.values()]


def best_donor(compiler: RealGcc, text: bytes, baseline: bytes, donors: Sequence[Donor]) -> Best:
    """The decision for a source and, if its object is to be replaced, the new one.

    `baseline` is the object of the user's own command. Of equally small objects the first
    one is taken, and only a strictly smaller one than the baseline counts.
    """
    try:
        before = ObjectFile(baseline)
        functions = before.function_sizes()
    except NotElfError:
        return Best(Decision(Answer.NOTHING, Outcome.UNSUPPORTED_OBJECT))
    limit = before.loadable_bytes()
    if not functions:
        return Best(_nothing(Answer.NOTHING, Outcome.NO_CODE, limit))
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
            failed = Outcome.CANDIDATES_FAILED
            return Best(_nothing(Answer.FAILED, failed, limit, turns, evidence=refused))
        return Best(_nothing(Answer.NOTHING, Outcome.NOTHING_BETTER, limit, turns))
    tails = {name: donor.text(major) for name, donor in sorted(best.functions.items())}
    after = ObjectFile(best.data).function_sizes()
    decision = Decision(
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
    )
    return Best(decision, best.data, best.assembly)


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
            refusal = complaint(compiler, [donor], baseline, build.data)
        except EvaluationError as error:
            refusal = str(error)
        if refusal:
            refused = refusal
        else:
            found.append(_Found(donor, {}, build.data, build.assembly, more))
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
        assembly = compiler.assembly(best.base, text, apart=False)
        data = compiler.assemble(assembly)
        found = replace(best, data=data, assembly=assembly, more=())
        return None if complaint(compiler, [found.base], baseline, found.data) else found
    except (EvaluationError, NotElfError):
        return None


def _mixed(
    compiler: RealGcc, baseline: bytes, builds: Mapping[str, Build], best: _Found
) -> _Found | None:
    """The best build with functions of the others, if that is smaller and valid."""
    from cr1cc.donors.mix import mix  # of no use to a known decision

    if not compiler.splices:
        return None
    made = mix(best.base.text(compiler.toolchain.major), builds, granted(compiler))
    if made is None:
        return None
    choice, assembly = made
    functions = {name: builds[build].donor for name, build in choice.items()}
    try:
        found = _Found(best.base, functions, compiler.assemble(assembly), assembly)
        refused = complaint(compiler, found.donors, baseline, found.data)
        return None if refused or found.size >= best.size else found
    except (EvaluationError, NotElfError):
        return None


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
