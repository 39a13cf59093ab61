"""What happens inside a worker: libLLVM is called here and nowhere else.

A worker holds one parsed module and serves requests until its pipe closes.
It announces every candidate before it starts on it, so that the parent knows
which one to blame when the worker dies.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from typing import Any

from cr1cc.errors import EvaluationError
from cr1cc.evaluate.limits import OUT_OF_MEMORY, Limits, failure_of, start_clock
from cr1cc.evaluate.tails import Tails, run_tail
from cr1cc.ir import fingerprint, walk
from cr1cc.ir.conventions import is_conventional
from cr1cc.ir.describe import describe
from cr1cc.llvm.attributes import mark_for_size
from cr1cc.llvm.library import Library
from cr1cc.llvm.module import Module, name_of
from cr1cc.llvm.passes import PassRunner, set_options
from cr1cc.llvm.target import TargetMachine, TargetSpec
from cr1cc.passes.attributes import is_attribute
from cr1cc.records import Failure, Recipe, Score
from cr1cc.util.confine import anonymous, die_with
from cr1cc.util.elf import ObjectFile

Reply = Callable[[Any], None]
# What a Score says of an object.
Sizes = tuple[int, tuple[tuple[str, int], ...], str, frozenset[str]]


@dataclass(frozen=True)
class Subject:
    """What a worker works on: the bitcode, and how to run and emit it."""

    bitcode: bytes
    macros: Mapping[str, str] = field(hash=False)  # "@size" → pipeline text
    target: TargetSpec = field(default_factory=TargetSpec)
    tuning: tuple[str, ...] = ()  # LLVM options that are set before anything else
    minsize: bool = False  # mark every function for size, as clang -Oz does


class Worker:
    """One module in one process. Every public method answers one kind of request."""

    def __init__(self, library: Library, subject: Subject, limits: Limits) -> None:
        self.library = library
        self.subject = subject
        self.limits = limits
        self._inherited = anonymous()
        if subject.tuning:  # before anything reads them
            set_options(library, subject.tuning)
        self._emitted: dict[tuple[bytes, tuple[str, ...]], Sizes] = {}
        self._written: dict[tuple[str, ...], bytes] = {}  # bitcode of measured modules
        self._applied: dict[tuple[str, ...], bytes] = {}  # bitcode as the object is made of
        self._path: list[tuple[str, Module]] = []  # the path of the trie that is alive
        self._counts: dict[tuple[str, ...], int] = {}  # instructions after stages

    @cached_property
    def module(self) -> Module:
        """The module as it came, never changed. What does without it saves its memory."""
        return self._parse(self.subject.bitcode)

    def _parse(self, bitcode: bytes) -> Module:
        module = Module.parse_bitcode(self.library, bitcode)
        if self.subject.minsize:
            mark_for_size(module)
        if not hasattr(self, "machine"):  # it is made for the target that the module names
            self.machine = TargetMachine(self.library, module, self.subject.target)
            self.passes = PassRunner(self.library, self.machine)
        return module

    def describe(self, reply: Reply) -> None:
        """ModuleInfo of the module as it enters the optimiser."""
        reply(describe(self.module))

    def identify(self, reply: Reply) -> None:
        """The fingerprint, whether there is inline assembler, and whether all is by C's
        convention: what a known decision needs."""
        text = self.module.text()
        identity = fingerprint.module_fingerprint(self.module)
        reply((identity, " asm " in text, is_conventional(text)))

    def measure(self, reply: Reply, recipes: Sequence[Recipe], ceiling: float, emit: bool) -> None:
        """A Score or a Failure per recipe, as `(index, result)`.

        Recipes are walked as a trie: those that share their first stages share the work.
        `ceiling`: a recipe that leaves more instructions than this is rejected before
        emission (0: none is).
        """
        for index, module in self._trie(reply, recipes):
            try:
                reply((index, self._score(module, recipes[index], ceiling, emit)))
            except EvaluationError:
                reply((index, Failure.REFUSED))

    def measure_tails(
        self, reply: Reply, stages: tuple[str, ...], tails: Sequence[str], names: Sequence[str]
    ) -> None:
        """`(index, {function: st_size})` per tail, run over all of `names` at once.

        Index -1 is the module after `stages` without any tail.
        """
        reply(("start", -1))
        self._after(stages)
        start_clock(self.limits)
        bench = Tails(lambda: self._optimised(stages), self.passes, self.machine, names)
        reply((-1, bench.sizes))
        for index, tail in enumerate(tails):
            reply(("start", index))
            start_clock(self.limits)
            reply((index, bench.after(tail)))

    def function_fingerprints(self, reply: Reply, stages: tuple[str, ...]) -> None:
        """Fingerprint by name of every function that is defined after `stages`."""
        module = self._optimised(stages)
        reply(fingerprint.function_fingerprints(module))
        module.close()

    def apply(
        self, reply: Reply, stages: tuple[str, ...], tails: Sequence[tuple[str, str]]
    ) -> None:
        """Bitcode after the stages and, function by function, the tails."""
        if not tails:
            reply(self._after(stages))
            return
        module = self._optimised(stages)
        start_clock(self.limits)
        by_tail: dict[str, set[str]] = {}
        for name, tail in tails:
            by_tail.setdefault(tail, set()).add(name)
        for tail, names in sorted(by_tail.items()):
            handles = [f for f in module.defined_functions() if name_of(self.library, f) in names]
            if handles:
                run_tail(self.passes, module, tail, handles)
        if module.invalid():
            raise EvaluationError("the recipe leaves an invalid module")
        reply(module.bitcode())

    def _optimised(self, stages: tuple[str, ...]) -> Module:
        """The module after `stages`, read back: use lists, which no fingerprint shows and
        some passes walk, are then in the order that the text implies."""
        return self._parse(self._after(stages))

    def _after(self, stages: tuple[str, ...]) -> bytes:
        """Bitcode after `stages`, which run on the module as it was read: what they do must
        not depend on what was measured before."""
        if stages not in self._applied:
            start_clock(self.limits)
            module = self._parse(self.subject.bitcode)
            for stage in stages:
                self._run(module, stage)
            if module.invalid():
                raise EvaluationError("the recipe leaves an invalid module")
            self._applied[stages] = module.bitcode()
            module.close()
        return self._applied[stages]

    def _trie(self, reply: Reply, recipes: Sequence[Recipe]) -> Iterator[tuple[int, Module]]:
        """`(index, module after the recipe)`, sharing what recipes have in common, those of
        the last request too."""
        stack = self._path
        for index in sorted(range(len(recipes)), key=lambda i: (recipes[i].stages, i)):
            stages = recipes[index].stages
            reply(("start", index))
            start_clock(self.limits)
            shared = _common(stages, [stage for stage, _ in stack])
            while len(stack) > shared:
                stack.pop()[1].close()
            try:
                for stage in stages[shared:]:
                    stack.append((stage, (stack[-1][1] if stack else self.module).clone()))
                    self._run(stack[-1][1], stage)
            except EvaluationError:
                stack.pop()[1].close()
                reply((index, Failure.REFUSED))
                continue
            yield index, stack[-1][1] if stack else self.module

    def _run(self, module: Module, stage: str) -> None:
        if is_attribute(stage):
            run_tail(self.passes, module, stage, module.defined_functions())
            return
        self.passes.run(module, self.subject.macros.get(stage, stage))

    def _score(self, module: Module, recipe: Recipe, ceiling: float, emit: bool) -> Score | Failure:
        if recipe.stages not in self._counts:
            if module.invalid():
                return Failure.INVALID
            self._counts[recipe.stages] = walk.instruction_count(module)
            self._written[recipe.stages] = module.bitcode()
        ic = self._counts[recipe.stages]
        if not emit:
            return Score(ic)
        if ceiling and ic > ceiling:
            return Failure.REJECTED
        # Many recipes end in the same module: equal bitcode has an equal object.
        place = (self._written[recipe.stages], recipe.options)
        sizes = self._emitted.get(place)
        if sizes is None:
            options = tuple(o for o in recipe.options if o not in self.subject.tuning)
            measured = self._emit_in_child(module, options) if options else self._emit(place[0])
            if isinstance(measured, Failure):
                return measured
            sizes = self._emitted[place] = measured
        return Score(ic, *sizes)

    def _emit(self, bitcode: bytes) -> Sizes:
        """Code generation changes the module, and a clone of a module that was parsed cannot
        be emitted if it takes addresses of labels (LLVM 19): so it is read once more."""
        copy = self._parse(bitcode)
        try:
            return _sizes(self.machine.emit(copy))
        finally:
            copy.close()

    def _emit_in_child(self, module: Module, options: tuple[str, ...]) -> Sizes | Failure:
        """Options are global to a process, so they are set in a snapshot of this one."""
        read, write = os.pipe()
        worker = os.getpid()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                die_with(worker)
                start_clock(self.limits)
                with os.fdopen(write, "wb") as pipe:
                    set_options(self.library, options)
                    machine = TargetMachine(self.library, module, self.subject.target)
                    pickle.dump(_sizes(machine.emit(module)), pipe)
                status = 0
            except MemoryError:
                status = OUT_OF_MEMORY
            finally:
                os._exit(status)
        os.close(write)
        with os.fdopen(read, "rb") as pipe:
            data = pipe.read()
        _, status, usage = os.wait4(child, 0)
        if status:
            return failure_of(status, usage.ru_maxrss * 1024 - self._inherited, self.limits)
        sizes: Sizes = pickle.loads(data)
        return sizes


def _sizes(data: bytes) -> Sizes:
    emitted = ObjectFile(data)
    names = "\0".join(sorted(emitted.exports())).encode(errors="surrogateescape")
    exports = blake2b(names, digest_size=8).hexdigest()
    functions = tuple(sorted(emitted.function_sizes().items()))
    return emitted.loadable_bytes(), functions, exports, frozenset(emitted.needs())


def _common(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest common prefix."""
    length = 0
    for a, b in zip(first, second, strict=False):
        if a != b:
            break
        length += 1
    return length
