"""Static checks of a new body against the original one, as text and as bytes.

A finding is *wrong* where the ABI or the original is broken whatever the input, and *unclear*
where the checks cannot follow the body; both reject it. What they let through is not proved: how
far an address reaches, and which value it has, is the driver's and the proof's to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from cr1cc.asm.directives import DIRECTIVES, Treatment
from cr1cc.asm.statement import Kind as StatementKind
from cr1cc.asm.unit import AtomKind
from cr1cc.gate.body import Body, assembled
from cr1cc.gate.code import Code, Instruction, decode
from cr1cc.gate.flow import Access, Facts, facts_of
from cr1cc.gate.instructions import STRINGS, VECTOR_GROUPS, is_allowed, why_refused
from cr1cc.gate.signature import Kind, Signature
from cr1cc.gate.values import FRAME
from cr1cc.gate.verdict import Judgement, Verdict

BY = "static checks"
_NAME = "cr1_function"

# Directives that a body may have; `.cfi_*` besides.
_TREATMENTS = frozenset((Treatment.ALIGN, Treatment.CFI, Treatment.DECLARATION))
_PLAIN = frozenset((".size", ".type", ".globl", ".global", ".local"))
_BIT_TESTS = ("bt", "btc", "btr", "bts")  # with a number in a register they reach far
_EXTENSIONS = VECTOR_GROUPS - {"sse1", "sse2"} | {"bmi", "bmi1", "bmi2", "adx", "avx512", "movbe"}
_BY_NAME = {"popcnt": "popcnt", "lzcnt": "lzcnt", "tzcnt": "bmi1", "movbe": "movbe"}


class _Read(NamedTuple):
    body: Body
    code: Code
    facts: Facts


def check(
    original: Body,
    new: Body,
    signature: Signature,
    env: Mapping[str, str],
    extensions: frozenset[str] = frozenset(),
) -> Judgement | None:
    """None where nothing speaks against the new body, else why it is rejected.

    `extensions`: the instruction sets (capstone's names, such as "avx2") that it may use besides
    those of the original. Raises GateError if one of the bodies cannot be read at all.
    """
    for reason in _text_findings(original, new):
        return Judgement(Verdict.REFUTED, BY, reason)
    for reason in _surroundings(original, new):
        return Judgement(Verdict.UNKNOWN, BY, reason)
    before, after = (_read(body, signature, env) for body in (original, new))
    for reason in (*_unfollowed(before), *_inlined(before, after)):
        return Judgement(Verdict.UNKNOWN, BY, reason)
    for reason in _wrong(before, after, extensions):
        return Judgement(Verdict.REFUTED, BY, reason)
    for reason in _unclear(before, after, signature):
        return Judgement(Verdict.UNKNOWN, BY, reason)
    return None


def _read(body: Body, signature: Signature, env: Mapping[str, str]) -> _Read:
    code = decode(assembled(body.text(_NAME), env), _NAME, body.tables)
    return _Read(body, code, facts_of(code, signature))


def _text_findings(original: Body, new: Body) -> Iterator[str]:
    code = [atom for atom in new.own if new.graph.unit.atoms[atom].kind is AtomKind.CODE]
    for atom in code:
        for row in new.graph.unit.statements_of(atom):
            if row.kind is StatementKind.DIRECTIVE:
                treatment = DIRECTIVES.get(row.name)
                if treatment not in _TREATMENTS and row.name not in _PLAIN:
                    yield f"directive {row.name} in its code"
            if row.inline:
                yield "it has text between #APP and #NO_APP"
    if extra := sorted(set(new.outside) - set(original.outside)):
        yield f"it refers to {', '.join(extra)}, which the original does not"
    if extra := sorted(set(new.writable) - set(original.writable)):
        yield f"it uses the variables {', '.join(extra)}, which the original does not"


def _surroundings(original: Body, new: Body) -> Iterator[str]:
    """What the new body reaches is what the original's unit has under that name: of the new text
    only the function itself is judged, and its constants."""
    known = original.parts
    for name, text in new.parts.items():
        if known.get(name) != text:
            yield f"its {name} is not the original's"


def _wrong(before: _Read, after: _Read, extensions: frozenset[str]) -> Iterator[str]:
    """What breaks the ABI, or adds to what the original does."""
    yield from _instructions(before, after, extensions)
    yield from (reason for reason in after.facts.wrong if reason not in before.facts.wrong)
    known = frozenset().union(*before.facts.stores)
    for places in sorted(after.facts.stores - before.facts.stores, key=sorted):
        if extra := sorted(places - known):
            yield f"it stores to {', '.join(extra)}, and the original does not"
        elif not places:
            yield "it stores to an address that comes from no pointer"
    if _reads_anywhere(after.facts) and not _reads_anywhere(before.facts):
        yield "it reads an address that comes from no pointer"
    if extra := sorted(after.facts.calls - before.facts.calls):
        yield f"it calls {_named(extra)}, and the original does not"
    if extra := sorted(before.facts.calls - after.facts.calls):
        yield f"it does not call {_named(extra)}, and the original does"
    if extra := sorted(after.facts.endings - before.facts.endings):
        yield f"control leaves the function behind the call of {_named(extra)}"
    if extra := sorted(after.facts.segments - before.facts.segments):
        yield f"it reads {', '.join(extra)}, and the original does not"


def _reads_anywhere(facts: Facts) -> bool:
    return any(not one.places and not one.stored for one in facts.accesses.values())


def _named(callees: list[str]) -> str:
    return ", ".join("an address" if name == "*" else name for name in callees)


def _instructions(before: _Read, after: _Read, extensions: frozenset[str]) -> Iterator[str]:
    first = after.code.instructions[0].mnemonic
    if before.code.instructions[0].mnemonic == "endbr64" != first:
        yield "it does not begin with endbr64"
    had = {one.mnemonic for one in before.code.instructions}
    allowed = extensions | frozenset().union(*map(_needed, before.code.instructions))
    for one in after.code.instructions:
        if one.memory and one.mnemonic in _BIT_TESTS and isinstance(one.operands[1], str):
            yield f"`{one.text}` goes beyond its operand"
        if not is_allowed(one.mnemonic, one.groups):
            yield f"`{one.text}` {why_refused(one.mnemonic)}"
        if one.mnemonic == "ud2" and "ud2" not in had:
            yield "it traps (ud2), and the original does not"
        if extra := sorted(_needed(one) - allowed):
            yield f"`{one.text}` needs {', '.join(extra)}, which the original does not"


def _needed(one: Instruction) -> frozenset[str]:
    """The extensions of x86-64 that an instruction needs."""
    found = one.groups & _EXTENSIONS
    return found | {_BY_NAME[one.mnemonic]} if one.mnemonic in _BY_NAME else found


def _unfollowed(before: _Read) -> Iterator[str]:
    """What the checks do not follow in the original, and so cannot compare with."""
    for one in before.code.instructions:
        if not is_allowed(one.mnemonic, one.groups):
            yield f"the original has `{one.text}`, which {why_refused(one.mnemonic)}"
    yield from (f"in the original {reason}" for reason in before.facts.wrong)
    yield from before.facts.unclear
    if frozenset() in before.facts.stores:
        yield "the original stores to an address that comes from no pointer"


def _inlined(before: _Read, after: _Read) -> Iterator[str]:
    """Where one body calls a function of the unit and the other one has it inlined, what they
    store to and call cannot be compared."""
    inside = {*before.body.parts, *after.body.parts}
    if extra := sorted((before.facts.calls ^ after.facts.calls) & inside):
        yield f"only one of the bodies calls {_named(extra)}"


def _unclear(before: _Read, after: _Read, signature: Signature) -> Iterator[str]:
    yield from after.facts.unclear
    for places in sorted(after.facts.stores, key=sorted):
        if places == {FRAME} and places not in before.facts.stores:
            yield "it stores to places of its frame that it computes"
    if before.body.is_split or after.body.is_split:
        yield "it has a cold part"
    yield from _volatile(before, after, signature)


def _volatile(before: _Read, after: _Read, signature: Signature) -> Iterator[str]:
    """What may be volatile is accessed as often, as widely and in the same order.

    Assembly does not show what is volatile: the signature does of what pointers point to, and a
    variable of the program may always be.
    """
    names = {
        f"*{one.name}"
        for one in signature.parameters
        if one.type.kind is Kind.POINTER and one.type.element and one.type.element.volatile
    }
    names |= _variables(before) | _variables(after)
    found = [_accesses(read.facts, names) for read in (before, after)]
    if found[0] != found[1]:
        yield f"what may be volatile ({', '.join(sorted(names))}) is accessed otherwise"
    elif found[0] and any(
        one.target is not None or one.mnemonic.split()[-1] in STRINGS
        for one in after.code.instructions
    ):
        yield f"what may be volatile ({', '.join(sorted(names))}) is accessed between jumps"


def _variables(read: _Read) -> set[str]:
    """The variables that the code names."""
    operands = (one.memory for one in read.code.instructions)
    return {memory.symbol for memory in operands if memory and memory.symbol and memory.writable}


def _accesses(facts: Facts, names: set[str]) -> list[Access]:
    """The accesses that may be to one of `names`, in the order of the text."""
    return [access for _, access in sorted(facts.accesses.items()) if access.places & names]
