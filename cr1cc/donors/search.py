"""Make a decision for one source: build donors, validate, take the smallest.

Nothing here writes an object. When equal inputs would get another decision, `VERSION` is
raised.
"""

from __future__ import annotations

from collections.abc import Sequence

from cr1cc import decide
from cr1cc.donors import valid
from cr1cc.donors.build import RealGcc
from cr1cc.donors.table import CLANG, Donor
from cr1cc.errors import EvaluationError
from cr1cc.outcome import Outcome
from cr1cc.records import Answer, Decision, Turn
from cr1cc.util.elf import NotElfError, ObjectFile

VERSION = "1"
PROPOSER = "donors"

_EVIDENCE = (
    "compiled from the same preprocessed source by {}; smaller loadable bytes, same symbols, "
    "debug and unwind data measured on the emitted object"
)


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
    best: tuple[int, Donor, bytes] | None = None
    trace, refused, valid_ones = [], "", 0
    for donor in donors:
        size: int | None = None
        try:
            data = compiler.build(donor, text)
            refusal = refused_object(compiler, donor, baseline, data)
        except EvaluationError as error:
            refusal = str(error)
        if refusal:
            refused = refusal
        else:
            size, valid_ones = ObjectFile(data).loadable_bytes(), valid_ones + 1
            if size < (best[0] if best else limit):
                best = size, donor, data
        trace.append(Turn(Turn.MEASURED, donor.recipe(major), limit, size))
    turns = tuple(trace)
    if best is None:
        if refused and not valid_ones:
            return _nothing(
                Answer.FAILED, Outcome.CANDIDATES_FAILED, limit, turns, evidence=refused
            ), None
        return _nothing(Answer.NOTHING, Outcome.NOTHING_BETTER, limit, turns), None
    size, donor, data = best
    maker = "clang" if donor.compiler == CLANG else "the same compiler with other choices"
    return Decision(
        Answer.BETTER,
        Outcome.SMALLER,
        recipe=donor.recipe(major),
        proposer=PROPOSER,
        evaluations=len(turns),
        bytes_before=limit,
        bytes_after=size,
        evidence=_EVIDENCE.format(maker),
        functions=decide.function_changes(functions, ObjectFile(data).function_sizes(), {}, {}),
        trace=turns,
    ), data


def refused_object(compiler: RealGcc, donor: Donor, baseline: bytes, data: bytes) -> str:
    """Why a donor's object may not replace the baseline, "" if it may."""
    if donor.compiler == CLANG and compiler.clang is not None:
        return valid.foreign_complaint(baseline, data, compiler.clang.granted)
    return valid.complaint(baseline, data)


def _nothing(
    answer: Answer, outcome: Outcome, size: int, trace: tuple[Turn, ...] = (), evidence: str = ""
) -> Decision:
    return Decision(
        answer, outcome, proposer=PROPOSER, evaluations=len(trace), bytes_before=size,
        bytes_after=size, evidence=evidence, trace=trace,
    )  # fmt: skip
