"""Sizes of functions after tails: only what a tail changed is emitted.

A size is st_size and the function's part of the unwind data, which is loaded as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cr1cc.ir.text import ModuleText, function_texts, plain_name
from cr1cc.llvm.attributes import drop, set_text
from cr1cc.llvm.module import Module, name_of
from cr1cc.llvm.passes import PassRunner
from cr1cc.llvm.target import TargetMachine
from cr1cc.passes.attributes import Attribute, attribute_named, is_attribute
from cr1cc.records import Failure
from cr1cc.util.elf import ObjectFile
from cr1cc.util.unwind import unwind_bytes

# Inline assembler, and the intrinsics behind variables that are kept in registers.
_NAMES_REGISTERS = (" asm ", "@llvm.read_", "@llvm.write_register")
_AVAILABLE_EXTERNALLY = 1  # LLVMAvailableExternallyLinkage: a body that is not emitted


class Tails:
    """One module, and some of its functions on which pipelines are tried."""

    def __init__(
        self,
        fresh: Callable[[], Module],
        passes: PassRunner,
        machine: TargetMachine,
        names: Iterable[str],
    ) -> None:
        """`fresh` gives the module anew, as it is before any pipeline."""
        self.fresh = fresh
        self.passes = passes
        self.machine = machine
        self.names = set(names)
        module = fresh()
        library = module.library
        self._texts = function_texts(module.text())
        # An alias needs a body to point at, so in such a module all are emitted.
        self._may_hide = not (
            library.GetFirstGlobalAlias(module.handle) or library.GetFirstGlobalIFunc(module.handle)
        )
        self.sizes = self._emit(module)
        module.close()

    def after(self, tail: str) -> dict[str, int] | Failure:
        """st_size by name of the functions after the pipeline `tail`."""
        module = self.fresh()
        try:
            self._run(module, tail)
            if module.invalid():
                return Failure.INVALID
            changed = self._hide_unchanged(module)
            return self.sizes | self._emit(module) if changed else self.sizes
        finally:
            module.close()

    def _run(self, module: Module, tail: str) -> None:
        library = module.library
        chosen = [f for f in module.defined_functions() if name_of(library, f) in self.names]
        run_tail(self.passes, module, tail, chosen)

    def _hide_unchanged(self, module: Module) -> bool:
        """Keep what the pipeline left as it was out of the object; False if that is all."""
        library = module.library
        texts = function_texts(module.text())
        anything = False
        for function in module.defined_functions():
            name = name_of(library, function)
            if self._texts.get(name) != texts.get(name):
                anything = True
            elif self._may_hide and not library.GetComdat(function):
                library.SetLinkage(function, _AVAILABLE_EXTERNALLY)
        return anything

    def _emit(self, module: Module) -> dict[str, int]:
        emitted = ObjectFile(self.machine.emit(module))
        unwind = unwind_bytes(emitted)
        return {
            name: size + unwind.get(name, 0)
            for name, size in emitted.function_sizes().items()
            if name in self.names
        }


def run_tail(passes: PassRunner, module: Module, tail: str, functions: Iterable[int]) -> None:
    """Run a `function(…)` pipeline on some functions, or set an attribute on them."""
    if is_attribute(tail):
        _set(module, attribute_named(tail), functions)
    else:
        passes.run_on_functions(module, tail, functions)


def _set(module: Module, attribute: Attribute, functions: Iterable[int]) -> None:
    library = module.library
    own = _naming_registers(module)
    for function in functions:
        if name_of(library, function) in own:
            continue
        if attribute.sets:
            set_text(library, function, *attribute.sets)
        if attribute.drops:
            drop(library, function, attribute.drops)


def _naming_registers(module: Module) -> frozenset[str]:
    """Functions that name registers, or may: they keep all that they have."""
    bodies = ModuleText(module.text()).bodies
    return frozenset(
        plain_name(token)
        for token, body in bodies.items()
        if any(word in body for word in _NAMES_REGISTERS)
    )
