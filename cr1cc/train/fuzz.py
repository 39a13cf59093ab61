"""The soundness campaign: do recipes keep what programs do?

Every program is compiled once at -O0 and run; then, recipe by recipe, it is
optimised in a worker, emitted by the real clang, run, and its output and exit
status are compared. A difference, a crash or a hang is reduced to the smallest
recipe that still shows it.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field

from cr1cc.errors import EvaluationError, UserError
from cr1cc.evaluate.evaluator import Evaluator
from cr1cc.evaluate.limits import Limits
from cr1cc.evaluate.worker import Subject
from cr1cc.llvm.library import Library
from cr1cc.llvm.triple import target_name
from cr1cc.passes.grammar import leaves, parse_pipeline
from cr1cc.passes.macros import MACROS, expand, is_macro
from cr1cc.passes.prune import reduce
from cr1cc.passes.recipe import format_recipe, parse_recipe
from cr1cc.records import Level, Recipe, Toolchain
from cr1cc.train.fuzz_programs import Program, program
from cr1cc.train.fuzz_recipes import recipes_for

_COMPILE_CPU = 30  # processor seconds for one stage of a compile; more is a hang
_RUN_CPU = 1  # processor seconds of a program at -O0; slower ones are skipped
_MEMORY = 2 << 30
_BARREN = 100  # so many unusable programs in a row end a campaign
_REDUCTIONS = 100  # evaluations spent on one finding

SAME = "same"
_NO_RECIPE = "(no recipe at all)"


@dataclass(frozen=True)
class Behaviour:
    """What a program did: exit status (negative: the signal) and standard output."""

    status: int
    output: bytes


@dataclass(frozen=True)
class Trial:
    """One program and recipe pair. `result` is "same" or what went wrong."""

    clang: str
    program: str
    level: str
    recipe: str
    result: str
    minimal: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        return (self.clang, self.program, self.level, self.recipe)


@dataclass
class Campaign:
    """What to run. `propose` and `find_program` are there to be replaced in tests."""

    toolchain: Toolchain
    pairs: int
    seed: int = 0
    kind: str = "all"
    per_program: int = 10
    log: str = ""
    keep: str = ""
    skipped: int = 0  # programs that were too slow or did not compile at -O0
    propose: Callable[[int], list[Recipe]] | None = None
    find_program: Callable[[int, int], Program] = program
    _known: dict[tuple[str, str, str, str], Trial] = field(default_factory=dict)

    def run(self) -> Iterator[Trial]:
        """Trials until `pairs` were made, those in the log included.
        Raises UserError if the compiler cannot be used."""
        if not self.toolchain.libllvm:
            raise UserError(f"{self.toolchain.driver}: {self.toolchain.libllvm_problem}")
        library = Library(self.toolchain.libllvm)
        self._known = {trial.key: trial for trial in read_log(self.log)} if self.log else {}
        done, index, barren = 0, 0, 0
        while done < self.pairs:
            with tempfile.TemporaryDirectory(prefix="cr1-fuzz-") as folder:
                before = done
                for trial in self._trials(library, index, folder):
                    yield trial
                    done += 1
                    if done == self.pairs:
                        return
            index += 1
            barren = 0 if done > before else barren + 1
            if barren == _BARREN:
                raise UserError(f"{barren} programs in a row neither compiled nor ended in time")

    def _recipes(self, index: int) -> list[Recipe]:
        if self.propose:
            return self.propose(index)
        target = target_name(self.toolchain.default_triple) or ""
        major = self.toolchain.major
        return recipes_for(index, self.per_program, self.seed, major, target, self.kind)

    def _trials(self, library: Library, index: int, folder: str) -> Iterator[Trial]:
        level = Level.OS if index % 4 == 3 else Level.OZ
        subject: _Subject | None = None
        source = self.find_program(index, self.seed)
        for recipe in self._recipes(index):
            blank = Trial(
                self.toolchain.identity, source.name, level.value, format_recipe(recipe), SAME
            )
            known = self._known.get(blank.key)
            if known:
                yield known
                continue
            if subject is None:
                try:
                    subject = _Subject(self.toolchain, library, source, level, folder)
                except _UnusableError:
                    self.skipped += 1
                    return
            trial = subject.trial(blank, recipe)
            if self.log:
                append_log(self.log, trial)
            if trial.result != SAME and self.keep:
                _keep(self.keep, source, trial)
            yield trial


class _UnusableError(Exception):
    """A program that cannot serve: it does not compile at -O0, or runs too long."""


class _Subject:
    """One program, its -O0 behaviour and its unoptimised module."""

    def __init__(
        self, toolchain: Toolchain, library: Library, source: Program, level: Level, folder: str
    ) -> None:
        self.toolchain, self.folder = toolchain, folder
        self.link = tuple(f for f in source.flags if not f.startswith("-I"))
        path, plain = os.path.join(folder, "program.c"), os.path.join(folder, "plain")
        bitcode = os.path.join(folder, "program.bc")
        with open(path, "w", encoding="utf-8") as file:
            file.write(source.source)
        front = ("-w", f"-O{level.value}", "-Xclang", "-disable-llvm-passes", "-emit-llvm", "-c")
        for arguments in (
            ("-w", "-O0", path, *source.flags, "-o", plain),
            (*front, *(f for f in source.flags if f != "-lm"), path, "-o", bitcode),
        ):
            if _execute((toolchain.driver, *arguments), folder, _COMPILE_CPU).status:
                raise _UnusableError
        self.expected = _execute((plain,), folder, _RUN_CPU)
        if self.expected.status < 0:
            raise _UnusableError
        with open(bitcode, "rb") as module:
            macros = {macro: expand(macro, toolchain.major, level) for macro in MACROS}
            self.subject = Subject(module.read(), macros)
        self.library, self.level = library, level

    def trial(self, blank: Trial, recipe: Recipe) -> Trial:
        """The pair's result; a finding comes with the smallest recipe that shows one."""
        result = self.verdict(recipe)
        if result == SAME:
            return blank
        smaller = reduce(recipe, lambda r: self.verdict(r) == result, _REDUCTIONS).recipe
        text = format_recipe(smaller) or _NO_RECIPE
        return Trial(blank.clang, blank.program, blank.level, blank.recipe, result, text)

    def verdict(self, recipe: Recipe) -> str:
        """Compile by the recipe, run, compare: "same" or a sentence."""
        optimised = os.path.join(self.folder, "optimised.bc")
        binary = os.path.join(self.folder, "binary")
        limits = Limits(cpu_seconds=_COMPILE_CPU, memory=_MEMORY)
        try:
            with Evaluator(self.library, self.subject, limits) as evaluator:
                data = evaluator.apply(recipe)
        except EvaluationError as error:
            return f"the passes failed: {error}"
        with open(optimised, "wb") as file:
            file.write(data)
        options = (word for option in recipe.options for word in ("-mllvm", option))
        made = _execute(
            (
                *(self.toolchain.driver, "-w", f"-O{self.level.value}", "-x", "ir", optimised),
                *("-x", "none", "-Xclang", "-disable-llvm-passes", *options, *self.link),
                *("-o", binary),
            ),
            self.folder,
            _COMPILE_CPU,
        )
        if made.status:
            hung = made.status in (-signal.SIGXCPU, -signal.SIGKILL)
            return "code generation hung" if hung else "code generation failed"
        behaviour = _execute((binary,), self.folder, 5 * _RUN_CPU)
        if behaviour == self.expected:
            return SAME
        if behaviour.status == self.expected.status:
            return "another output"
        return f"another end: {behaviour.status} instead of {self.expected.status}"


