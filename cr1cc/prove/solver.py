"""Two solvers, each in a process of its own, and what they say of a formula.

Each question goes to both at once, with limits in steps of their own: the resources that z3
counts, the calls of a function of ours that bitwuzla makes while it searches. Whether one of them
answers is therefore always the same, and their answers cannot differ; so the first one that says
*no input* (or *some input*) decides. Limits of processor time and memory are a net below that.
A solver that ends, or gives up, has no answer.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from cr1cc.prove import engines
from cr1cc.prove.smt import script
from cr1cc.prove.term import Term
from cr1cc.util.confine import die_with, limit_memory, limit_time, silence
from cr1cc.util.messages import read_message, write_message


class Answer(Enum):
    """Whether there is an input for which a formula is true."""

    NONE = "no input"
    SOME = "some input"
    OPEN = "no answer"


@dataclass(frozen=True)
class Effort:
    """Limits of one question. `conflicts`: about as many conflicts as a solver may run into;
    `seconds` of processor time and `memory` in bytes are for each solver."""

    conflicts: int = 5_000
    seconds: int = 30
    memory: int = 256 << 20


class Solvers:
    """Asks; remembers. `engines`: functions that answer a script, by name."""

    def __init__(self, effort: Effort, table: dict[str, Callable[..., Any]] | None = None) -> None:
        self._effort = effort
        self._engines = engines.TABLE if table is None else table
        self._known: dict[tuple[Term, ...], Answer] = {}
        self.questions = 0
        self.failures: dict[str, int] = {}

    def ask(self, formulas: Sequence[Term], part: int = 1) -> Answer:
        """Whether all formulas, which are truths, can be true together. With 1 / `part` of the
        effort."""
        rest = tuple(dict.fromkeys(one for one in formulas if not (one.constant and one.data)))
        if any(one.constant for one in rest):
            return Answer.NONE
        if not rest:
            return Answer.SOME
        if rest not in self._known:
            self.questions += 1
            text, _ = script(rest)
            failed = dict(self.failures)
            answers = {"unsat": Answer.NONE, "sat": Answer.SOME}
            replies = self._replies(text, (), conflicts=self._effort.conflicts // part)
            found = next((answers[word] for word, _ in replies if word in answers), Answer.OPEN)
            if found is not Answer.OPEN:  # whether the other one failed before is a matter of time
                self.failures = failed
            self._known[rest] = found
        return self._known[rest]

    def example(self, formulas: Sequence[Term], wanted: Sequence[Term]) -> dict[Term, int] | None:
        """Values of some terms for an input that makes the formulas true, None if none is found.

        Not of the solver that is first, but of the first of the table that finds one.
        """
        text, names = script(formulas, wanted)
        for name in self._engines:
            for word, values in self._replies(text, names, (name,)):
                if word == "sat":
                    return dict(zip(wanted, values, strict=True))
        return None

    def _replies(
        self, text: str, names: Sequence[str], only: Sequence[str] = (), conflicts: int = 0
    ) -> Iterator[tuple[str, list[int]]]:
        """What the solvers say, as it comes; those that are still at it are ended."""
        running: dict[int, tuple[str, int]] = {}
        try:
            for name in only or self._engines:
                limit = conflicts or self._effort.conflicts
                descriptor, pid = self._start(self._engines[name], text, names, limit)
                running[descriptor] = (name, pid)
            while running:
                for descriptor in sorted(select.select(list(running), [], [])[0]):
                    name, pid = running.pop(descriptor)
                    reply = _reply(descriptor, pid)
                    if reply is None:
                        self.failures[name] = self.failures.get(name, 0) + 1
                    else:
                        yield reply
        finally:
            for descriptor, (_, pid) in running.items():
                os.kill(pid, signal.SIGKILL)
                _reply(descriptor, pid)

    def _start(
        self, engine: Callable[..., Any], text: str, names: Sequence[str], conflicts: int
    ) -> tuple[int, int]:
        read, write = os.pipe()
        parent = os.getpid()
        pid = os.fork()
        if pid:
            os.close(write)
            return read, pid
        try:
            die_with(parent)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            silence()
            limit_memory(self._effort.memory)
            limit_time(self._effort.seconds)
            write_message(write, engine(text, names, conflicts))
        finally:
            os._exit(0)  # whatever happened: an answer that is not there is told by its absence


def _reply(descriptor: int, pid: int) -> tuple[str, list[int]] | None:
    try:
        reply: tuple[str, list[int]] | None = read_message(descriptor)
    except (OSError, EOFError, ValueError):
        reply = None
    os.close(descriptor)
    os.waitpid(pid, 0)
    return reply
