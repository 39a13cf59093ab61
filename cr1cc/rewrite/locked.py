"""Shorter windows for the levels of speed, as a lockfile promises them.

They are proved anew in every build, by verdicts that are kept or by solvers: a line of text vouches
for nothing. What it has is the number of windows and a digest of them, so that a build has the
bytes that were measured, or the baseline; and the windows that no rule proposes, so that no build
needs who did.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from cr1cc.errors import EvaluationError
from cr1cc.records import Rewritten
from cr1cc.rewrite.change import Change
from cr1cc.rewrite.proposed import Proposed, proposed
from cr1cc.rewrite.shorten import Shortener
from cr1cc.rewrite.version import proofs
from cr1cc.rewrite.windows import Source


def label_of(changes: Sequence[Change]) -> str:
    """Windows that were replaced as a lockfile says it: `number:digest`."""
    said = repr([(one.function, one.old, one.new) for one in changes])
    digest = hashlib.blake2b(said.encode(errors="surrogateescape"), digest_size=8).hexdigest()
    return f"{len(changes)}:{digest}"


class LockedWindows:
    """Makes the windows shorter that were promised: a label, or "" for whichever can be proved.
    After a call `label`, `proposed`, `record` and `changes` say what was done."""

    def __init__(
        self,
        shortener: Callable[[Sequence[Source]], Shortener],
        promised: str = "",
        proposed: tuple[str, ...] = (),
        asked: Sequence[Source] = (),
    ) -> None:
        """`shortener` is given who proposes windows besides the rules: those that are `proposed`
        in words, or where a model is `asked` those of its windows that can be proved."""
        self._shortener = shortener
        self._promised = promised
        self._asked = asked
        self.label = ""
        self.proposed = proposed
        self.record = Rewritten()
        self.changes: tuple[Change, ...] = ()

    def __call__(self, assembly: bytes) -> bytes:
        """The assembly with shorter windows. Raises EvaluationError if there are none, or other
        ones than those promised."""
        if self._asked:
            self.proposed = self._admitted(assembly)
        made = self._shortener((Proposed(self.proposed),)).shorten(assembly)
        if not made.lasting or not (made.assembly or self._promised):
            raise EvaluationError(f"windows: {made.record.reason or 'none is shorter'}")
        self.label, self.record, self.changes = label_of(made.changes), made.record, made.changes
        if self._promised and self._promised != self.label:
            why = "" if proofs() else "; the extra `prove` is not installed"
            raise EvaluationError(
                f"windows: decided for {self._promised}, what is proved here is {self.label}{why}"
            )
        return made.assembly

    def _admitted(self, assembly: bytes) -> tuple[str, ...]:
        """What the model proposes and is proved. Raises EvaluationError if it is not known."""
        made = self._shortener(self._asked).shorten(assembly)
        if not made.lasting:
            raise EvaluationError(f"windows: {made.record.reason or 'a prover has ended'}")
        return proposed(made.changes)
