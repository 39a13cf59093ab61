"""Assembly text as statements: labels, directives and instructions.

The syntax is that of the GNU assembler's manual, chapter "Syntax", in the dialects that
compilers write: AT&T for x86-64, and AArch64. Comments and line markers are left out; strings
keep their escapes. The statements of a text do not depend on sections or symbols.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from cr1cc.errors import AsmError

MAX_LINE = 1 << 20  # characters: a longer line is none of a compiler's


class Machine(Enum):
    """The instruction set, which decides what begins a comment."""

    AARCH64 = "aarch64"
    X86_64 = "x86-64"


class Kind(Enum):
    """The kinds of a statement."""

    LABEL = "label"
    DIRECTIVE = "directive"
    INSTRUCTION = "instruction"


class Statement(NamedTuple):
    """A label, directive (`name` with its dot, in lower case) or instruction.

    An assignment `a = b` is the directive `.set a,b`. `inline` tells text that stands between
    #APP and #NO_APP, where a compiler puts what the source wrote.
    """

    kind: Kind
    name: str
    operands: str
    inline: bool = False

    def __str__(self) -> str:
        if self.kind is Kind.LABEL:
            return self.name + ":"
        return f"\t{self.name}\t{self.operands}" if self.operands else "\t" + self.name


def one_of(ascii_class: str) -> str:
    """A class of characters: those of ASCII that `ascii_class` matches, and all beyond ASCII. As
    what it is not, because a range up to the last character takes milliseconds to compile."""
    others = (code for code in range(128) if not re.fullmatch(ascii_class, chr(code)))
    return "[^" + "".join(f"\\x{code:02x}" for code in others) + "]"


NAME = rf'(?:{one_of("[A-Za-z_.$]")}{one_of("[A-Za-z0-9_.$]")}*|"(?:[^"\\]|\\.)*")'
_LABEL = re.compile(rf"({NAME}|[0-9]+)[ \t]*:(?!:)[ \t]*")
_ASSIGNMENT = re.compile(rf"({NAME})[ \t]*=(?!=)[ \t]*(.+)")
_DIRECTIVE = re.compile(r"(\.[A-Za-z0-9_][\w.]*)(?:[ \t]+|$|(?=[\"(]))(.*)", re.DOTALL)
_INSTRUCTION = re.compile(r"(\{?[A-Za-z][\w.]*\}?)(?:[ \t]+|$)(.*)", re.DOTALL)
_BLOCK_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"|(/\*.*?\*/)|(/\*)', re.DOTALL)

# What a line with more than one plain statement has. A quote may also begin a character: '#
_SPECIAL = re.compile(r"[;#\"'/]")
# A part of a line, up to a separator or comment; the last two are what is malformed.
_QUOTED = r""""(?:[^"\\]++|\\.)*+"|'(?:\\.|[^\\])'?+"""
_PARTS = {
    Machine.X86_64: re.compile(rf"""(?P<text>(?:[^;#"']++|{_QUOTED})*+)(?P<end>[;#]|$|["'])"""),
    Machine.AARCH64: re.compile(
        rf"""(?P<text>(?:[^;/"']++|/(?!/)|{_QUOTED})*+)(?P<end>;|//|$|["'])"""
    ),
}
_LINE_COMMENT = {Machine.X86_64: ("#", "/"), Machine.AARCH64: ("#", "//")}
_APP = re.compile(r"[ \t]*(?:#|//)[ \t]*(NO_)?APP\b")


def statements(text: str, machine: Machine) -> Iterator[Statement]:
    """The statements of a text in their order. Raises AsmError where it is malformed."""
    if "/*" in text:
        text = _BLOCK_COMMENT.sub(_uncommented, text)
    inline = False
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > MAX_LINE:
            raise AsmError(f"line {number} is too long")
        app = _APP.match(line) if "APP" in line else None
        if app:
            inline = app.group(1) is None
            continue
        line = line.strip(" \t\r\f")
        if not line or line.startswith(_LINE_COMMENT[machine]):
            continue
        if _SPECIAL.search(line):
            for part in _parts(line, machine, number):
                yield from _parsed(part, inline, number)
        else:
            yield from _parsed(line, inline, number)


def _uncommented(match: re.Match[str]) -> str:
    if match.group(2):
        raise AsmError("a block comment has no end")
    # As many lines as before, so that messages name the right one.
    return " " + "\n" * match.group(1).count("\n") if match.group(1) else match.group()


def _parts(line: str, machine: Machine, number: int) -> Iterator[str]:
    """The text of each statement of a line that has separators, comments or strings."""
    pattern, at = _PARTS[machine], 0
    while at <= len(line):
        match = pattern.match(line, at)
        if match is None or match["end"] in ('"', "'"):
            raise AsmError(f"line {number}: a string has no end")
        if text := match["text"].strip(" \t\r\f"):
            yield text
        if match["end"] != ";":
            return
        at = match.end()


def _parsed(text: str, inline: bool, number: int) -> Iterator[Statement]:
    """The labels at the beginning of a text, and the directive or instruction after them."""
    while match := _LABEL.match(text):
        yield Statement(Kind.LABEL, match.group(1), "", inline)
        text = text[match.end() :]
    if not text:
        return
    if "=" in text and (match := _ASSIGNMENT.fullmatch(text)):
        yield Statement(Kind.DIRECTIVE, ".set", f"{match.group(1)},{match.group(2)}", inline)
    elif match := _DIRECTIVE.fullmatch(text):
        yield Statement(Kind.DIRECTIVE, match.group(1).lower(), match.group(2), inline)
    elif match := _INSTRUCTION.fullmatch(text):
        yield Statement(Kind.INSTRUCTION, match.group(1), match.group(2), inline)
    else:
        raise AsmError(f"line {number}: not a statement: {text[:40]!r}")
