"""What a driver is linked with: the shape of its functions, as data that the harness declares."""

from __future__ import annotations

import re

from cr1cc.gate.body import Body
from cr1cc.gate.signature import FLOAT_REGISTERS, INTEGER_REGISTERS, Kind, Signature

# As `harness/call.c` numbers them; and how many numbers it has of a parameter.
_KINDS = {
    Kind.INTEGER: 0,
    Kind.BOOL: 1,
    Kind.FLOAT: 2,
    Kind.POINTER: 3,
    Kind.BYTES: 4,
    Kind.VOID: 4,
}
_COLUMNS = 10
_MOST_MAGIC = 64
_NUMBER = re.compile(r"(?<![\w.])-?(?:0x[0-9a-fA-F]+|\d+)(?![\w.])")


def described(signature: Signature, original: Body, new: Body) -> str:
    """The assembly text of what `harness/call.c` declares."""
    constants = _constants(original, new)
    numbers = {name: number for number, name in enumerate((*INTEGER_REGISTERS, *FLOAT_REGISTERS))}
    rows: list[list[int]] = []
    pointers, slots, biggest = 0, 0, 1
    for (_, type_), place in zip(signature.parameters, signature.places(), strict=True):
        where = numbers[place.register] if place.register else 16 + (place.offset - 8) // 8
        slots += not place.register
        row = [_KINDS[type_.kind], type_.size, where]
        if (element := type_.element) is not None:
            size = max(element.size, 1)
            biggest = max(biggest, size)
            is_any = size == 1 or element.kind is Kind.BYTES  # it may point into everything
            row += [pointers, _KINDS[element.kind], size, type_.length]
            row += [element.const, type_.restrict, is_any]
            pointers += 1
        rows.append(row + [0] * (_COLUMNS - len(row)))
    is_float = signature.result.kind is Kind.FLOAT
    shape = [len(rows), pointers, slots, biggest, len(constants), is_float]
    mask = (1 << signature.result.bits) - 1
    lines = [
        "\t.section\t.rodata",
        "\t.globl\tSHAPE, PARAMS, MAGIC",
        "\t.balign\t8",
        f"SHAPE:\t.long\t{_numbers(shape)}",
        f"\t.quad\t{mask}",
        "PARAMS:",
        *(f"\t.long\t{_numbers(row)}" for row in rows),
        "\t.balign\t8",
        "MAGIC:",
        *(f"\t.quad\t{one:#x}" for one in constants),
        '\t.section\t.note.GNU-stack,"",@progbits',
    ]
    return "\n".join(lines) + "\n"


def _constants(original: Body, new: Body) -> list[int]:
    """The numbers in both bodies: where one of them is compared with, an edge is."""
    found: dict[int, None] = {}
    for row in [*new.instructions, *original.instructions]:
        for number in _NUMBER.findall(row.operands):
            value = int(number, 0) if not re.fullmatch(r"-?0\d+", number) else int(number, 8)
            for one in (value, -value):
                if abs(value) > 1:
                    found[one & (1 << 64) - 1] = None
    return list(found)[:_MOST_MAGIC]


def _numbers(row: list[int]) -> str:
    return ", ".join(str(int(one)) for one in row)
