"""Each function of a module as a module of its own."""

from __future__ import annotations

from collections.abc import Iterator

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
    for index, function in enumerate(module.functions()):
        if library.IsDeclaration(function):
            continue
        alone = module.clone()
        _keep(library, alone, index)
        passes.run(alone, _PRUNE)
        yield name_of(library, function), alone


def _keep(library: Library, module: Module, index: int) -> None:
    """Of all functions the one with this index stays; it can be seen from outside."""
    for number, function in enumerate(module.functions()):
        if not library.IsDeclaration(function):
            library.SetComdat(function, None)
            library.SetLinkage(function, _EXTERNAL if number == index else _AVAILABLE_EXTERNALLY)
    for variable in module.variables():
        if name_of(library, variable).startswith("llvm."):
            library.DeleteGlobal(variable)  # lists of what is to be kept or called at the start
        elif not library.IsDeclaration(variable):
            library.SetComdat(variable, None)
            if library.GetLinkage(variable) not in (_INTERNAL, _PRIVATE):
                library.SetLinkage(variable, _AVAILABLE_EXTERNALLY)
