"""Which opcodes follow each other in a module: what can be told of it besides its features."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from cr1cc.ir.walk import blocks
from cr1cc.llvm.module import Module


def opcode_pairs(module: Module) -> dict[str, int]:
    """How often each pair of neighbours stands in a block, as numbers of LLVMOpcode
    (llvm-c/Core.h): "26 28"."""
    opcode = module.library.GetInstructionOpcode
    counts: Counter[tuple[int, int]] = Counter()
    for _, _, instructions in blocks(module):
        counts.update(pairwise(map(opcode, instructions)))
    return {f"{first} {second}": count for (first, second), count in sorted(counts.items())}
