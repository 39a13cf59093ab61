"""Tokens and masks of the model of assembly: what is read comes back, what is said assembles."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from cr1cc.assembly import grammar, vocabulary
from cr1cc.assembly.cut import windows_of
from cr1cc.assembly.forms import FORMS
from cr1cc.assembly.grammar import LENGTH, LONGEST, State, fits, scope
from cr1cc.assembly.names import example_names, restored
from cr1cc.assembly.vocabulary import FORM_OF, IDS, TOKENS, Goal, decode, encode, prompt
from cr1cc.errors import AsmError
from cr1cc.model.vocabulary import END
from cr1cc.prove.code import unit_of
from tests.unit.assembly.test_normal import COMPILERS, DATA, compiled

WINDOWS = [
    ("movl $1, %eax", "cltq"),
    ("movl 8(%rsp), %n0d", "addl %n1d, %n0d", "cmpl $N0, S0(%rip)", "je L0"),
    ("movq S0@GOTPCREL(%rip), %x0", "movabsq $-Q0, %rax", "movb %x1b, -N0(%x0,%rax,4)"),
    ("shll %cl, %n0d", "movq %fs:40, %rax", "movdqa %v0, %w0", "movl %n0d, %eax", "sete %n1b"),
    ("pushq %n0", "movw $N0, %n1w", "leaq (,%n1,8), %n2", "popq %rbp", "leave"),
    ("cqto", "movsbl 1(%x0), %n0d", "imulq $100, %n0, %x1"),
]


def walk(start: State, rng: Random) -> list[int]:
    """Random tokens to the end, each form as likely as the end."""
    found: list[int] = []
    state = start
    while not state.done:
        assert state.left <= LENGTH + LONGEST
        token = rng.choice(state.allowed())
        found.append(token)
        state = state.step(token)
    return found


def assembles(windows: Sequence[Sequence[str]]) -> None:
    """One function each, so that a message says which."""
    lines = ["\t.text"]
    for number, window in enumerate(windows):
        lines += [f"f{number}:", *window, "\tret"]
    unit_of("windows", "\n".join(lines) + "\n", os.environ)


@pytest.mark.parametrize("lines", WINDOWS)
def test_whatever_is_drawn_can_be_restored_and_assembled(lines: tuple[str, ...]) -> None:
    names = example_names(lines)
    start = State(scope(lines, names))
    drawn = [walk(start, Random(seed)) for seed in range(150)]
    said = [decode(tokens, lines) for tokens in drawn]
    assert len(set(said)) > 100
    assembles([[one.text for one in restored(some, names)] for some in said])
    for tokens, some in zip(drawn, said, strict=True):
        assert len(tokens) <= LENGTH
        assert len(some) <= len(lines) + 1
        assert fits(start.scope, tokens)
        jumps = [at for at, line in enumerate(some) if line.startswith("j")]
        assert jumps == ([len(some) - 1] if lines[-1].startswith("j") else [])


def test_every_form_assembles() -> None:
    """In a window that has whatever a form may need."""
    lines = ("movl $N0, S0(%rip)", "shlq %cl, %n0", "movq %v0, %x0", "cqto", "leave", "je L0")
    names = example_names(lines)
    start = State(scope(lines, names))
    assert len(start.allowed()) == len(FORMS) + len(lines)
    rows = []
    for token in FORM_OF:
        for seed in range(2):
            state, tokens, rng = start.step(token), [token], Random(seed)
            while state.waiting:
                tokens.append(rng.choice(state.allowed()))
                state = state.step(tokens[-1])
            (line,) = decode(tokens)
            assert len(tokens) <= LONGEST
            assert encode((line,)) == tokens
            rows.append([one.text for one in restored((line,), names)])
    assembles(rows)


@pytest.mark.parametrize(("compiler", "level"), COMPILERS)
def test_what_compilers_write_comes_back_from_tokens(
    compiler: str, level: str, tmp_path: Path
) -> None:
    known, unknown = 0, 0
    for cut in islice(windows_of(compiled(DATA, compiler, level, tmp_path)), 0, None, 7):
        lines, live, names = cut.normal
        try:
            tokens = prompt(lines, live, Goal.SIZE)
        except AsmError:
            unknown += 1
            continue
        known += 1
        old = [one for one in tokens[tokens.index(IDS[vocabulary.OLD]) + 1 : -1]
               if TOKENS[one] not in vocabulary.KEPT]  # fmt: skip
        assert encode(decode(old)) == old
        if compiler == "gcc":
            assert decode(old) == lines
        kept = encode(lines, lines)
        assert decode(kept, lines) == lines
        for said in (old, kept):
            assert fits(scope(lines, names), [*said, IDS[END]])
    assert known > 3 * unknown > 0  # floating-point arithmetic, thread-local data


def test_numbers_have_to_fit_what_the_window_s_own_are_worth() -> None:
    lines = ("movl $N0, %n0d", "addq %n0, %n1")
    fields = scope(lines, {**example_names(lines), "N0": "3000000000"}).fields
    assert IDS["N0"] in fields["il"]
    assert IDS["N0"] not in fields["iq"]
    assert IDS["N0"] not in fields["ib"]
    assert IDS["$255"] in fields["ib"]
    assert IDS["$256"] not in fields["ib"]


def test_a_window_that_accesses_no_memory_gets_no_access() -> None:
    state = State(scope(("movl %n0d, %n1d",), example_names(("movl %n0d, %n1d",))))
    forms = [FORM_OF[token] for token in state.allowed() if token in FORM_OF]
    assert any(form.mnemonic == "leal" for form in forms)
    assert not any(form.accesses for form in forms)
    assert not any("v" in form.kinds or form.jumps or form.needs for form in forms)


@pytest.mark.parametrize("line", [
    "mulsd %v0, %v1", "movl %fs:S0@tpoff, %eax", "movl $12345, %eax", "movb %ah, %n0b",
    "frobl %eax", "movl", "movl (%n0d), %eax", "movl $S0, %eax",
])  # fmt: skip
def test_what_has_no_tokens_is_said_so(line: str) -> None:
    with pytest.raises(AsmError):
        encode((line,))


def test_lines_of_the_window_are_named_by_their_numbers() -> None:
    old = ("movl %n0d, %n1d", "addl $1, %n1d", "movl %n0d, %n1d")
    words = [TOKENS[token] for token in encode((old[0], "incl %n1d", old[2]), old)]
    assert words == ["=0", "incl_rl", "n1", "=0"]
    assert encode(old[1:], old) == [IDS["=1"], IDS["=2"]]


@pytest.mark.parametrize(
    "words", [["=0"], ["m:b"], ["addl_il,rl", "$1"], ["addl_il,rl", "live:eax"]]
)
def test_tokens_that_spell_nothing_are_an_error(words: list[str]) -> None:
    with pytest.raises(AsmError):
        decode([IDS[word] for word in words])


def test_tokens_and_forms_are_unique() -> None:
    assert len(set(TOKENS)) == len(TOKENS)
    assert len(set(FORMS)) == len(FORMS)
    assert grammar.LENGTH > 6 * LONGEST
