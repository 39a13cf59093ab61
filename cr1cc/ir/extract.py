"""Each function of a module as a module of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cr1cc.llvm.library import Library
from cr1cc.llvm.module import Module, name_of
from cr1cc.llvm.passes import PassRunner

# LLVMLinkage, llvm-c/Core.h
_EXTERNAL, _AVAILABLE_EXTERNALLY, _INTERNAL, _PRIVATE = 0, 1, 8, 9

# What is available externally becomes a declaration, and what nobody refers to goes.
_PRUNE = "elim-avail-extern,globaldce,strip-dead-prototypes"


def functions_alone(module: Module, passes: PassRunner) -> Iterator[tuple[str, Module]]:
    """(name, module) of every function: its body and the constants and variables that only its
    module had; all else is declared. Nothing for a module with aliases, which need the bodies
    that they point at. The caller closes what comes; `module` stays as it is.
    """
    library = module.library
    if library.GetFirstGlobalAlias(module.handle) or library.GetFirstGlobalIFunc(module.handle):
        return
    defined = [name_of(library, f) for f in module.functions() if not library.IsDeclaration(f)]
    yield from _apart(module, defined, passes)


def _apart(
    module: Module, names: Sequence[str], passes: PassRunner
) -> Iterator[tuple[str, Module]]:
    """By halves: a copy for every function would make large modules take quadratic time."""
    middle = (len(names) + 1) // 2
    for some in (names[:middle], names[middle:]):
        if not some:
            continue
        part = module.clone()
        _keep(module.library, part, frozenset(some))
        passes.run(part, _PRUNE)
        if len(some) == 1:
            yield some[0], part
            continue
        try:
            yield from _apart(part, some, passes)
        finally:
            part.close()


def _keep(library: Library, module: Module, names: frozenset[str]) -> None:
    """Of all functions these stay; they can be seen from outside."""
    for function in module.functions():
        if not library.IsDeclaration(function):
            library.SetComdat(function, None)
            kept = name_of(library, function) in names
            library.SetLinkage(function, _EXTERNAL if kept else _AVAILABLE_EXTERNALLY)
    for variable in module.variables():
        if name_of(library, variable).startswith("llvm."):
            library.DeleteGlobal(variable)  # lists of what is to be kept or called at the start
        elif not library.IsDeclaration(variable):
            library.SetComdat(variable, None)
            if library.GetLinkage(variable) not in (_INTERNAL, _PRIVATE):
                library.SetLinkage(variable, _AVAILABLE_EXTERNALLY)
