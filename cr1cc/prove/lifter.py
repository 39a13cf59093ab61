"""What one instruction does, as terms. The only module that imports triton.

Triton decodes the bytes and gives formulas over the registers before the instruction. It also
leaves out silently what it does not model; so only instructions with a row in `instructions.py`
are asked of it, and what a row calls undefined is not taken from it.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from cr1cc.errors import ProofError
from cr1cc.prove.effect import GENERAL, SEGMENTS, VECTORS, Effect
from cr1cc.prove.formulas import ORIGIN, PLACE, Formulas
from cr1cc.prove.installed import MISSING
from cr1cc.prove.instructions import FLAGS, INSTRUCTIONS, OWN
from cr1cc.prove.own import own_effect

# Intel's manual, volume 2, 2.1.1.
_PREFIXES = frozenset((0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65, 0x66, 0x67, 0xF0, 0xF2, 0xF3))


class Lifter:
    """Lifts instructions; equal bytes are lifted once. Raises ProofError if triton is missing."""

    def __init__(self) -> None:
        try:
            import triton
        except ImportError:
            raise ProofError(MISSING) from None
        self.library: Any = triton
        self._context: Any = triton.TritonContext(triton.ARCH.X86_64)
        self._known: dict[tuple[bytes, int | None], Effect] = {}
        self._names = {"zmm" + name[3:]: name for name in VECTORS}
        self._names |= {name: name for name in (*GENERAL, *FLAGS, *SEGMENTS)}

    def lift(self, code: bytes, relocated: int | None) -> Effect:
        """The instruction that `code` begins with. `relocated`: where its 32-bit field with a
        relocation is. Raises ProofError with what is not modelled."""
        code = code[:15]
        size, words = self._decode(code)
        key = (code[:size], relocated if relocated is not None and relocated < size else None)
        if key not in self._known:
            self._known[key] = self._lift(key[0], key[1], words)
        return self._known[key]

    def _decode(self, code: bytes) -> tuple[int, list[str]]:
        instruction = self.library.Instruction(ORIGIN, code)
        try:
            self._context.disassembly(instruction)
        except TypeError:
            raise ProofError(f"bytes that are no instruction: {code.hex(' ')}") from None
        return instruction.getSize(), instruction.getDisassembly().split()

    def _lift(self, code: bytes, relocated: int | None, words: list[str]) -> Effect:
        prefixes = ("notrack", "bnd", "repz") if words[-1] == "ret" else ("notrack", "bnd")
        while words[0] in prefixes and len(words) > 1:
            words = words[1:]
        mnemonic = words[0]
        if relocated is not None:
            far = (PLACE - ORIGIN - len(code)).to_bytes(4, "little")
            code = code[:relocated] + far + code[relocated + 4 :]
        if mnemonic in ("ret", "jmp", "call"):
            return self._transfer(code, mnemonic, words, relocated)
        row = INSTRUCTIONS.get(mnemonic)
        if row is None and mnemonic not in OWN:
            raise ProofError(f"the instruction {mnemonic} is not modelled")
        if mnemonic == "movsd" and not any(word.startswith("xmm") for word in words):
            raise ProofError("the string instruction movsd is not modelled")
        leading = set(takewhile(_PREFIXES.__contains__, code))
        if mnemonic == "lea" and {0x64, 0x65} & leading:
            raise ProofError("an address with a segment that is not accessed is not modelled")
        if 0x67 in leading and mnemonic != "nop":
            raise ProofError("an address of 32 bits is not modelled")
        decoded = Formulas(self.library, self._context, self._names, code)
        if row is None:
            return own_effect(decoded, mnemonic, len(code))
        return decoded.effect(mnemonic, row, relocated)

    def _transfer(
        self, code: bytes, mnemonic: str, words: list[str], relocated: int | None
    ) -> Effect:
        if mnemonic == "ret":
            if len(words) > 1:
                raise ProofError("a return that pops arguments is not modelled")
            return Effect("ret", len(code), "ret")
        jump = None
        if not words[1].startswith("0x"):
            decoded = Formulas(self.library, self._context, self._names, code)
            target, loads = decoded.operand(0)
            kind = f"indirect {'jump' if mnemonic == 'jmp' else 'call'}"
            return Effect(mnemonic, len(code), kind, {"target": target}, loads=loads)
        if relocated is None:
            jump = int(words[1], 16) - ORIGIN
        kind = "jump" if mnemonic == "jmp" else "call"
        return Effect(mnemonic, len(code), kind, jump=jump)