def _execute(command: tuple[str, ...], folder: str, cpu_seconds: int) -> Behaviour:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 20, 64 << 20))

    with tempfile.TemporaryFile(dir=folder) as output:
        try:
            ended = subprocess.run(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.DEVNULL,
                preexec_fn=limit,
                env={**os.environ, "CR1_ACTIVE": "cr1 fuzz"},
                timeout=cpu_seconds * 20,
            )
        except subprocess.TimeoutExpired:
            return Behaviour(-signal.SIGKILL, b"")
        output.seek(0)
        return Behaviour(ended.returncode, output.read())


def guilty(trial: Trial) -> list[str]:
    """What the minimal recipe of a finding consists of: options, then passes and macros."""
    if trial.result == SAME:
        return []
    if trial.minimal == _NO_RECIPE:
        return ["the compiler itself"]
    recipe = parse_recipe(trial.minimal)
    names = list(recipe.options)
    for stage in recipe.stages:
        names.extend([stage] if is_macro(stage) else leaves(parse_pipeline(stage)))
    return names


def read_log(path: str) -> list[Trial]:
    """The trials of a log; a line cut short by an interruption is left out."""
    trials = []
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            for line in file:
                try:
                    trials.append(Trial(**json.loads(line)))
                except (ValueError, TypeError):
                    continue
    return trials


def append_log(path: str, trial: Trial) -> None:
    """One line per trial, written at once."""
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(trial)) + "\n")


def _keep(folder: str, source: Program, trial: Trial) -> None:
    os.makedirs(folder, exist_ok=True)
    stem = os.path.join(folder, source.name.replace(":", "-"))
    with open(stem + ".c", "w", encoding="utf-8") as file:
        file.write(source.source)
    append_log(stem + ".jsonl", trial)
