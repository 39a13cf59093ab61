"""A prototype as a person writes it: `long sum(const int *p, size_t n);`.

The part of C's declarations that the gate can do something with. Names of parameters may be
left out; `int p[4]` and `int p[static 4]` say how many there are; `struct[24] *p` points to an
object of 24 bytes, because a prototype alone does not say how large a struct is.
"""

from __future__ import annotations

import re
from collections import Counter

from cr1cc.errors import GateError
from cr1cc.gate.signature import (
    BOOL,
    DOUBLE,
    FLOAT,
    VOID,
    Kind,
    Parameter,
    Signature,
    Type,
    integer,
    pointer,
)

_TOKEN = re.compile(r"\s*(?:([A-Za-z_]\w*)|([0-9]+)|(\.\.\.|[*(),;\[\]])|(\S))")
_QUALIFIERS = {"const": "const", "volatile": "volatile", "restrict": "restrict"}
_QUALIFIERS |= {f"__{word}{end}": word for word in tuple(_QUALIFIERS) for end in ("", "__")}
_IGNORED = frozenset(("extern", "static", "inline", "__inline", "__inline__", "register", "auto"))

# Of each spelling of an integer without its sign: bytes. Words are sorted.
_PLAIN = {
    "char": 1, "short": 2, "int short": 2, "": 4, "int": 4, "long": 8, "int long": 8,
    "long long": 8, "int long long": 8,
}  # fmt: skip
_WORDS = frozenset(("char", "short", "int", "long", "signed", "unsigned", "__signed__"))

_NAMED: dict[str, Type] = {
    "_Bool": BOOL, "bool": BOOL, "double": DOUBLE, "float": FLOAT, "void": VOID,
    "intptr_t": integer(8, True), "off_t": integer(8, True), "ptrdiff_t": integer(8, True),
    "size_t": integer(8, False), "ssize_t": integer(8, True), "uintptr_t": integer(8, False),
    "wchar_t": integer(4, True),
}  # fmt: skip
for _bits in (8, 16, 32, 64):
    _NAMED[f"int{_bits}_t"] = integer(_bits // 8, True)
    _NAMED[f"uint{_bits}_t"] = integer(_bits // 8, False)

_REFUSED = {
    "...": "a variable list of arguments",
    "__int128": "a type of 128 bits",
    "_Complex": "a complex number",
    "enum": "an enumeration, whose size and sign a prototype does not say",
    "union": "a union",
}


def parse_prototype(text: str) -> Signature:
    """The signature in a prototype. Raises GateError with what is not understood."""
    return _Parser(text).prototype()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = " ".join(text.split())
        self._tokens: list[str] = []
        for name, number, mark, other in _TOKEN.findall(text):
            if other:
                raise self._wrong(f"{other} is not understood")
            self._tokens.append(name or number or mark)
        self._at = 0

    def prototype(self) -> Signature:
        result, name = self._declarator(self._type())
        if not name:
            raise self._wrong("it names no function")
        self._expect("(")
        parameters = self._parameters()
        self._take(";")
        if self._next():
            raise self._wrong(f"{self._next()} behind its end is not understood")
        if result.kind is Kind.BYTES:
            raise self._wrong("a struct is given by value")
        return Signature(name, result._replace(const=False), parameters)

    def _parameters(self) -> tuple[Parameter, ...]:
        if self._take(")"):
            raise self._wrong("it says nothing of its parameters: none are `(void)`")
        found: list[Parameter] = []
        while True:
            type_, name = self._declarator(self._type())
            if type_.kind is Kind.VOID and not name and not found and self._next() == ")":
                break
            if type_.kind in (Kind.VOID, Kind.BYTES):
                what = "void" if type_.kind is Kind.VOID else "a struct by value"
                raise self._wrong(f"parameter {len(found) + 1} is {what}")
            found.append(Parameter(name or f"a{len(found)}", type_))
            if not self._take(","):
                break
        self._expect(")")
        if any(many > 1 for many in Counter(one.name for one in found).values()):
            raise self._wrong("two parameters have one name")
        return tuple(found)

    def _type(self) -> Type:
        """The specifiers and qualifiers before a declarator."""
        words: list[str] = []
        named: Type | None = None
        qualifiers: set[str] = set()
        while word := self._next():
            if word in _REFUSED:
                raise self._wrong(f"{_REFUSED[word]} is not supported")
            if word in _QUALIFIERS:
                qualifiers.add(_QUALIFIERS[word])
            elif word == "struct" and not words and named is None:
                named = self._struct()
                continue
            elif word in _WORDS or word == "double" or (word in _NAMED and not words):
                words.append(word)
                named = _NAMED.get(word, named)
            elif word not in _IGNORED:
                break
            self._at += 1
        return self._meant(words, named).qualified(*qualifiers)

    def _struct(self) -> Type:
        self._at += 1
        if not self._take("["):
            raise self._wrong(
                "how large a struct is, a prototype does not say: give debug data, or struct[BYTES]"
            )
        size = self._number()
        self._expect("]")
        return Type(Kind.BYTES, size)

    def _meant(self, words: list[str], named: Type | None) -> Type:
        if named is not None:
            if len(words) > 1:
                raise self._wrong(f"{' '.join(words)} is not supported")
            return named
        if not words:
            word = self._next()
            if re.fullmatch(r"\w+", word) and not word.isdigit():
                raise self._wrong(
                    f"type {word} is not known: give debug data, or what it stands for"
                )
            raise self._wrong("a type is missing" + (f" before {word}" if word else ""))
        signs = [word for word in words if word in ("signed", "unsigned", "__signed__")]
        size = _PLAIN.get(" ".join(sorted(word for word in words if word not in signs)))
        if size is None or len(signs) > 1:
            raise self._wrong(f"{' '.join(words)} is no type")
        return integer(size, signs != ["unsigned"])

    def _declarator(self, type_: Type) -> tuple[Type, str]:
        """The type with its stars and brackets, and the name that is declared, "" without one."""
        while self._take("*"):
            type_ = pointer(type_)
            while self._next() in _QUALIFIERS:
                type_ = type_.qualified(_QUALIFIERS[self._step()])
        if self._next() == "(" and self._at and self._tokens[self._at + 1 : self._at + 2] == ["*"]:
            raise self._wrong("a pointer to a function or an array is not supported")
        name = self._step() if re.match(r"[A-Za-z_]", self._next()) else ""
        if self._take("["):
            type_ = self._array(type_)
        return type_, name

    def _array(self, element: Type) -> Type:
        found = pointer(element)
        while (word := self._next()) in _QUALIFIERS or word == "static":
            self._at += 1
            if word != "static":
                found = found.qualified(_QUALIFIERS[word])
        if self._next().isdigit():
            found = found._replace(length=self._number())
        self._expect("]")
        if self._next() == "[":
            raise self._wrong("an array of arrays is not supported")
        return found

    def _number(self) -> int:
        word = self._step()
        if not word.isdigit() or not 0 < int(word) <= 1 << 20:
            raise self._wrong(f"{word or 'the end'} is not a size from 1 to {1 << 20}")
        return int(word)

    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _step(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1] if self._at <= len(self._tokens) else ""

    def _take(self, word: str) -> bool:
        taken = self._next() == word
        self._at += taken
        return taken

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise self._wrong(f"{word} is expected before {self._next() or 'the end'}")

    def _wrong(self, reason: str) -> GateError:
        return GateError(f"not a signature: {self._text}: {reason}")
