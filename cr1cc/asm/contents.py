"""What a data object holds: its bytes and the addresses in them, and how it is aligned."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from cr1cc.asm.directives import DIRECTIVES, Treatment
from cr1cc.asm.section import split_operands
from cr1cc.asm.statement import Kind, Statement
from cr1cc.asm.unit import Atom, AtomKind, Unit

MAX_BYTES = 1 << 24  # of one object: contents of a larger one are not compared


class Address(NamedTuple):
    """The address of a symbol and an addend, in `size` bytes."""

    symbol: str
    addend: int
    size: int


Contents = tuple[bytes | Address, ...]

# Bytes of an integer; on x86-64, the only machine whose contents are compared.
_INTEGERS = {
    ".2byte": 2, ".4byte": 4, ".8byte": 8, ".byte": 1, ".hword": 2, ".int": 4, ".long": 4,
    ".octa": 16, ".quad": 8, ".short": 2, ".value": 2, ".word": 2,
}  # fmt: skip
_STRINGS = {".ascii": b"", ".asciz": b"\0", ".string": b"\0"}
_ZEROS = (".skip", ".space", ".zero")
_VARIABLE = (".sleb128", ".uleb128")
_NUMBER = r"-?[ \t]*(?:0[xX][0-9a-fA-F]+|[0-9]+)"
_INTEGER = re.compile(_NUMBER)
_ADDRESS = re.compile(
    rf"(?:({_NUMBER})[ \t]*\+[ \t]*)?([A-Za-z_.][\w.$]*)(?:[ \t]*([+-])[ \t]*({_NUMBER}))?"
)
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|[xX][0-9a-fA-F]+|.)", re.DOTALL)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_LETTERS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}


def contents(unit: Unit, atom: int) -> Contents | None:
    """What an object holds, None if it is more than integers, strings and addresses."""
    found = unit.atoms[atom]
    statements = list(unit.statements_of(atom))
    if found.kind is AtomKind.COMMON:
        size = _integer(split_operands(statements[0].operands)[1])
        return None if size is None or size > MAX_BYTES else _merged([bytes(size)])
    parts: list[bytes | Address] = []
    for statement in statements:
        if statement.kind is Kind.DIRECTIVE and DIRECTIVES[statement.name] is Treatment.DATA:
            made = _parts(statement)
            if made is None:
                return None
            parts += made
        elif statement.kind is Kind.INSTRUCTION:
            return None
    return _merged(parts)


def _parts(statement: Statement) -> list[bytes | Address] | None:
    name, operands = statement.name, split_operands(statement.operands)
    if name in _STRINGS:
        if not all(_QUOTED.fullmatch(operand) for operand in operands):
            return None
        return [_string(operand) + _STRINGS[name] for operand in operands]
    if name in _ZEROS:
        count, fill = _integer(operands[0]), _integer(operands[1]) if operands[1:] else 0
        if count is None or fill is None or not 0 <= count <= MAX_BYTES or len(operands) > 2:
            return None
        return [bytes([fill & 255]) * count]
    size = _INTEGERS.get(name)
    if size is None:
        return None
    parts: list[bytes | Address] = []
    for operand in operands:
        number = _integer(operand)
        if number is not None:
            parts.append((number & ((1 << 8 * size) - 1)).to_bytes(size, "little"))
        elif match := _ADDRESS.fullmatch(operand):
            before, symbol, sign, after = match.groups()
            addend = (_integer(before or "0") or 0) + (_integer(after or "0") or 0) * (
                -1 if sign == "-" else 1
            )
            parts.append(Address(symbol, addend, size))
        else:
            return None
    return parts


def _integer(text: str) -> int | None:
    if not _INTEGER.fullmatch(text):
        return None
    digits = text.replace(" ", "").replace("\t", "")
    bare = digits.lstrip("-")
    octal = len(bare) > 1 and bare[0] == "0" and bare[1] not in "xX"
    try:
        return int(digits, 8 if octal else 0)
    except ValueError:
        return None


def _string(text: str) -> bytes:
    """The bytes of a quoted string, escapes as in the manual's section "Strings"."""
    return _ESCAPE.sub(_escaped, text[1:-1].encode("utf-8", "surrogateescape"))


def _escaped(match: re.Match[bytes]) -> bytes:
    code = match.group(1)
    if code[:1] in b"01234567":
        return bytes([int(code, 8) & 255])
    if code[:1] in b"xX" and len(code) > 1:
        return bytes([int(code[1:], 16) & 255])
    return _LETTERS.get(code, code)


def _merged(parts: list[bytes | Address]) -> Contents:
    """Neighbouring bytes as one."""
    merged: list[bytes | Address] = []
    run: list[bytes] = []
    for part in [*parts, None]:
        if isinstance(part, bytes):
            run.append(part)
            continue
        if any(run):
            merged.append(b"".join(run))
        run = []
        if part is not None:
            merged.append(part)
    return tuple(merged)


def size_of(held: Contents) -> int:
    """Bytes of contents."""
    return sum(part.size if isinstance(part, Address) else len(part) for part in held)


def data_size(unit: Unit, atom: int) -> int:
    """About how many bytes the directives of an atom give: a number of variable length counts
    as one, alignment is not counted."""
    size = 0
    for statement in unit.statements_of(atom):
        if statement.kind is not Kind.DIRECTIVE:
            continue
        operands = split_operands(statement.operands)
        if statement.name in _INTEGERS:
            size += _INTEGERS[statement.name] * len(operands)
        elif statement.name in _VARIABLE:
            size += len(operands)
        elif statement.name in _STRINGS or statement.name in _ZEROS:
            size += size_of(tuple(_parts(statement) or ()))
    return size


def alignment(unit: Unit, atom: int) -> int | None:
    """Bytes that an object or the code of a function is aligned to, None if it cannot be told."""
    found: Atom = unit.atoms[atom]
    largest = 1
    for statement in unit.statements_of(atom):
        if found.kind is AtomKind.COMMON:
            operands = split_operands(statement.operands)
            return _integer(operands[2]) if len(operands) == 3 else None
        if statement.kind is not Kind.DIRECTIVE:
            break
        if DIRECTIVES[statement.name] is Treatment.ALIGN:
            made = _aligned(statement)
            if made is None:
                return None
            largest = max(largest, made)
    return largest


def _aligned(statement: Statement) -> int | None:
    number = _integer(split_operands(statement.operands)[0])
    if number is None or number < 0:
        return None
    if statement.name == ".p2align":
        return 1 << number if number < 32 else None
    return max(number, 1)


def numbers(statements: Iterator[Statement], directive: str) -> list[int]:
    """The operands of all `directive`s that are plain integers."""
    found = []
    for statement in statements:
        if statement.kind is Kind.DIRECTIVE and statement.name == directive:
            found += [_integer(operand) for operand in split_operands(statement.operands)]
    return [number for number in found if number is not None]
