"""Runs of instructions are code of one object, whatever stands beside them."""

from __future__ import annotations

import os

from cr1cc.errors import EvaluationError, GateError
from cr1cc.gate.body import assembled
from cr1cc.prove.runs import pairs

SHORTER = (["addl $1, %esi"], ["incl %esi"])
GONE = (["movq %rax, %rax", "nop"], [])
NONSENSE = (["addl $1, %esi"], ["frobnicate %esi"])
EMPTY = (["# nothing"], [])


def assemble(text: str) -> bytes:
    return assembled(text, os.environ)


def test_each_run_has_its_bytes_and_what_is_no_code_has_none() -> None:
    found = list(pairs([NONSENSE, SHORTER, EMPTY, GONE, NONSENSE], assemble))
    assert [one and one.sizes for one in found] == [None, (3, 2), None, (4, 0), None]
    assert [one.saved for one in found if one] == [1, 4]
    assert found[3] is not None
    assert found[3].new is None


def test_what_is_all_code_is_assembled_once() -> None:
    asked = []

    def counting(text: str) -> bytes:
        asked.append(text)
        return assemble(text)

    assert all(pairs([SHORTER] * 50, counting))
    assert len(asked) == 1


def test_an_assembler_that_takes_nothing_makes_no_code() -> None:
    for error in (GateError, EvaluationError):

        def refuse(text: str, error: type[Exception] = error) -> bytes:
            raise error("no")

        assert list(pairs([SHORTER, GONE], refuse)) == [None, None]
