"""A term, and the table that has one object for each."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import Any

Key = tuple[Any, ...]


class Term:
    """`operation` and its `arguments`; `data` is what else it takes: a value, a name, a bit.

    `width` is in bits, 0 for a memory.
    """

    __slots__ = ("arguments", "data", "number", "operation", "stacky", "width")

    operation: str
    arguments: tuple[Term, ...]
    data: Any
    width: int
    stacky: bool
    number: int

    def __repr__(self) -> str:
        inner = " ".join(map(repr, self.arguments))
        data = "" if self.data is None else f"[{self.data}]"
        return f"({self.operation}{data}:{self.width}{' ' if inner else ''}{inner})"

    @property
    def constant(self) -> bool:
        return self.operation == "const"


_terms: dict[Key, Term] = {}


caches: list[dict[Any, Term]] = []  # of what was worked out of terms


def forget() -> None:
    """Drop all terms but those made when modules were loaded. Between two proofs only."""
    for cache in caches:
        cache.clear()
    _terms.clear()
    _terms.update(_lasting)


def make(operation: str, width: int, arguments: tuple[Term, ...] = (), data: Any = None) -> Term:
    """The one term of these parts, as they are. Constructors simplify before they call it."""
    key = (operation, width, data, *(one.number for one in arguments))
    term = _terms.get(key)
    if term is None:
        term = Term()
        term.operation, term.width, term.arguments, term.data = operation, width, arguments, data
        term.number = next(_numbers)
        if operation == "select":
            term.stacky = False
        else:
            term.stacky = data == _STACK_NAME or any(one.stacky for one in arguments)
        _terms[key] = term
    return term


def _count() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1


_numbers = _count()
_STACK_NAME = "rsp at entry"


def const(value: int, width: int) -> Term:
    return make("const", width, data=value & ((1 << width) - 1))


def var(name: str, width: int) -> Term:
    return make("var", width, data=name)


def memory(name: str) -> Term:
    """A memory of which nothing is known: 2^64 bytes."""
    return make("memory", 0, data=name)


def signed(value: int, width: int) -> int:
    return value - (1 << width) if value >> (width - 1) else value


STACK = var(_STACK_NAME, 64)
TRUE = const(1, 1)
FALSE = const(0, 1)
_lasting = dict(_terms)


def reachable(roots: Iterable[Term], known: Container[Term] = ()) -> list[Term]:
    """All terms that the roots are made of, each after its arguments, but those in `known`."""
    done: dict[Term, None] = {}
    stack = [(root, False) for root in roots]
    while stack:
        term, ready = stack.pop()
        if term in done or term in known:
            continue
        if ready:
            done[term] = None
        else:
            stack.append((term, True))
            stack.extend((one, False) for one in term.arguments)
    return list(done)
