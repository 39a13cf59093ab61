"""The shape of a function: its opcodes, block by block.

Equal for functions that differ in names, constants, types or debug data only: a copy that was
touched up, another instance of a template. Unoptimised code is compared.
"""

from __future__ import annotations

from hashlib import blake2b

from cr1cc.ir.walk import blocks
from cr1cc.llvm.module import Module


def shapes(module: Module) -> list[tuple[str, int]]:
    """(shape in hex, instructions) of every defined function, in module order."""
    opcode = module.library.GetInstructionOpcode
    said: dict[int, list[str]] = {}
    counts: dict[int, int] = {}
    for function, _, instructions in blocks(module):
        words = said.setdefault(function, [])
        words.append(" ".join(str(opcode(instruction)) for instruction in instructions))
        counts[function] = counts.get(function, 0) + len(instructions)
    return [
        (blake2b("\n".join(words).encode(), digest_size=10).hexdigest(), counts[function])
        for function, words in said.items()
    ]
