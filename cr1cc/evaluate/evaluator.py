"""Evaluate candidates: batches in, scores out, whatever a candidate does.

A dead worker costs the candidate it was working on; the rest of the batch
goes on in a new worker.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any

from cr1cc.errors import EvaluationError
from cr1cc.evaluate.channel import Channel, Connected, Forked, LostError, WorkerDiedError
from cr1cc.evaluate.limits import Limits
from cr1cc.evaluate.worker import Subject
from cr1cc.llvm.library import Library
from cr1cc.passes.options import tuning
from cr1cc.passes.recipe import stages_run
from cr1cc.records import Failure, ModuleInfo, Recipe, Score
from cr1cc.util.messages import Resident

_LARGE = 1 << 20  # bytes of bitcode

Result = Score | Failure
TailSizes = dict[str, int] | Failure


class Evaluator:
    """Scores recipes for one module. A context manager; workers start on first use."""

    def __init__(
        self,
        library: Library,
        subject: Subject,
        limits: Limits | None = None,
        resident: Resident | None = None,
    ) -> None:
        """`resident`: where workers come from as long as it gives any."""
        self.library = library
        self.resident = resident
        self.subject = subject
        self.limits = limits or Limits()
        self._channels: dict[Subject, Channel] = {}
        self._bitcode: dict[tuple[tuple[str, ...], tuple[str, ...]], bytes] = {}  # after stages

    def describe(self) -> ModuleInfo:
        """Raises EvaluationError if libLLVM cannot read the module."""
        info: ModuleInfo = self._single(self.subject, "describe")
        return info

    def identify(self) -> tuple[str, bool, bool]:
        """The module's fingerprint, cheaper than by `describe`; whether there is inline
        assembler, which may read files and print warnings: then the bitcode is not all; whether
        all functions and calls are by C's convention."""
        identity: tuple[str, bool, bool] = self._single(self.subject, "identify")
        return identity

    def function_fingerprints(self, recipe: Recipe) -> dict[str, str]:
        """Fingerprints of the functions that are defined after the recipe's stages."""
        subject, stages = self._on(recipe)
        prints: dict[str, str] = self._single(subject, "function_fingerprints", stages)
        return prints

    def apply(self, recipe: Recipe, tails: Sequence[tuple[str, str]] = ()) -> bytes:
        """The bitcode that `recipe` (its stages) and `tails` make of the module."""
        subject, stages = self._on(recipe)
        bitcode: bytes = self._single(subject, "apply", stages, tuple(tails))
        return bitcode

    def measure(
        self, recipes: Sequence[Recipe], *, ceiling: float = 0, emit: bool = True
    ) -> list[Result]:
        """One result per recipe, in order.

        `ceiling`: recipes that leave more instructions are rejected before emission.
        """
        groups: dict[Subject, list[int]] = {}
        results: dict[int, Result] = {}
        staged: dict[int, Recipe] = {}
        for index, recipe in enumerate(recipes):
            try:
                subject, stages = self._on(recipe)
            except EvaluationError as error:
                results[index] = _failure(error)
                continue
            if self._is_large():  # no snapshot of a process with a module in it
                subject = replace(subject, tuning=recipe.options)
            staged[index] = replace(recipe, stages=stages)
            groups.setdefault(subject, []).append(index)
        for subject, members in groups.items():
            if len(members) == 1 and subject.tuning:  # alone there: all can be set at once
                subject = replace(subject, tuning=recipes[members[0]].options)
            results.update(self._measure_on(subject, staged, members, ceiling, emit))
        return [results[i] for i in range(len(recipes))]

    def _measure_on(
        self,
        subject: Subject,
        recipes: Mapping[int, Recipe],
        todo: list[int],
        ceiling: float,
        emit: bool,
    ) -> dict[int, Result]:
        """Results by index of the recipes `todo`, all of them on one subject."""
        results: dict[int, Result] = {}
        while todo:
            current: int | None = None
            chosen = [recipes[i] for i in todo]
            try:
                for reply in self._request(subject, "measure", chosen, ceiling, emit):
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
        return results

    def measure_tails(
        self, recipe: Recipe, tails: Sequence[str], names: Iterable[str]
    ) -> tuple[dict[str, int], list[TailSizes]]:
        """st_size of the functions `names` after the recipe's stages: without tail, and
        per tail. Options of code generation are left out of it.

        Raises EvaluationError if the module after the stages itself cannot be emitted.
        """
        wanted = tuple(sorted(names))
        subject, stages = self._on(recipe)
        found: dict[int, TailSizes] = {}
        todo = list(range(len(tails)))
        while todo or -1 not in found:
            chosen = [tails[i] for i in todo]
            current = -1
            try:
                for reply in self._request(subject, "measure_tails", stages, chosen, wanted):
                    if reply[0] == "start":
                        current = reply[1]
                        continue
                    index, sizes = reply
                    found[-1 if index < 0 else todo[index]] = sizes
                break
            except EvaluationError as error:
                if current < 0:
                    raise
                found[todo[current]] = _failure(error)
                todo = todo[current + 1 :]
        base = found[-1]
        if isinstance(base, Failure):
            raise EvaluationError(f"the module {base.value}")
        for index, tail in enumerate(tails):
            if isinstance(found[index], Failure) and len(wanted) > 1:
                # The answer for a function must not depend on its neighbours: blame the
                # guilty one only.
                found[index] = self._measure_apart(recipe, tail, wanted)
        return base, [found[i] for i in range(len(tails))]

    def _measure_apart(self, recipe: Recipe, tail: str, names: Iterable[str]) -> dict[str, int]:
        """st_size by name of the functions that the tail does not fail on, one by one."""
        sizes: dict[str, int] = {}
        for name in names:
            _, (alone,) = self.measure_tails(recipe, [tail], [name])
            if not isinstance(alone, Failure):
                sizes.update(alone)
        return sizes

    def _on(self, recipe: Recipe) -> tuple[Subject, tuple[str, ...]]:
        """What a worker for `recipe` begins with, and the stages it has to run.

        A large module takes every stage in a process of its own (no worker of it outlives
        a request), and a worker that
        measures it begins with what the last one left: so the memory of the original,
        of its optimisation and of code generation never adds up.
        """
        tuned = replace(self.subject, tuning=tuning(recipe.options))
        stages = stages_run(recipe)
        if not self._is_large():
            return tuned, stages
        return self._staged(tuned, stages), ()

    def _staged(self, tuned: Subject, stages: tuple[str, ...]) -> Subject:
        """The subject after `stages`."""
        if not stages:
            return tuned
        place = (tuned.tuning, stages)
        if place not in self._bitcode:
            before = self._staged(tuned, stages[:-1])
            self._bitcode[place] = self._single(before, "apply", stages[-1:], ())
        return replace(tuned, bitcode=self._bitcode[place])

    def _single(self, subject: Subject, name: str, *arguments: Any) -> Any:
        for reply in self._request(subject, name, *arguments):
            result = reply
        return result

    def _request(self, subject: Subject, name: str, *arguments: Any) -> Any:
        try:
            yield from self._worker(subject).request(name, *arguments)
        except LostError as error:
            # Asked again of a worker of our own: replies that came twice are equal.
            assert self.resident is not None
            self.resident.lost(str(error))
            self.close()
            yield from self._request(subject, name, *arguments)
        except WorkerDiedError:
            self._channels.pop(subject).close()
            raise
        if self._is_large():  # it holds more memory than its next request is worth
            self.close()

    def _worker(self, subject: Subject) -> Channel:
        """The worker of that subject. Two are kept at most."""
        if subject not in self._channels:
            for other in list(self._channels):
                if other != self.subject:
                    self._channels.pop(other).close()
            self._channels[subject] = self._open(subject)
        return self._channels[subject]

    def _open(self, subject: Subject) -> Channel:
        connection = self.resident.connect() if self.resident else None
        if connection is None:
            return Forked(self.library, subject, self.limits)
        return Connected(connection, subject, self.limits)

    def _is_large(self) -> bool:
        return len(self.subject.bitcode) > _LARGE

    def close(self) -> None:
        while self._channels:
            self._channels.popitem()[1].close()

    def __enter__(self) -> Evaluator:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _failure(error: EvaluationError) -> Failure:
    return error.failure if isinstance(error, WorkerDiedError) else Failure.REFUSED
