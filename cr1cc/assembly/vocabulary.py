"""The tokens of the model of assembly, and windows in the normal form as tokens and back.

    <begin> goal:size live:n0d live:zf <old> =0 movl_rl,rl n1 n0 =1 addl_il,rl $1 n0 <new> =0 …
    … incl_rl n0 <end>

An instruction is the token of its form and one token for each register, number, symbol or label of
its operands; widths are the form's. An answer may name a line of the window (=0) instead. Memory
is a token for its shape, then its registers, symbol and displacement. Every number that
the normal form writes out has a token.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum

from cr1cc.assembly.forms import FORMS, WIDTHS, Form
from cr1cc.assembly.normal import SIZE
from cr1cc.errors import AsmError
from cr1cc.model.vocabulary import BEGIN, END, PAD, UNKNOWN

OLD, NEW = "<old>", "<new>"
FLAGS = ("cf", "pf", "af", "zf", "sf", "of")
_PLAIN = ("rax", "rcx", "rdx", "rbx", "rsp", "rbp")  # may keep their names
REGISTERS = (*_PLAIN, *(f"n{n}" for n in range(6)), *(f"x{n}" for n in range(8)))
VECTORS = tuple(f"{kind}{n}" for kind in "vw" for n in range(8))
SYMBOLS = tuple(f"S{n}" for n in range(6))
SLOTS = tuple(f"{sign}{kind}{n}" for kind in "NQ" for n in range(6) for sign in ("", "-"))
LABEL = "L0"
SEGMENTS = ("%fs:", "%gs:")
# An operand in memory: b a base, i an index with its scale, p an offset from %rip, g an entry of
# the global offset table, 0 a number alone.
SHAPES = {
    "m:b": ("base", "add"), "m:0": ("id",), "m:p": ("S", "add"), "m:g": ("S",),
    **{f"m:bi{n}": ("base", "index", "add") for n in (1, 2, 4, 8)},
    **{f"m:i{n}": ("index", "add") for n in (1, 2, 4, 8)},
}  # fmt: skip
NOTHING = "+"  # no displacement
KEPT = tuple(f"={n}" for n in range(SIZE))  # a line of the window, by its number


class Goal(Enum):
    """What a window shall have less of."""

    SIZE = "bytes"
    SPEED = "cost"


def _spelled(register: str, letter: str) -> str:
    """A register's name in the normal form, by the letter of the width."""
    if register not in _PLAIN:
        return register + {"q": "", "l": "d", "w": "w", "b": "b"}[letter]
    stem = register[1:]
    low = stem[0] + "l" if stem[1] == "x" else stem + "l"
    return {"q": register, "l": "e" + stem, "w": stem, "b": low}[letter]


# Slot and letter of the width, by the name.
SPELLINGS = {
    _spelled(register, letter): (register, letter) for register in REGISTERS for letter in WIDTHS
}


def _numbers() -> Iterator[int]:
    yield from range(-128, 256)
    for bits in range(8, 65):
        yield from (1 << bits, -1 << bits, (1 << bits) - 1, 1 - (1 << bits))


NUMBERS = tuple(
    sorted({n for n in _numbers() if -1 << 63 <= n < 1 << 64}, key=lambda n: (abs(n), n))
)


def _tokens() -> Iterator[str]:
    yield from (PAD, UNKNOWN, BEGIN, END, OLD, NEW)
    yield from (f"goal:{goal.name.lower()}" for goal in Goal)
    yield from (f"live:{name}" for name in (*SPELLINGS, *VECTORS, *FLAGS))
    yield from (*REGISTERS, *VECTORS, *SYMBOLS, *SLOTS, LABEL, *SEGMENTS, *SHAPES, NOTHING, *KEPT)
    yield from (f"${number}" for number in NUMBERS)
    yield from map(_name, FORMS)


def _name(form: Form) -> str:
    return str(form).replace(" ", "_") if form.kinds else f"{form.mnemonic}_"


TOKENS: tuple[str, ...] = tuple(_tokens())
IDS: dict[str, int] = {token: number for number, token in enumerate(TOKENS)}
FORM_OF: dict[int, Form] = {IDS[_name(form)]: form for form in FORMS}
VERSION = hashlib.blake2b("\n".join(TOKENS).encode(), digest_size=8).hexdigest()

_BY_MNEMONIC: dict[str, list[int]] = {}
for _token, _form in FORM_OF.items():
    _BY_MNEMONIC.setdefault(_form.mnemonic, []).append(_token)
_MEMORY = re.compile(
    r"(?P<segment>%[fg]s:)?(?:(?P<before>-?(?:\d+|[NQ]\d+))\+(?=S))?"  # gcc's 4+x, clang's x+4
    r"(?P<symbol>S\d+(?P<got>@GOTPCREL)?)?(?P<number>[+-]?(?:\d+|[NQ]\d+))?"
    r"(?P<inner>\((?:%(?P<base>\w+))?(?:,%(?P<index>\w+)(?:,(?P<scale>[1248]))?)?\))?"
)


def prompt(lines: Iterable[str], live: Iterable[str], goal: Goal) -> list[int]:
    """The tokens of a window, up to where the model answers. Raises AsmError for what has none."""
    words = [BEGIN, f"goal:{goal.name.lower()}", *(f"live:{name}" for name in live), OLD]
    told = [(IDS[KEPT[n]], *_instruction(line)) for n, line in enumerate(lines)]
    return [*map(_id, words), *(token for some in told for token in some), IDS[NEW]]


