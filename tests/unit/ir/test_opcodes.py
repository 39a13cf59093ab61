"""Pairs of opcodes: what follows what in a block."""

from __future__ import annotations

from collections.abc import Callable

from cr1cc.ir.opcodes import opcode_pairs
from cr1cc.llvm.module import Module

TEXT = """
define i32 @f(i32 %a, i32 %b) {
  %1 = add i32 %a, %b
  %2 = add i32 %1, %b
  %3 = mul i32 %2, %a
  ret i32 %3
}
define i32 @g(i32 %a) {
  %1 = add i32 %a, %a
  %2 = mul i32 %1, %1
  ret i32 %2
}
declare i32 @outside(i32)
"""


def test_neighbours_of_a_block_are_counted(parse: Callable[[str], Module]) -> None:
    with parse(TEXT) as module:
        found = opcode_pairs(module)
    assert found == {"8 8": 1, "8 12": 2, "12 1": 2}  # add add, add mul, mul ret
