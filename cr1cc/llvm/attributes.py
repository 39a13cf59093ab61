"""Attributes of functions."""

from __future__ import annotations

from cr1cc.llvm.library import Library
from cr1cc.llvm.module import Module

_FUNCTION_INDEX = 0xFFFFFFFF  # LLVMAttributeFunctionIndex


def has(library: Library, function: int, name: str) -> bool:
    """Whether a function carries an enum attribute."""
    return bool(library.GetEnumAttributeAtIndex(function, _FUNCTION_INDEX, _kind(library, name)))


def add(library: Library, module: Module, function: int, name: str) -> None:
    """Give a function an enum attribute without a value."""
    context = library.GetModuleContext(module.handle)
    attribute = library.CreateEnumAttribute(context, _kind(library, name), 0)
    library.AddAttributeAtIndex(function, _FUNCTION_INDEX, attribute)


def drop(library: Library, function: int, name: str) -> None:
    """Take an enum attribute from a function."""
    library.RemoveEnumAttributeAtIndex(function, _FUNCTION_INDEX, _kind(library, name))


def set_text(library: Library, function: int, key: str, value: str) -> None:
    """Give a function a string attribute, in the place of one with that key."""
    library.AddTargetDependentFunctionAttr(function, key.encode(), value.encode())


def mark_for_size(module: Module) -> None:
    """Give every function the attributes that `clang -Oz` gives it, except optnone ones."""
    library = module.library
    for function in module.defined_functions():
        if not has(library, function, "optnone"):
            for name in ("minsize", "optsize"):
                add(library, module, function, name)


def _kind(library: Library, name: str) -> int:
    return int(library.GetEnumAttributeKindForName(name.encode(), len(name)))
