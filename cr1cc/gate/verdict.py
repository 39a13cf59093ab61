"""What the gate says of a new body: a verdict, who says it, and on what evidence.

The text form is one line that reads back as an equal record:

    proved by=proof bitwuzla=412 z3=1907
    refuted by=driver pairs=17 seed=0 'input=f(x=0x80000000)' 'reason=returns 1, not 0'
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from enum import IntEnum


class Verdict(IntEnum):
    """Ordered by how much is known in favour of the new body."""

    REFUTED = 0  # an input shows a difference, or a static check one that needs no input
    UNKNOWN = 1  # counts as rejected everywhere
    TESTED = 2
    PROVED = 3

    @property
    def word(self) -> str:
        return self.name.lower()


_KEY = re.compile(r"[a-z][a-z0-9_]*")
_OWN = ("by", "input", "reason")


@dataclass(frozen=True)
class Judgement:
    """A verdict with its evidence.

    `by`: the stage that gave it ("static checks", "driver", "proof", ...). `reason`: of *refuted*
    what differs, of *unknown* what could not be judged, one line. `input`: of *refuted* the text
    form of the input (`inputs.Input`), "" where a static check needs none. `evidence`: what the
    verdict rests on, as pairs of a key and a word, such as ("pairs", "1000000").
    """

    verdict: Verdict
    by: str
    reason: str = ""
    input: str = ""
    evidence: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.verdict in (Verdict.REFUTED, Verdict.UNKNOWN) and not self.reason:
            raise ValueError(f"{self.verdict.word} has a reason")
        for key, value in self.evidence:
            if not _KEY.fullmatch(key) or key in _OWN or "\n" in value:
                raise ValueError(f"not evidence: {key}={value}")
        if "\n" in self.by + self.reason + self.input:
            raise ValueError("a judgement is one line")

    def __str__(self) -> str:
        """For a person: "refuted by the driver: returns 1, not 0, on f(x=0x80000000)"."""
        details = ", ".join(f"{key} {value}" for key, value in self.evidence)
        text = f"{self.verdict.word} by the {self.by}" + (f" ({details})" if details else "")
        text += f": {self.reason}" if self.reason else ""
        return text + (f", on {self.input}" if self.input else "")


def weakest(judgements: list[Judgement]) -> Judgement:
    """The first one of the lowest verdict: what all of them together say. At least one is given."""
    return min(judgements, key=lambda one: one.verdict)


def format_judgement(judgement: Judgement) -> str:
    """The text form, one line."""
    words = [judgement.verdict.word, f"by={judgement.by}"]
    words += [f"{key}={value}" for key, value in judgement.evidence]
    words += [f"input={judgement.input}"] if judgement.input else []
    words += [f"reason={judgement.reason}"] if judgement.reason else []
    return shlex.join(words)


def parse_judgement(text: str) -> Judgement:
    """The record of a text form. Raises ValueError if `format_judgement` does not write it so."""
    word, *rest = shlex.split(text) or [""]
    if word != word.lower() or word.upper() not in Verdict.__members__:
        raise ValueError(f"not a verdict: {word}")
    pairs = [pair.partition("=")[::2] for pair in rest]
    own = {key: value for key, value in pairs if key in _OWN}
    evidence = tuple(pair for pair in pairs if pair[0] not in _OWN)
    found = Judgement(
        Verdict[word.upper()],
        own.get("by", ""),
        own.get("reason", ""),
        own.get("input", ""),
        evidence,
    )
    if format_judgement(found) != text:
        raise ValueError("not a judgement as this version writes it")
    return found
