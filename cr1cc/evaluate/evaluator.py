"""Evaluate candidates: batches in, scores out, whatever a candidate does.

A dead worker costs the candidate it was working on; the rest of the batch
goes on in a new worker.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any

from cr1cc.errors import EvaluationError
from cr1cc.evaluate.channel import Channel, WorkerDiedError
from cr1cc.evaluate.limits import Limits
from cr1cc.evaluate.worker import Subject
from cr1cc.llvm.library import Library
from cr1cc.records import Failure, ModuleInfo, Recipe, Score

_LARGE = 1 << 20  # bytes of bitcode

Result = Score | Failure
TailSizes = dict[str, int] | Failure


class Evaluator:
    """Scores recipes for one module. A context manager; workers start on first use."""

    def __init__(self, library: Library, subject: Subject, limits: Limits | None = None) -> None:
        self.library = library
        self.subject = subject
        self.limits = limits or Limits()
        self._channel: Channel | None = None

    def describe(self) -> ModuleInfo:
        """Raises EvaluationError if libLLVM cannot read the module."""
        info: ModuleInfo = self._single("describe")
        return info

    def fingerprint(self) -> str:
        """The module's fingerprint alone, cheaper than `describe`."""
        text: str = self._single("key")
        return text

    def has_assembler(self) -> bool:
        """Whether the module has inline assembler: then the bitcode alone is not all."""
        has: bool = self._single("has_assembler")
        return has

    def function_fingerprints(self, stages: tuple[str, ...]) -> dict[str, str]:
        """Fingerprints of the functions that are defined after `stages`."""
        prints: dict[str, str] = self._single("function_fingerprints", stages)
        return prints

    def apply(self, recipe: Recipe, tails: Sequence[tuple[str, str]] = ()) -> bytes:
        """The bitcode that `recipe` (its stages) and `tails` make of the module."""
        bitcode: bytes = self._single("apply", recipe.stages, tuple(tails))
        return bitcode

    def measure(
        self, recipes: Sequence[Recipe], *, ceiling: float = 0, emit: bool = True
    ) -> list[Result]:
        """One result per recipe, in order.

        `ceiling`: recipes that leave more instructions are rejected before emission.
        """
        results: dict[int, Result] = {}
        todo = list(range(len(recipes)))
        while todo:
            current: int | None = None
            try:
                for reply in self._request("measure", [recipes[i] for i in todo], ceiling, emit):
                    if reply[0] == "start":
                        current = todo[reply[1]]
                    else:
                        results[todo[reply[0]]] = reply[1]
                break
            except WorkerDiedError as error:
                if current is None:
                    # Not even parsed: no candidate of this module can be measured.
                    results.update(dict.fromkeys(todo, error.failure))
                    break
                results[current] = error.failure
                todo = [i for i in todo if i not in results]
        return [results[i] for i in range(len(recipes))]

    def measure_tails(
        self, stages: tuple[str, ...], tails: Sequence[str], names: Iterable[str]
    ) -> tuple[dict[str, int], list[TailSizes]]:
        """st_size of the functions `names` after `stages`: without tail, and per tail.

        Raises EvaluationError if the module after `stages` itself cannot be emitted.
        """
        wanted = tuple(sorted(names))
        found: dict[int, TailSizes] = {}
        todo = list(range(len(tails)))
        while todo or -1 not in found:
            chosen = [tails[i] for i in todo]
            current = -1
            try:
                for reply in self._request("measure_tails", stages, chosen, wanted):
                    if reply[0] == "start":
                        current = reply[1]
                        continue
                    index, sizes = reply
                    found[-1 if index < 0 else todo[index]] = sizes
                break
            except EvaluationError as error:
                if current < 0:
                    raise
                found[todo[current]] = (
                    error.failure if isinstance(error, WorkerDiedError) else Failure.REFUSED
                )
                todo = todo[current + 1 :]
        base = found[-1]
        if isinstance(base, Failure):
            raise EvaluationError(f"the module {base.value}")
        for index, tail in enumerate(tails):
            if isinstance(found[index], Failure) and len(wanted) > 1:
                # The answer for a function must not depend on its neighbours: blame the
                # guilty one only.
                found[index] = self._measure_apart(stages, tail, wanted)
        return base, [found[i] for i in range(len(tails))]

    def _measure_apart(
        self, stages: tuple[str, ...], tail: str, names: Iterable[str]
    ) -> dict[str, int]:
        """st_size by name of the functions that the tail does not fail on, one by one."""
        sizes: dict[str, int] = {}
        for name in names:
            _, (alone,) = self.measure_tails(stages, [tail], [name])
            if not isinstance(alone, Failure):
                sizes.update(alone)
        return sizes

    def _single(self, name: str, *arguments: Any) -> Any:
        for reply in self._request(name, *arguments):
            result = reply
        return result

    def _request(self, name: str, *arguments: Any) -> Any:
        if self._channel is None:
            self._channel = Channel(self.library, self.subject, self.limits)
        try:
            yield from self._channel.request(name, *arguments)
        except WorkerDiedError:
            self._channel = None
            raise

    def rest(self) -> None:
        """Nothing will be asked for a while: a worker with a large module gives its memory
        back. The next request starts another; a small module is cheaper to keep."""
        if len(self.subject.bitcode) > _LARGE:
            self.close()

    def close(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def __enter__(self) -> Evaluator:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
