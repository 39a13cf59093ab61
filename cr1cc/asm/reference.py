"""The symbols that a statement refers to, and the text with other names for them.

Registers of x86-64 begin with a percent sign, so every other word of an operand is a symbol. On
AArch64 a word is one if it is not a register, a shift or a condition; the names of relocations
stand between colons.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import NamedTuple

from cr1cc.asm.statement import Kind, Machine, Statement, one_of


class Access(Enum):
    """How a reference reaches its symbol; together with the variant it decides the relocation."""

    ABSOLUTE = "its address, in at most 32 bits of an instruction or in data"
    ABSOLUTE64 = "its address in 64 bits of an instruction"
    BRANCH = "the operand of a direct call or jump"
    DIFFERENCE = "its distance to another symbol"
    RELATIVE = "its distance to the instruction"
    UNWIND = "an operand of .cfi_personality or .cfi_lsda, in the encoding given there"


class Reference(NamedTuple):
    """A symbol in an operand, its relocation's variant ("gotpcrel", "" for a plain one), access."""

    symbol: str
    variant: str
    access: Access

    @property
    def is_address(self) -> bool:
        """Whether the program gets to know the address, rather than only going there."""
        return self.access not in (Access.BRANCH, Access.UNWIND)


_WORD = one_of("[A-Za-z_.]") + one_of("[A-Za-z0-9_.$]") + "*"
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_SYMBOL = rf"(?P<name>(?<![\w@]){_WORD}|{_QUOTED})(?:@(?P<variant>\w+))?"
# What is no symbol comes first: numbers, numeric labels, registers, decorations, characters.
_TOKEN = {
    Machine.X86_64: re.compile(r"\d\w*|%\w+|\{[^}]*\}|'(?:\\.|[^\\])|" + _SYMBOL),
    Machine.AARCH64: re.compile(r"\d\w*|:\w+:|'(?:\\.|[^\\])|" + _SYMBOL),
}
# Whether an operand may have a symbol on x86-64, which is quicker to say than which one.
_MAY_NAME = re.compile(r"(?:^|[^%\w.@])" + one_of(r"[A-Za-z_.\"]"))
_PREFIXES = frozenset(
    ("addr32", "bnd", "cs", "data16", "ds", "es", "fs", "gs", "lock", "notrack", "rep", "repe",
     "repne", "repnz", "repz", "rex64", "ss", "xacquire", "xrelease")
)  # fmt: skip
# Registers, extensions and shifts, patterns, conditions, operands of prfm, barriers and bti.
_AARCH64_WORD = re.compile(
    r"[xwvqdshbpz]\d{1,2}(\.\w+)?|w?sp|[xw]zr|[us]xt[bhwx]|ls[lr]|asr|ror|msl|mul|vl\d*|all|pow2"
    r"|eq|ne|cs|hs|cc|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le|al|nv"
    r"|p(ld|li|st)l[123](keep|strm)|(ish|osh|nsh)(ld|st)?|sy|ld|st|[jc]{1,2}",
    re.IGNORECASE,
)
_STRINGS = frozenset((".ascii", ".asciz", ".base64", ".file", ".ident", ".section", ".string"))
_NO_SYMBOLS = frozenset(
    (".align", ".arch", ".arch_extension", ".att_syntax", ".balign", ".cpu", ".loc", ".p2align")
)
_WITH_SYMBOL = frozenset((".cfi_lsda", ".cfi_personality"))
_NEXT_WORD = re.compile(r"[ \t,]*(\{?[A-Za-z]\w*\}?)[ \t]*")
_BRANCH = re.compile(r"j|call|loop|xbegin", re.IGNORECASE)
_RELATIVE = re.compile(r"[^,()]*\(%[re]ip\)")
_DIFFERENCE = re.compile(r"-[ \t]*\(?[ \t]*[A-Za-z_.\"]")
_NUMERIC = re.compile(r"(?<![\w.$])(\d+)([bf])(?![\w.])")


def references(statement: Statement, machine: Machine) -> Iterator[Reference]:
    """Every symbol of the operands in their order, those that it declares too."""
    if machine is Machine.X86_64 and not _MAY_NAME.search(statement.operands):
        return
    for match in _matches(statement, machine):
        name = match["name"]
        if name and name != "." and not _is_register(name, machine):
            variant = (match["variant"] or "").lower()
            yield Reference(name, variant, _access(statement, match.end()))


def _access(statement: Statement, end: int) -> Access:
    """How the reference that ends at `end` in the operands reaches its symbol, on x86-64."""
    text = statement.operands
    if statement.name.startswith(".cfi_"):
        return Access.UNWIND
    if statement.kind is Kind.DIRECTIVE:
        return Access.DIFFERENCE if "-" in text and _DIFFERENCE.search(text) else Access.ABSOLUTE
    name = mnemonic(statement) if statement.name in _PREFIXES else statement.name
    if _BRANCH.match(name) and "*" not in text:
        return Access.BRANCH
    if _RELATIVE.match(text, end):
        return Access.RELATIVE
    return Access.ABSOLUTE64 if name.startswith("movabs") else Access.ABSOLUTE


def is_branch(statement: Statement) -> bool:
    """Whether an instruction is a direct call or jump, on x86-64."""
    if statement.kind is not Kind.INSTRUCTION or "*" in statement.operands:
        return False
    return _BRANCH.match(mnemonic(statement)) is not None


def renamed(statement: Statement, names: Mapping[str, str], machine: Machine) -> Statement:
    """The statement with other names for symbols; those without a new one keep theirs."""
    if statement.kind is Kind.LABEL:
        return statement._replace(name=names.get(statement.name, statement.name))
    pieces, at, text = [], 0, statement.operands
    for match in _matches(statement, machine):
        name = match["name"]
        if name in names:
            pieces += [text[at : match.start("name")], names[name]]
            at = match.end("name")
    return statement._replace(operands="".join([*pieces, text[at:]])) if pieces else statement


def numeric_references(statement: Statement) -> list[tuple[str, str]]:
    """The local labels that are numbers, as ("1", "f") for the next 1: after the statement."""
    if statement.kind is Kind.LABEL or statement.name in _STRINGS:
        return []
    return _NUMERIC.findall(statement.operands)


def _matches(statement: Statement, machine: Machine) -> Iterator[re.Match[str]]:
    name, text = statement.name, statement.operands
    if statement.kind is Kind.LABEL or name in _STRINGS or name in _NO_SYMBOLS:
        return iter(())
    if name.startswith(".cfi_") and name not in _WITH_SYMBOL:
        return iter(())
    at = 0
    if statement.kind is Kind.INSTRUCTION:
        at = _after_prefixes(name, text)
    elif name == ".type":
        text = text.partition(",")[0]
    return _TOKEN[machine].finditer(text, at)


def _after_prefixes(name: str, text: str) -> int:
    """Where the operands begin in an instruction that is written as prefix and instruction."""
    at = 0
    while name in _PREFIXES or name.startswith("{"):
        match = _NEXT_WORD.match(text, at)
        if match is None:
            break
        name, at = match.group(1), match.end()
    return at


def mnemonic(statement: Statement) -> str:
    """The mnemonic of an instruction without its prefixes."""
    at = _after_prefixes(statement.name, statement.operands)
    words = statement.operands[:at].replace(",", " ").split()
    return words[-1] if words else statement.name


def _is_register(name: str, machine: Machine) -> bool:
    return machine is Machine.AARCH64 and _AARCH64_WORD.fullmatch(name) is not None
