"""What the rules of `cr1cc/rewrite` make of a window."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from cr1cc.assembly.names import named
from cr1cc.assembly.problem import Problem
from cr1cc.errors import AsmError
from cr1cc.rewrite.change import Objective
from cr1cc.rewrite.flow import Code, live_before
from cr1cc.rewrite.windows import Rules, statement_of


def ruled(problem: Problem) -> Iterator[tuple[str, ...]]:
    """New lines, one for each place where a rule matches."""
    code = Code([[((0, at), statement_of(one.text)) for at, one in enumerate(problem.window)]])
    live = problem.places
    for line in reversed(code.lines):
        line.live = live
        if line.instruction is not None:
            live = live_before(line.instruction, live)
    for found in _rules().proposals(code):
        first = found.old[0].at[1]
        rest = problem.window[first + len(found.old) :]
        try:
            yield named((*problem.window[:first], *found.new, *rest), problem.names)
        except AsmError:
            continue


@cache
def _rules() -> Rules:
    return Rules(Objective.SMALLEST)
