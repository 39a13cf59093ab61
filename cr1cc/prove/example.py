"""An input from what a solver finds."""

from __future__ import annotations

from cr1cc.prove import term as t
from cr1cc.prove.concrete import Input
from cr1cc.prove.samples import Inputs
from cr1cc.prove.solver import Solvers
from cr1cc.prove.term import Term


def example_of(formulas: list[Term], solvers: Solvers, inputs: Inputs) -> Input | None:
    """An input for which all formulas are true, with all the bytes that they read. None if no
    solver finds one."""
    terms = t.reachable(formulas)
    variables = [one for one in terms if one.operation == "var"]
    loads = [one for one in terms if one.operation == "select"]
    base = {one: _base(one) for one in loads}
    wanted = list(variables)
    for one in loads:
        wanted += [one.arguments[1], t.raw_select(base[one], one.arguments[1], one.width // 8)]
    values = solvers.example(formulas, wanted)
    if values is None:
        return None
    example = inputs.of({one.data: values[one] for one in variables})
    for one in loads:
        start, size = values[one.arguments[1]], one.width // 8
        loaded = values[t.raw_select(base[one], one.arguments[1], size)]
        known = example.bytes.setdefault(base[one].data, {})
        for i in range(size):
            known[(start + i) & ((1 << 64) - 1)] = loaded >> 8 * i & 255
    return example


def _base(term: Term) -> Term:
    """The memory below all stores that a load may see."""
    memory = term.arguments[0]
    while memory.operation == "store":
        memory = memory.arguments[0]
    return memory
