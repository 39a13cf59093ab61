"""What a decision becomes whose object got shorter windows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from cr1cc import decide
from cr1cc.outcome import Outcome
from cr1cc.records import Answer, Decision, Rewritten
from cr1cc.util.elf import ObjectFile

# Decisions of these outcomes have an object whose windows are worth a look.
WORTH = (Outcome.SMALLER, Outcome.NOTHING_BETTER, Outcome.CANDIDATES_FAILED)
NOT_TAKEN = "the object is no smaller, or not valid"

_EVIDENCE = "; then {} places of its assembly made shorter, {}"
_OWN_EVIDENCE = (
    "the assembly of your own command{}; smaller loadable bytes, same symbols and unwind data "
    "measured on the emitted object"
)


def decided(
    decision: Decision, record: Rewritten, before: Mapping[str, int], after: ObjectFile
) -> Decision:
    """The decision for the object `after`; `before` are the bytes of the baseline's functions."""
    how = f"{record.tested} of them tested, all others proved" if record.tested else "each proved"
    said = _EVIDENCE.format(record.windows, how)
    is_own = decision.answer is not Answer.BETTER
    return replace(
        decision,
        answer=Answer.BETTER,
        outcome=Outcome.SMALLER,
        bytes_after=after.loadable_bytes(),
        evidence=_OWN_EVIDENCE.format(said) if is_own else decision.evidence + said,
        functions=decide.function_changes(
            before,
            after.function_sizes(),
            dict(decision.tails),
            {one.name: one.origin for one in decision.functions if one.tail},
        ),
        rewritten=record,
    )
