"""Solvers that answer, give up, end, hang or take too much memory."""

from __future__ import annotations

import os
import random
import subprocess
import sys

import pytest

pytest.importorskip("z3")
pytest.importorskip("bitwuzla")

from cr1cc.prove import engines
from cr1cc.prove import term as t
from cr1cc.prove.concrete import Input, Valuation
from cr1cc.prove.solver import Answer, Effort, Solvers
from tests.unit.prove.failing import broken, endless, greedy, killed
from tests.unit.prove.test_term import Maker

ENGINES = sorted(engines.TABLE)
X, Y = t.var("x", 64), t.var("y", 64)
NEVER = [t.below(X, Y), t.below(Y, X)]
SOMETIMES = [t.equal(t.mul(X, Y), t.const(77, 64)), t.below(X, Y), t.below(t.const(1, 64), X)]
# Two factors of one number, neither of which is small: no solver finds them at once.
HARD = [
    t.equal(
        t.mul(t.zext(t.var("a", 40), 80), t.zext(t.var("b", 40), 80)),
        t.const(1000000016000000063, 80),
    ),
    t.below(t.const(1, 40), t.var("a", 40)),
    t.below(t.const(1, 40), t.var("b", 40)),
]


@pytest.mark.parametrize("name", ENGINES)
def test_each_solver_knows_what_can_be_true(name: str) -> None:
    solvers = Solvers(Effort(), {name: engines.TABLE[name]})
    assert solvers.ask(NEVER) is Answer.NONE
    assert solvers.ask(SOMETIMES) is Answer.SOME


@pytest.mark.parametrize("name", ENGINES)
def test_each_solver_gives_an_example(name: str) -> None:
    values = Solvers(Effort(), {name: engines.TABLE[name]}).example(SOMETIMES, [X, Y])
    assert values is not None
    given = Input({"x": values[X], "y": values[Y]})
    assert all(Valuation(given).of(one) for one in SOMETIMES)


@pytest.mark.parametrize("name", ENGINES)
def test_each_solver_gives_up_after_its_steps(name: str) -> None:
    solvers = Solvers(Effort(conflicts=20), {name: engines.TABLE[name]})
    assert solvers.ask(HARD) is Answer.OPEN
    assert solvers.failures == {}


@pytest.mark.parametrize("bad", [killed, greedy, broken])
def test_one_that_ends_has_no_answer_and_the_other_has(bad: object) -> None:
    assert callable(bad)
    solvers = Solvers(Effort(), {"bad": bad, "z3": engines.z3})
    assert solvers.ask(NEVER) is Answer.NONE
    alone = Solvers(Effort(), {"bad": bad})
    assert alone.ask(NEVER) is Answer.OPEN
    assert alone.failures == {"bad": 1}


def test_one_that_hangs_is_ended_by_its_processor_time() -> None:
    solvers = Solvers(Effort(seconds=1), {"endless": endless})
    assert solvers.ask(NEVER) is Answer.OPEN
    assert solvers.failures == {"endless": 1}


def test_the_slower_one_is_ended_when_the_other_has_answered() -> None:
    solvers = Solvers(Effort(), {"endless": endless, "z3": engines.z3})
    assert solvers.ask(NEVER) is Answer.NONE
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_less_processor_time_than_a_question_may_take_is_enough() -> None:
    program = (
        "from cr1cc.prove import term as t\n"
        "from cr1cc.prove.solver import Answer, Effort, Solvers\n"
        "x, y = t.var('x', 64), t.var('y', 64)\n"
        "solvers = Solvers(Effort(seconds=3000))\n"
        "assert solvers.ask([t.below(x, y), t.below(y, x)]) is Answer.NONE\n"
        "assert solvers.failures == {}\n"
    )
    command = ["sh", "-c", 'ulimit -t 1000; exec "$@"', "sh", sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_false_needs_no_solver() -> None:
    solvers = Solvers(Effort(), {"killed": killed})
    assert solvers.ask([t.FALSE]) is Answer.NONE
    assert solvers.ask([t.TRUE]) is Answer.SOME
    assert solvers.questions == 0


@pytest.mark.parametrize("name", ENGINES)
def test_a_formula_means_to_a_solver_what_it_means_to_us(name: str) -> None:
    solvers = Solvers(Effort(), {name: engines.TABLE[name]})
    seeds = random.Random(1).sample(range(10_000), 12)
    for seed in seeds:
        maker = Maker(seed)
        made, value = maker.make(64, 3)
        fixed = [
            t.equal(one, t.const(maker.values[one.data], one.width))
            for one in t.reachable([made])
            if one.operation == "var"
        ]
        differs = t.invert(t.equal(made, t.const(value, 64)))
        assert solvers.ask([*fixed, differs]) is Answer.NONE, made
