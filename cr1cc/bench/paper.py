"""The setting of the literature: what `clang -O0` leaves, IR instructions, passes alone."""

from __future__ import annotations

import subprocess
import time

from cr1cc.bench.contenders import Contender
from cr1cc.bench.results import Result
from cr1cc.bench.task import Answer, Task, result, score_of
from cr1cc.emit import contents
from cr1cc.errors import UserError
from cr1cc.evaluate.meter import Meter
from cr1cc.evaluate.worker import Subject
from cr1cc.llvm.triple import target_name
from cr1cc.passes.macros import attributes_only, macros_for
from cr1cc.passes.recipe import BASELINE
from cr1cc.records import Level, Metric, Request, Score

_UNOPTIMISED = ("-O0", "-Xclang", "-disable-O0-optnone")
_AS_IT_IS = ("-O0", "-Xclang", "-disable-llvm-passes", "-Wno-override-module")


class PaperModule:
    """One module in this setting."""

    def __init__(self, task: Task, path: str) -> None:
        """Raises UserError or EvaluationError if it cannot be compiled or measured."""
        self.task = task
        self.path = path
        major = task.toolchain.major
        self.subject = Subject(
            _bitcode(task, path), macros_for(major, Level.OZ), minsize=attributes_only(major)
        )
        with task.evaluator(self.subject) as evaluator:
            self.info = evaluator.describe()
            self.base = score_of(evaluator, BASELINE)

    def ask(self, contender: Contender) -> Result:
        """What the contender's best recipe makes of the module."""
        start = time.perf_counter()
        task, info = self.task, self.info
        target = target_name(info.triple) or ""
        request = Request(
            info, Level.OZ, task.toolchain.major, target, contender.candidates, Metric.INSTRUCTIONS
        )
        with self.task.evaluator(self.subject) as evaluator:
            # As in a compile, plain -Oz is measured first, and known to the proposer.
            meter = Meter(evaluator, contender.candidates + 1, info.ic, emit=False)
            meter.measure([BASELINE])
            recipes = contender.proposer.propose(request, meter.measure).recipes
            counts = [
                (score.ic, place)
                for place, score in enumerate(meter.measure(recipes))
                if isinstance(score, Score) and score.ic < self.base.ic
            ]
            recipe = recipes[min(counts)[1]] if counts else BASELINE
            final = score_of(evaluator, recipe)
        answer = Answer(recipe, meter.spent - 1, final.ic, final.loadable or 0)
        seconds = time.perf_counter() - start
        size = self.base.loadable or 0
        return result(task, self.path, contender, info, (self.base.ic, size), answer, seconds)

    def close(self) -> None:
        """Nothing is kept."""


def _bitcode(task: Task, path: str) -> bytes:
    if path.endswith(".bc"):
        return contents(path)
    options = (*_UNOPTIMISED, *task.flags) if path.endswith(".c") else _AS_IT_IS
    command = [task.toolchain.driver, *options, "-c", "-emit-llvm", path, "-o", "-"]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        raise UserError(f"clang gives no bitcode: {_first_error(done.stderr)}")
    return done.stdout


def _first_error(stderr: bytes) -> str:
    lines = stderr.decode(errors="replace").splitlines()
    return next((line for line in lines if "error" in line), lines[0] if lines else "no message")
