"""What proofs say of read-only data: constants are told by content, variables by name."""

from __future__ import annotations

import os

import pytest

pytest.importorskip("triton")
pytest.importorskip("z3")
pytest.importorskip("bitwuzla")

from cr1cc.gate.prototype import parse_prototype
from cr1cc.gate.verdict import Verdict
from cr1cc.prove.code import Body, unit_of
from cr1cc.prove.proof import prove
from tests.unit.gate.cases import unit
from tests.unit.prove.bodies import lines

PROVED, REFUTED, UNKNOWN = Verdict.PROVED, Verdict.REFUTED, Verdict.UNKNOWN


def test_constants_of_one_name_may_hold_other_values() -> None:
    code = unit("f", "\tmovl\tk(%rip), %eax\n\tret\n")
    tables = [lines(f".globl k; .section .rodata; k: .long {value}; .text") for value in (1, 2)]
    bodies = [unit_of("f.s", code + table, os.environ) for table in tables]
    signature = parse_prototype("int f(void)")
    one, two = (body.body("f") for body in bodies)
    assert prove(one, one, signature).verdict is PROVED
    assert prove(one, two, signature).verdict is REFUTED


def constants(body: str, *rows: str) -> Body:
    """A function, and read-only data whose labels only the unit itself knows."""
    data = lines(".section .rodata; .balign 8; " + "; ".join(rows) + "; .text")
    return unit_of("f.s", unit("f", lines(body)) + data, os.environ).body("f")


ADDRESS = "leaq {}(%rip), %rax; ret"
VALUE = "movl {}(%rip), %eax; ret"


@pytest.mark.parametrize("body", [ADDRESS, VALUE])
def test_a_constant_is_told_by_its_content_whatever_else_there_is(body: str) -> None:
    signature = parse_prototype("const int *f(void)" if body is ADDRESS else "int f(void)")
    one = constants(body.format(".LC0"), ".LC0: .long 7, 9")
    two = constants(body.format(".LC3"), ".LC1: .quad 1", ".LC3: .long 7, 9", ".LC4: .quad 2")
    other = constants(body.format(".LC3"), ".LC1: .quad 1", ".LC3: .long 8, 9", ".LC4: .quad 2")
    assert prove(one, two, signature).verdict is PROVED
    assert prove(one, other, signature).verdict is REFUTED


def test_variables_of_one_content_are_two() -> None:
    signature = parse_prototype("const int *f(void)")
    rows = ("a: .long 7", "b: .long 7")
    one, two = (constants(ADDRESS.format(name), *rows) for name in "ab")
    assert prove(one, two, signature).verdict is REFUTED
    assert prove(one, one, signature).verdict is PROVED


def test_the_end_of_a_constant_is_not_the_next_one() -> None:
    signature = parse_prototype("const int *f(void)")
    rows = (".LC0: .long 7", ".LC1: .long 9")
    one, two = (constants(ADDRESS.format(name), *rows) for name in (".LC0+4", ".LC1"))
    assert prove(one, two, signature).verdict is not PROVED


def test_a_table_of_jumps_beside_a_constant_makes_no_difference() -> None:
    signature = parse_prototype("int f(void)")
    rows = (".LC0: .long 7", ".L5: .long .L6-.L5", ".LC1: .long 7")
    one, two = (
        constants(VALUE.format(name), *rows, ".text; .L6: nop") for name in (".LC0", ".LC1")
    )
    assert prove(one, two, signature).verdict is PROVED
    table = constants(VALUE.format(".L5"), *rows)
    assert prove(table, table, signature).verdict is UNKNOWN
