"""Shorter windows for the levels of speed, as a lockfile promises them.

They are proved anew in every build, by verdicts that are kept or by solvers: a line of text vouches
for nothing. What it has is the number of windows and a digest of them, so that a build has the
bytes that were measured, or the baseline.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from cr1cc.errors import EvaluationError
from cr1cc.records import Rewritten
from cr1cc.rewrite.change import Change
from cr1cc.rewrite.shorten import Shortener
from cr1cc.rewrite.version import proofs


def label_of(changes: Sequence[Change]) -> str:
    """Windows that were replaced as a lockfile says it: `number:digest`."""
    said = repr([(one.function, one.old, one.new) for one in changes])
    digest = hashlib.blake2b(said.encode(errors="surrogateescape"), digest_size=8).hexdigest()
    return f"{len(changes)}:{digest}"


class LockedWindows:
    """Makes the windows shorter that were promised: a label, or "" for whichever can be proved.
    After a call `label`, `record` and `changes` say what was done."""

    def __init__(self, shortener: Shortener, promised: str = "") -> None:
        self._shortener = shortener
        self._promised = promised
        self.label = ""
        self.record = Rewritten()
        self.changes: tuple[Change, ...] = ()

    def __call__(self, assembly: bytes) -> bytes:
        """The assembly with shorter windows. Raises EvaluationError if there are none, or other
        ones than those promised."""
        made = self._shortener.shorten(assembly)
        if not made.lasting or not (made.assembly or self._promised):
            raise EvaluationError(f"windows: {made.record.reason or 'none is shorter'}")
        self.label, self.record, self.changes = label_of(made.changes), made.record, made.changes
        if self._promised and self._promised != self.label:
            why = "" if proofs() else "; the extra `prove` is not installed"
            raise EvaluationError(
                f"windows: decided for {self._promised}, what is proved here is {self.label}{why}"
            )
        return made.assembly
