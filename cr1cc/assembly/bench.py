"""Instructions on the bench: assembled, measured, and run on values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from cr1cc.assembly.step import Step, step
from cr1cc.errors import Cr1Error, ProofError
from cr1cc.gate.body import assembled
from cr1cc.prove.code import Body, Reference
from cr1cc.prove.effect import Effect
from cr1cc.prove.lifter import Lifter
from cr1cc.prove.runs import pairs

_TOGETHER = 400  # instructions in one run of the assembler


class Bench:
    """What is known of instructions, by their text. Raises ProofError without the extra `prove`,
    and its methods ToolchainError without an assembler."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._lifter = Lifter()
        self._known: dict[str, tuple[int, Effect | None, Reference | None]] = {}
        self._steps: dict[tuple[str, frozenset[str]], Step | None] = {}

    def learn(self, texts: Iterable[str]) -> None:
        """Assemble what is not known yet; a text that is no instruction has the size 0."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        for start in range(0, len(new), _TOGETHER):
            self._assemble(new[start : start + _TOGETHER])

    def size(self, text: str) -> int:
        """Its bytes."""
        return self._known[text][0]

    def step(self, text: str, wanted: frozenset[str]) -> Step | None:
        """Its function, with these flags; None if it cannot be run."""
        key = text, wanted
        if key not in self._steps:
            _, effect, reference = self._known[text]
            try:
                self._steps[key] = step(effect, reference, wanted) if effect else None
            except ProofError:
                self._steps[key] = None
        return self._steps[key]

    def _assemble(self, texts: Sequence[str]) -> None:
        found = pairs([([text], ()) for text in texts], lambda text: assembled(text, self._env))
        for text, pair in zip(texts, found, strict=True):
            self._known[text] = self._lifted(pair.original) if pair else (0, None, None)

    def _lifted(self, body: Body) -> tuple[int, Effect | None, Reference | None]:
        unit, size = body.unit, body.end - body.start
        fields = unit.relocations(body.section)
        inside = [at for at in range(body.start, body.end) if at in fields]
        code = unit.contents(body.section)[body.start : body.end]
        try:
            effect = self._lifter.lift(code, inside[0] - body.start if inside else None)
            reference = unit.reference(fields[inside[0]], body.end) if inside else None
        except (Cr1Error, RecursionError):
            return size, None, None
        return size, effect, reference
