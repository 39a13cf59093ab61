"""Functions as text, and what the rewriter makes of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from cr1cc.asm.printer import print_unit
from cr1cc.asm.reader import read_unit
from cr1cc.gate.body import assembled
from cr1cc.rewrite.change import Objective
from cr1cc.rewrite.engine import Rewriter
from cr1cc.rewrite.flow import Code
from cr1cc.rewrite.instruction import parsed
from cr1cc.rewrite.judge import Judge
from cr1cc.rewrite.rules import RULES, Rule
from cr1cc.rewrite.windows import Proposal, Rules, statement_of
from cr1cc.storage.local import LocalStore
from tests.unit.gate.cases import unit


def rewriter(
    objective: Objective, rules: Iterable[Rule] = RULES, store: LocalStore | None = None
) -> Rewriter:
    """One by rules alone, with what the GNU assembler makes."""
    judge = Judge(lambda text: assembled(text, os.environ), store=store)
    return Rewriter([Rules(objective, rules)], judge)


def text_of(body: str) -> str:
    """A unit with a function `f`. Lines are divided by ";", too."""
    lines = [line.strip() for line in body.replace(";", "\n").splitlines() if line.strip()]
    return unit("f", "\n".join(line if line.endswith(":") else f"\t{line}" for line in lines))


def rewritten(
    body: str,
    objective: Objective = Objective.SMALLEST,
    rules: Iterable[Rule] = RULES,
    store: LocalStore | None = None,
) -> list[str]:
    """The instructions and labels of the function after all rules, blanks made single."""
    new, _ = rewriter(objective, rules, store).rewrite(read_unit(text_of(body)))
    lines = (" ".join(line.split()) for line in print_unit(new).splitlines())
    return [one for one in lines if one and (one.endswith(":") or one[0] != ".") and one != "f:"]


class Planted:
    """Proposes one replacement wherever lines begin with an instruction."""

    version = "planted 1"

    def __init__(self, old: str, new: str, length: int = 1) -> None:
        self._old = old
        self._new = tuple(parsed(statement_of(one)) for one in new.split(";") if one)
        self._length = length

    def proposals(self, code: Code) -> Iterator[Proposal]:
        lines = code.lines
        for start, line in enumerate(lines):
            if line.instruction and line.instruction.text == self._old:
                yield Proposal("planted", tuple(lines[start : start + self._length]), self._new)
