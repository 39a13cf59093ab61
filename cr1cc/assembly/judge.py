"""The judge of new windows: the assembler says how large they are, a proof whether they hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from cr1cc.assembly.bench import listing
from cr1cc.assembly.problem import Problem
from cr1cc.errors import AsmError, GateError
from cr1cc.gate.verdict import Judgement, Verdict
from cr1cc.prove.code import unit_of
from cr1cc.prove.window import WindowProver
from cr1cc.rewrite.places import described

BY = "judge of windows"


class Judge:
    """Judges new lines for a window. Raises ProofError without the extra `prove`."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._prover = WindowProver()

    def judge(self, problem: Problem, lines: Sequence[str]) -> Judgement:
        """Proved or unknown. Raises ToolchainError without an assembler."""
        return next(iter(self.judge_all(problem, [lines])))

    def judge_all(self, problem: Problem, news: Sequence[Sequence[str]]) -> Iterable[Judgement]:
        """The same of several, assembled at once; each is proved when it is asked for."""
        old = [one.text for one in problem.window]
        try:
            texts = [problem.texts(lines) for lines in news]
            unit = unit_of("windows", listing([old, *texts], "w"), self._env)
        except (AsmError, GateError) as error:
            for _ in news:
                yield Judgement(Verdict.UNKNOWN, BY, str(error))
            return
        places = described(problem.places)
        for number, text in enumerate(texts, 1):
            new = unit.body(f"w{number}") if text else None
            yield self._prover.judge(unit.body("w0"), new, places)
