"""Search finds what is known to be better, and whatever it keeps is proved."""

from __future__ import annotations

import os

import pytest

pytest.importorskip("triton")
pytest.importorskip("z3")
pytest.importorskip("bitwuzla")

from cr1cc.assembly.appraisal import Appraiser, Ask
from cr1cc.assembly.bench import Bench
from cr1cc.assembly.candidates import candidates
from cr1cc.assembly.material import material
from cr1cc.assembly.names import restored
from cr1cc.assembly.problem import Problem
from cr1cc.assembly.ruled import ruled
from cr1cc.assembly.score import Score, score
from cr1cc.assembly.search import guesses

EFFORT = 40_000

# A window, what is live behind it, and a better one that is known.
KNOWN = (
    ("cmpl $0, %n0d; je L0", "n0", "testl %n0d, %n0d; je L0"),
    ("movl $0, %n0d", "n0", "xorl %n0d, %n0d"),
    ("movq %n0, %rax; addq %n1, %rax", "rax n0 n1", "leaq (%n0,%n1), %rax"),
    ("movl %eax, %n0d; shll $2, %n0d; addl %n0d, %eax", "rax", "leal (%rax,%rax,4), %eax"),
    ("movzbl (%n0), %eax; movzbl %al, %eax", "rax n0", "movzbl (%n0), %eax"),
    ("movl 8(%n0), %eax; addl $1, %eax; movl %eax, 8(%n0)", "n0", "addl $1, 8(%n0)"),
    ("movl %n0d, %n1d; andl $1, %n1d; cmpl $1, %n1d; je L0", "n0", "testb $1, %n0b; jne L0"),
    ("leaq 8(%n0), %n1; movl (%n1), %eax", "rax n0", "movl 8(%n0), %eax"),
    ("notl %n0d; addl $1, %n0d", "n0", "negl %n0d"),
    ("movq %n0, %n1; movq %n1, %n0", "n0", ""),
)


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench(os.environ)


@pytest.fixture(scope="module")
def appraiser() -> Appraiser:
    return Appraiser(os.environ)


def lines(text: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in text.split(";") if one.strip())


def is_proved(appraiser: Appraiser, problem: Problem, new: tuple[str, ...]) -> bool:
    return appraiser.appraise([Ask(problem.lines, problem.live, new)])[0].proved


def first_proved(bench: Bench, appraiser: Appraiser, problem: Problem) -> Score | None:
    found = guesses(bench, problem, EFFORT)
    return next((rank for rank, new in found if is_proved(appraiser, problem, new)), None)


@pytest.mark.parametrize(("text", "live", "better"), KNOWN, ids=[row[0] for row in KNOWN])
def test_what_is_known_to_be_better_is_found(
    text: str, live: str, better: str, bench: Bench, appraiser: Appraiser
) -> None:
    problem = Problem(lines(text), live.split())
    found = first_proved(bench, appraiser, problem)
    assert found is not None
    assert found <= score(bench, problem, lines(better))
    assert found.beats(score(bench, problem, problem.lines))


@pytest.mark.parametrize(("text", "live"), [
    ("addl %n0d, %n1d", "n0 n1"),
    ("xorl %n0d, %n0d", "n0"),
    ("movl $0, %n0d", "n0 cf zf"),
    ("leaq (%n0,%n1), %rax", "rax n0 n1"),
    ("movl (%n0), %eax; movl (%n0), %eax", "rax n0"),
    ("cmpl %n0d, %n1d; jb L0", "n0 n1"),
])  # fmt: skip
def test_what_cannot_be_better_stays(
    text: str, live: str, bench: Bench, appraiser: Appraiser
) -> None:
    assert first_proved(bench, appraiser, Problem(lines(text), live.split())) is None


def test_guesses_that_hold_on_samples_only_are_refused(appraiser: Appraiser) -> None:
    problem = Problem(("testl %n0d, %n0d", "je L0"), ("n0",))
    assert not is_proved(appraiser, problem, ("testb %n0b, %n0b", "je L0"))
    assert is_proved(appraiser, problem, ("cmpl $0, %n0d", "je L0"))
    assert not is_proved(appraiser, problem, ("cmpl $0, %n0d", "je L1"))
    assert not is_proved(appraiser, problem, ("testl %n1d, %n1d", "je L0"))


def test_the_same_window_gives_the_same_guesses(bench: Bench) -> None:
    text, live, _ = KNOWN[3]
    found = [guesses(one, Problem(lines(text), live.split()), 5_000)
             for one in (bench, Bench(os.environ))]  # fmt: skip
    assert found[0] == found[1]
    assert found[0]


def test_effort_is_a_limit() -> None:
    text, live, _ = KNOWN[3]
    problem = Problem(lines(text), live.split())
    assert not guesses(Bench(os.environ), problem, 1)


@pytest.mark.parametrize("text", [
    "movl %ecx, %n0d; shll %cl, %eax; sete %n0b", "cltd; addl 8(%rsp), %rax; cmpq $1, %n0; jb L0",
    "movslq %n0d, %n1; movzbl (%x0,%n1), %n2d; movb %n2b, (%rax); addq $N0, %rax",
    "movdqa %v0, %v1; pxor 16(%n0), %v1; movd %v1, %n1d", "movabsq $Q0, %n0; movw $-N0, (%n0)",
])  # fmt: skip
def test_nearly_all_candidates_can_be_assembled(text: str, bench: Bench) -> None:
    text = text.replace("%ecx, ", "%n1d, ").replace("addl 8(%rsp), %rax", "addl 8(%rsp), %eax")
    problem = Problem(lines(text), ())
    made = candidates(material(problem.lines, problem.window, problem.names))
    texts = [restored([line], problem.names)[0].text for line in made]
    bench.learn(texts)
    sizes = [bench.size(one) for one in texts]
    assert len(sizes) > 100
    assert sum(size > 0 for size in sizes) >= 0.9 * len(sizes)


@pytest.mark.parametrize(("text", "live", "new"), [
    ("addq $1, %n0; cmpq %rax, %n1; jg L0", "rax n0 n1", "incq %n0; cmpq %rax, %n1; jg L0"),
    ("movl %n0d, %eax", "rax", "xchgl %eax, %n0d"),
    ("addq $1, %n0; jb L0", "n0", None),
    ("movl %n0d, %eax", "rax n0", None),
])  # fmt: skip
def test_rules_see_what_is_live_behind_a_window(text: str, live: str, new: str | None) -> None:
    found = list(ruled(Problem(lines(text), live.split())))
    assert found == ([lines(new)] if new else [])
