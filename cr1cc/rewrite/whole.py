"""Windows that no proof vouches for, judged with the whole function around them.

That is for who asks for it by `admit = "tested"`: the gate (`gate/gate.py`) proves the function
with the new window for the one with the old window, where what is known of the whole function
helps, or runs both on many inputs. It compares what the ABI says of a function. So windows go
without that write a register which the function leaves alone, as callers may know (-fipa-ra).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

from cr1cc.asm.graph import Graph
from cr1cc.asm.printer import print_unit
from cr1cc.asm.unit import Unit
from cr1cc.errors import Cr1Error, GateError
from cr1cc.gate.dwarf import signature_of
from cr1cc.gate.gate import Gate, is_admitted
from cr1cc.gate.verdict import Judgement, Verdict
from cr1cc.prove.usual import usual_gate
from cr1cc.rewrite.code import code_of
from cr1cc.rewrite.places import ALL_GENERAL
from cr1cc.rewrite.windows import clobbered
from cr1cc.storage.local import LocalStore

_BY = "gate"


class WholeFunctions:
    """`debugged` gives an object of the same source with debug data, which says what functions
    take and give, and raises EvaluationError; `compiler` builds drivers."""

    def __init__(
        self,
        compiler: str,
        environ: Mapping[str, str],
        debugged: Callable[[], bytes],
        store: LocalStore | None = None,
        gate: Gate | None = None,
    ) -> None:
        self._gate = gate or usual_gate(environ, compiler, store)
        self._debugged = debugged

    @cached_property
    def _data(self) -> bytes:
        return self._debugged()

    def judge(self, name: str, before: Unit, after: Unit) -> Judgement:
        """What the gate says of a function in two units that are equal but for it."""
        try:
            if _clobbered(after, name) & ~_clobbered(before, name) & ALL_GENERAL:
                raise GateError("it writes a register that the function left alone")
            signature = signature_of(self._data, name)
        except Cr1Error as error:
            return Judgement(Verdict.UNKNOWN, _BY, " ".join(str(error).split()))
        return self._gate.judge_texts(print_unit(before), print_unit(after), signature)

    @staticmethod
    def admits(judgement: Judgement) -> bool:
        """Whether a window with that judgement may be linked."""
        return is_admitted(judgement, "tested")


def _clobbered(unit: Unit, name: str) -> int:
    """The general registers to which a function gives new values."""
    defined = frozenset(name for name, one in unit.symbols.items() if one.atom is not None)
    (function,) = (one for one in Graph(unit).functions if one.entries[0] == name)
    return clobbered(code_of(unit, function, live=False), defined)