def encode(lines: Sequence[str], old: Sequence[str] = ()) -> list[int]:
    """The tokens of normalised lines; lines of `old` by their numbers, END is not there. Raises
    AsmError for what has none."""
    found: list[int] = []
    place = 0
    for line in lines:
        if line in old:
            place = old.index(line, place) if line in old[place:] else old.index(line)
            found.append(IDS[KEPT[place]])
        else:
            found += _instruction(line)
    return found


def decode(tokens: Iterable[int], old: Sequence[str] = ()) -> tuple[str, ...]:
    """The lines that tokens spell of a window, up to END or the last one. Raises AsmError if
    they spell none."""
    rest = iter(tokens)
    lines = []
    try:
        for token in rest:
            if TOKENS[token] == END:
                break
            if TOKENS[token] in KEPT:
                lines.append(old[KEPT.index(TOKENS[token])])
                continue
            form = FORM_OF[token]
            operands = ", ".join(_operand(kind, rest) for kind in form.kinds)
            lines.append(f"{form.mnemonic} {operands}".strip())
    except (KeyError, IndexError, StopIteration, RuntimeError):
        raise AsmError("tokens that are no instruction") from None
    return tuple(lines)


def _id(word: str) -> int:
    try:
        return IDS[word]
    except KeyError:
        raise AsmError(f"{word} has no token") from None


def _instruction(line: str) -> list[int]:
    mnemonic, _, text = line.partition(" ")
    operands = re.split(r", (?![^(]*\))", text) if text else []
    for token in _BY_MNEMONIC.get(mnemonic, ()):
        kinds = FORM_OF[token].kinds
        if len(kinds) == len(operands) and all(map(_fits, kinds, operands)):
            found = [token]
            for kind, operand in zip(kinds, operands, strict=True):
                found += _spell(kind, operand)
            return found
    raise AsmError(f"{line} has no form")


def _fits(kind: str, operand: str) -> bool:
    if operand.startswith("$"):
        return kind[0] in "iQck" and kind != "cl"
    if operand.startswith("%") and not operand.startswith(SEGMENTS):
        name = operand[1:]
        if kind == "cl":
            return name == "cl"
        slot = SPELLINGS.get(name)
        return kind == f"r{slot[1]}" if slot else kind == "v" and name in VECTORS
    return kind == ("L" if operand == LABEL else "m")


def _spell(kind: str, operand: str) -> list[int]:
    if kind == "cl":
        return []
    if kind == "m":
        return _memory(operand)
    if kind == "v" or kind == "L":
        return [_id(operand.lstrip("%"))]
    if kind[0] == "r":
        return [_id(SPELLINGS[operand[1:]][0])]
    return [_number(operand[1:])]


def _number(text: str) -> int:
    return _id(text if text in SLOTS else f"${text}")


def _memory(text: str) -> list[int]:
    match = _MEMORY.fullmatch(text)
    if match is None:
        raise AsmError(f"{text} has no tokens")
    found = [_id(match["segment"])] if match["segment"] else []
    bases = [name for name in (match["base"], match["index"]) if name]
    if match["symbol"]:
        if bases != ["rip"]:
            raise AsmError(f"{text} has no tokens")
        shape, fields = ("m:g" if match["got"] else "m:p"), [match["symbol"].partition("@")[0]]
        bases = []
    else:
        scale = (match["scale"] or "1") if match["index"] else ""
        letters = ("b" if match["base"] else "") + ("i" if match["index"] else "")
        shape, fields = f"m:{letters or 0}{scale}", []
    if any(SPELLINGS.get(name, ("", ""))[1] != "q" for name in bases):
        raise AsmError(f"{text} has no tokens")
    fields += [SPELLINGS[name][0] for name in bases]
    found += [_id(shape), *map(_id, fields)]
    number = match["before"] or (match["number"] or "").removeprefix("+")
    if shape == "m:g" or (shape == "m:0" and not number):
        if number or shape == "m:0":
            raise AsmError(f"{text} has no tokens")
        return found
    return [*found, _number(number) if number else IDS[NOTHING]]


def _operand(kind: str, rest: Iterator[int]) -> str:
    if kind == "cl":
        return "%cl"
    word = TOKENS[next(rest)]
    if kind[0] == "r":
        return f"%{_spelled(word, kind[1])}"
    if kind == "v":
        return f"%{word}"
    if kind == "L":
        return word
    if kind == "m":
        return _address(word, rest)
    return f"${word.removeprefix('$')}"


def _address(word: str, rest: Iterator[int]) -> str:
    segment = ""
    if word in SEGMENTS:
        segment, word = word, TOKENS[next(rest)]
    fields = {field: TOKENS[next(rest)].removeprefix("$") for field in SHAPES[word]}
    number = fields.get("add", fields.get("id", "")).removeprefix(NOTHING)
    if symbol := fields.get("S"):
        got = "@GOTPCREL" if word == "m:g" else ""
        return f"{segment}{number}{'+' if number else ''}{symbol}{got}(%rip)"
    inner = f"%{fields['base']}" if "base" in fields else ""
    if index := fields.get("index"):
        scale = word[-1]
        inner += f",%{index}" + (f",{scale}" if scale != "1" or not inner else "")
    return f"{segment}{number}({inner})" if inner else f"{segment}{number}"
