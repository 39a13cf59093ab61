"""The model of assembly at work: windows in, instructions that may do instead out.

Nothing of it is trusted: whoever takes a proposal has it proved.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from cr1cc.assembly import vocabulary
from cr1cc.assembly.cut import may_change
from cr1cc.assembly.grammar import State, scope
from cr1cc.assembly.names import restored
from cr1cc.assembly.normal import SIZE, Normal, normalised
from cr1cc.assembly.vocabulary import Goal
from cr1cc.assembly.worth import is_worth
from cr1cc.errors import AsmError, ModelError
from cr1cc.model.client import ModelClient
from cr1cc.model.question import Question
from cr1cc.records import MODEL
from cr1cc.rewrite.flow import Code, Line
from cr1cc.rewrite.places import ALL_GENERAL
from cr1cc.rewrite.windows import Proposal, clobbered
from cr1cc.util.remembered import stamp

TEMPERATURE = 1.0
_ROOM = 256  # tokens of a window and its answer

Lines = tuple[str, ...]


class Proposer:
    """Asks the model in a file. A context manager."""

    def __init__(self, path: str, environ: Mapping[str, str], goal: Goal, samples: int = 8) -> None:
        """`samples`: for a window, of which the first one is the most probable.

        Raises ModelError if there is no such model or it is of another vocabulary.
        """
        self._client = ModelClient(path, environ)
        self._goal, self._samples = goal, samples
        try:
            self._stamp = stamp(path)
            self._digest = digest(path)
        except OSError as error:
            raise ModelError(f"{path}: {error.strerror}") from None
        self.facts = self._client.facts()
        if self.facts["vocabulary"] != vocabulary.VERSION:
            self.close()
            raise ModelError(f"{path}: it is not of the vocabulary of assembly")

    @property
    def version(self) -> str:
        """What its proposals depend on besides the code, in words."""
        return f"model {self._digest} {self.facts['engine']} {self._goal.value} {self._samples}"

    def propose(self, window: Normal) -> list[Lines]:
        """What may do instead, in the names of the window, most probable first. Nothing for what
        the model has no tokens for. Raises ModelError."""
        try:
            prompt = vocabulary.prompt(window.lines, window.live, self._goal)
            start = State(scope(window.lines, window.names))
        except AsmError:
            return []
        if len(prompt) + start.left > _ROOM:
            return []
        seed = " ".join(map(str, prompt))  # equal windows get equal answers
        question = Question(
            self._stamp, (tuple(prompt),), start, self._samples, _ROOM, TEMPERATURE, seed
        )
        said = [
            vocabulary.decode(one.tokens, window.lines) for one in self._client.sample(question)
        ]
        return [lines for lines in dict.fromkeys(said) if lines != window.lines]

    def proposals(self, code: Code) -> Iterator[Proposal]:
        """For the code of one function, windows that overlap among them. Raises ModelError."""
        if not may_change(code):
            return
        free = clobbered(code, frozenset())
        for run in code.runs():
            for lines in _windows(run):
                places = lines[-1].live | ALL_GENERAL & ~free
                window = normalised([one.instruction for one in lines if one.instruction], places)
                for new in self.propose(window) if window else ():
                    with suppress(AsmError):
                        yield Proposal(MODEL, lines, restored(new, window.names if window else {}))

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> Proposer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def digest(path: str) -> str:
    """Of the file of a model. Raises OSError."""
    with open(path, "rb") as file:
        return hashlib.blake2b(file.read(), digest_size=8).hexdigest()


def _windows(run: Sequence[Line]) -> Iterator[tuple[Line, ...]]:
    """From each place the longest window that is worth a look."""
    for start in range(len(run)):
        for end in range(min(start + SIZE, len(run)), start, -1):
            lines = tuple(run[start:end])
            if is_worth([one.instruction for one in lines if one.instruction]):
                yield lines
                break
