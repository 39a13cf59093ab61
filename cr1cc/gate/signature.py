"""What a C function takes and gives, and where: System V ABI for x86-64, chapter 3.2.3.

Integers of each width and sign, bool, float, double and pointers are understood; a type that is
passed otherwise (structs, unions, long double, vectors, complex numbers, __int128) or a variable
list of arguments is a GateError with its reason. `prototype.py` and `dwarf.py` make signatures.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

INTEGER_REGISTERS = ("rdi", "rsi", "rdx", "rcx", "r8", "r9")
FLOAT_REGISTERS = tuple(f"xmm{number}" for number in range(8))
CALLEE_SAVED = ("rbx", "rbp", "r12", "r13", "r14", "r15")


class Kind(Enum):
    """What a type is to the ABI."""

    BOOL = "bool"  # 8 bits: 0 or 1
    BYTES = "bytes"  # of what a pointer points to: an object of `size` bytes, its parts unknown
    FLOAT = "float"
    INTEGER = "integer"
    POINTER = "pointer"
    VOID = "void"


class Type(NamedTuple):
    """A type. `size` in bytes, 0 of void. Of a pointer: `element` is what it points to, `length`
    how many of them there are, 0 where nothing says so. Qualifiers are the type's own, so what
    may not be written through a pointer is `element.const`."""

    kind: Kind
    size: int
    signed: bool = False
    element: Type | None = None
    length: int = 0
    const: bool = False
    volatile: bool = False
    restrict: bool = False

    @property
    def bits(self) -> int:
        return 8 * self.size

    def qualified(self, *words: str) -> Type:
        """The type with these qualifiers besides its own."""
        return self._replace(
            const=self.const or "const" in words,
            volatile=self.volatile or "volatile" in words,
            restrict=self.restrict or "restrict" in words,
        )


VOID = Type(Kind.VOID, 0)
BOOL = Type(Kind.BOOL, 1)
FLOAT = Type(Kind.FLOAT, 4)
DOUBLE = Type(Kind.FLOAT, 8)


def integer(size: int, signed: bool) -> Type:
    """The integer type of `size` bytes."""
    return Type(Kind.INTEGER, size, signed)


def pointer(element: Type, length: int = 0) -> Type:
    """The type of a pointer to `element`, to `length` of them if that is known."""
    return Type(Kind.POINTER, 8, element=element, length=length)


class Place(NamedTuple):
    """Where a value is when the function begins or ends: in a 64-bit register ("rdi") or the low
    part of a vector register ("xmm0"), or, with `register` "", in memory at `offset` bytes from
    %rsp on entry, where 0(%rsp) is the return address.

    Bits beyond the type's size have any value: the ABI promises none of them.
    """

    register: str
    offset: int = 0


class Parameter(NamedTuple):
    """`name`: what the source calls it, or "a" and its number from 0."""

    name: str
    type: Type


@dataclass(frozen=True)
class Signature:
    """A function's name, result and parameters. Printing gives a prototype that parses back, with
    `struct[24]` for an object of 24 bytes."""

    name: str
    result: Type
    parameters: tuple[Parameter, ...] = ()

    def places(self) -> tuple[Place, ...]:
        """The place of each parameter, in their order."""
        integers, floats, offset = iter(INTEGER_REGISTERS), iter(FLOAT_REGISTERS), 8
        found = []
        for parameter in self.parameters:
            registers = floats if parameter.type.kind is Kind.FLOAT else integers
            if register := next(registers, ""):
                found.append(Place(register))
            else:
                found.append(Place("", offset))
                offset += 8
        return tuple(found)

    def result_place(self) -> Place | None:
        """Where the result is, None of void."""
        if self.result.kind is Kind.VOID:
            return None
        return Place("xmm0" if self.result.kind is Kind.FLOAT else "rax")

    def __str__(self) -> str:
        inside = ", ".join(_declared(type_, name) for name, type_ in self.parameters) or "void"
        return f"{_declared(self.result, '').rstrip()} {self.name}({inside})"


_INTEGERS = {1: "char", 2: "short", 4: "int", 8: "long"}


def _declared(type_: Type, name: str) -> str:
    """The declaration of `name`, in C."""
    if type_.kind is not Kind.POINTER or type_.element is None:
        return f"{_qualified(type_)} {name}"
    own = _qualifiers(type_)
    if type_.length:
        return _declared(type_.element, f"{name}[{own}{type_.length}]")
    return _declared(type_.element, f"*{own}{name}")


def _qualifiers(type_: Type) -> str:
    words = [word for word in ("const", "volatile", "restrict") if getattr(type_, word)]
    return "".join(word + " " for word in words)


def _qualified(type_: Type) -> str:
    own = _qualifiers(type_)
    match type_.kind:
        case Kind.INTEGER:
            sign = "signed " if type_.signed else "unsigned "
            if type_.signed and type_.size > 1:
                sign = ""
            return f"{own}{sign}{_INTEGERS[type_.size]}"
        case Kind.FLOAT:
            return own + ("float" if type_.size == 4 else "double")
        case Kind.BYTES:
            return f"{own}struct[{type_.size}]"
        case _:
            return own + ("_Bool" if type_.kind is Kind.BOOL else "void")
