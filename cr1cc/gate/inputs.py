"""An input of a function as text, which a person can read and the driver can call again:

    f(x=0x80000000, p=A+4, y=0x7ff8000000000000) A=00ff(00*62)] B=[0102

A value is what its register or stack slot holds, bits beyond its type included; `A+4` is an
address. Of a buffer the bytes are given in hexadecimal, `(00*62)` is 62 equal ones. `]` says that
the page right behind the buffer cannot be accessed, `[` that the one right before it cannot be;
`const:` that the buffer can be read only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from cr1cc.errors import GateError
from cr1cc.gate.signature import Signature

LONGEST = 1 << 20  # bytes of all buffers of one input

_CALL = re.compile(r"([^()\s]+)\(([^()]*)\)((?: [A-Z]+=\S+)*)")
_VALUE = re.compile(r"0x([0-9a-f]{1,16})|([A-Z]+)\+([0-9]{1,7})")
_BUFFER = re.compile(r"([A-Z]+)=(const:)?(\[?)((?:[0-9a-f]{2}|\([0-9a-f]{2}\*[0-9]{1,7}\))*)(\]?)")
_RUN = re.compile(r"\(([0-9a-f]{2})\*([0-9]+)\)|((?:[0-9a-f]{2})+)")
_LEAST_RUN = 8


class Address(NamedTuple):
    """A place in or right behind a buffer, which is given by its index."""

    buffer: int
    offset: int


class Buffer(NamedTuple):
    """Memory before the call. `at_end`: what cannot be accessed begins right behind it, else it
    ends right before it. `constant`: it cannot be written to."""

    data: bytes
    at_end: bool
    constant: bool = False


@dataclass(frozen=True)
class Input:
    """`values`: of every parameter the 64 bits of its place, or an address."""

    values: tuple[int | Address, ...]
    buffers: tuple[Buffer, ...] = ()


def format_input(signature: Signature, given: Input) -> str:
    """The text of an input of the function with that signature."""
    values = (
        f"{parameter.name}={_letters(value.buffer)}+{value.offset}"
        if isinstance(value, Address)
        else f"{parameter.name}={value:#x}"
        for parameter, value in zip(signature.parameters, given.values, strict=True)
    )
    words = [f"{signature.name}({', '.join(values)})"]
    for index, (data, at_end, constant) in enumerate(given.buffers):
        sides = ("", "]") if at_end else ("[", "")
        mark = "const:" if constant else ""
        words.append(f"{_letters(index)}={mark}{sides[0]}{_packed(data)}{sides[1]}")
    return " ".join(words)


def parse_input(signature: Signature, text: str) -> Input:
    """The input of a text. Raises GateError if it is none of the function's."""
    match = _CALL.fullmatch(text)
    if match is None or match[1] != signature.name:
        raise GateError(f"not an input of {signature.name}: {text[:60]}")
    buffers = []
    for index, word in enumerate(match[3].split()):
        found = _BUFFER.fullmatch(word)
        if found is None or found[1] != _letters(index) or bool(found[3]) == bool(found[5]):
            raise GateError(f"not a buffer of an input: {word[:60]}")
        buffers.append(Buffer(_unpacked(found[4]), bool(found[5]), bool(found[2])))
    given = match[2].split(", ") if match[2] else []
    names = [parameter.name for parameter in signature.parameters]
    if [word.partition("=")[0] for word in given] != names:
        raise GateError(f"an input of {signature.name} gives {', '.join(names) or 'no value'}")
    return Input(tuple(_value(word, buffers) for word in given), tuple(buffers))


def _value(word: str, buffers: list[Buffer]) -> int | Address:
    match = _VALUE.fullmatch(word.partition("=")[2])
    if match is None:
        raise GateError(f"not a value of an input: {word[:60]}")
    if match[1]:
        return int(match[1], 16)
    index = next((i for i in range(len(buffers)) if _letters(i) == match[2]), None)
    if index is None or int(match[3]) > len(buffers[index].data):
        raise GateError(f"not a place in a buffer of the input: {word}")
    return Address(index, int(match[3]))


def _letters(index: int) -> str:
    """A to Z, then AA, AB, and so on."""
    return (_letters(index // 26 - 1) if index >= 26 else "") + chr(65 + index % 26)


def _packed(data: bytes) -> str:
    runs = re.compile(rb"(.)\1{%d,}" % (_LEAST_RUN - 1), re.DOTALL)
    text, at = "", 0
    for run in runs.finditer(data):
        text += f"{data[at : run.start()].hex()}({run[1].hex()}*{len(run[0])})"
        at = run.end()
    return text + data[at:].hex()


def _unpacked(text: str) -> bytes:
    runs = _RUN.findall(text)
    if sum(int(many or 0) for _, many, _ in runs) > LONGEST:
        raise GateError("an input is too large")
    return b"".join(
        bytes.fromhex(one) * int(many) if one else bytes.fromhex(rest) for one, many, rest in runs
    )
