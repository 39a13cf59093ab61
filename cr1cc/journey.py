"""How the journey of one compile ends, whichever compiler makes it."""

from __future__ import annotations

from dataclasses import dataclass

from cr1cc.outcome import Outcome
from cr1cc.records import Decision, Rewritten


class Fallback(Exception):  # noqa: N818 - no error: the other way to succeed
    """The original command line shall run: nothing that it would write was replaced."""

    def __init__(self, outcome: Outcome, detail: str = "") -> None:
        super().__init__(outcome.sentence)
        self.outcome = outcome
        self.detail = detail


@dataclass(frozen=True)
class Report:
    """How a compile ended: its exit status (or minus a signal) and its decision."""

    status: int
    outcome: Outcome
    key: str = ""
    hit: str = ""  # "object", "module" or "pack" if it was known
    detail: str = ""
    decision: Decision | None = None
    sizes: tuple[int, int] = (0, 0)  # loadable bytes before and after
    store_problem: str = ""  # why the store could not be used, if it could not
    daemon_problem: str = ""  # the same of the resident processes
    model_problem: str = ""  # the same of the model
    lasting: bool = True  # whether it would come out so again: nothing crashed meanwhile
    rewritten: Rewritten | None = None  # what became of windows of assembly


def report(status: int, decision: Decision, key: str, hit: str = "") -> Report:
    """The report of a compile that ended with this decision."""
    sizes = (decision.bytes_before, decision.bytes_after)
    return Report(
        status, decision.outcome, key, hit, decision=decision, sizes=sizes,
        rewritten=decision.rewritten,
    )  # fmt: skip
