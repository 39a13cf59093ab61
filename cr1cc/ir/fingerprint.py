"""Fingerprints: of a module as it enters the optimiser, of a function as it leaves it.

A module's fingerprint says "the same input": everything in its bitcode counts
except where it was built. A function's says "the same question to a function
pass": everything that a function pass may look at counts, nothing else does, so
that the same function in another project, or beside another neighbour, is equal.
The order of use lists is not part of it: write a module to bitcode and read it
back before function passes run, and that order follows from the text.
"""

from __future__ import annotations

import ctypes
from ctypes import byref, c_size_t
from hashlib import blake2b

from cr1cc.ir.libfuncs import name_matters
from cr1cc.ir.text import ModuleText, Parts, digest, plain_name
from cr1cc.llvm.module import Module


def module_fingerprint(module: Module) -> str:
    """blake2b, in hex, of the bitcode without module identifier and source file name."""
    return bitcode_fingerprint(anonymous_bitcode(module))


def bitcode_fingerprint(bitcode: bytes) -> str:
    return blake2b(bitcode, digest_size=20).hexdigest()


def anonymous_bitcode(module: Module) -> bytes:
    """The module's bitcode as if it came from a file without name; the module stays as it is."""
    library, handle = module.library, module.handle
    length = c_size_t()
    kept = []
    for get, set_ in (
        (library.GetModuleIdentifier, library.SetModuleIdentifier),
        (library.GetSourceFileName, library.SetSourceFileName),
    ):
        start = get(handle, byref(length))
        kept.append((set_, ctypes.string_at(start, length.value)))
        set_(handle, b"", 0)
    try:
        return module.bitcode()
    finally:
        for set_, name in kept:
            set_(handle, name, len(name))


def function_fingerprints(module: Module) -> dict[str, str]:
    """Fingerprint, in hex, of each defined function, by name.

    What counts: the body and the function's own properties, of every referenced
    global the properties (a constant's initializer too, a defined function's body
    not), attributes and metadata by content, target and module flags. What does
    not: debug information, names of values, types, the function itself and of
    symbols that the module defines (library functions excepted, see `libfuncs`).
    """
    text = ModuleText(module.text())
    module_wide = digest(_canonical(text, text.module_wide(), ""))
    return {
        plain_name(function): digest(
            module_wide + _canonical(text, text.function(function), function)
        )
        for function in text.bodies
    }


def _canonical(text: ModuleText, parts: Parts, function: str) -> str:
    """`parts` renamed, then what they refer to, then what that refers to, and so on.

    Each name becomes a number in order of first appearance. Types and values share
    one numbering, so a value named like a type is renamed with it, which keeps the
    renaming one-to-one. Definitions follow in that order; cycles end there.
    """
    names = _Names(text, function)
    result: list[str] = []
    _rename(parts, names, result)
    for token in names.referenced:  # grows while it is walked
        result.append("\n")
        _rename(text.definition(token), names, result)
    return "".join(result)


def _rename(parts: Parts, names: _Names, result: list[str]) -> None:
    renamed = parts.copy()
    renamed[1::2] = map(names.__getitem__, parts[1::2])
    result += renamed


class _Names(dict[str, str]):
    """token -> canonical token, filled on first sight; one per function."""

    def __init__(self, text: ModuleText, function: str) -> None:
        super().__init__()
        self.referenced: list[str] = []  # tokens whose definitions belong to the fingerprint
        self._text = text
        self._numbers: dict[str, int] = {}
        if function:
            self[function] = f"@={function}" if name_matters(plain_name(function)) else "@="

    def __missing__(self, token: str) -> str:
        canonical = self[token] = self._first_sight(token)
        return canonical

    def _first_sight(self, token: str) -> str:
        match token[:1]:
            case "@":
                return self._global(token)
            case "%":
                if token in self._text.types:
                    self.referenced.append(token)
                return self._number(token)
            case "*":  # a type behind a pointer: renamed, not followed
                return self._number(token[1:])
            case "!":
                self.referenced.append(token)
                return self._number(token)
            case "#":
                return "#" + self._text.attributes.get(token, token)
            case "$":
                return f"${self._text.comdats.get(token, '')}"
            case '"':
                return token
            case "\n" if token[1] != " ":
                return f"\n{self[_label(token)]}:"
        return ""  # debug records, intrinsics and attachments

    def _number(self, token: str) -> str:
        return f"{token[0]}{self._numbers.setdefault(token, len(self._numbers))}"

    def _global(self, token: str) -> str:
        name = plain_name(token)
        if name.startswith("llvm."):
            return token  # an intrinsic is its name
        self.referenced.append(token)
        text = self._text
        known = token in text.headers and (not text.defined(token) or name_matters(name))
        return self._number(token) + (f"={token}" if known else "")


def _label(token: str) -> str:
    """The `%name` that refers to a label line."""
    end = token.index('"', 2) + 1 if token[1] == '"' else token.index(":")
    return "%" + token[1:end]
