"""Sizes of functions after function pipelines: only bodies that changed are emitted."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cr1cc.ir.text import function_texts
from cr1cc.llvm.module import Module, name_of
from cr1cc.llvm.passes import PassRunner
from cr1cc.llvm.target import TargetMachine
from cr1cc.records import Failure
from cr1cc.util.elf import ObjectFile

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
        if self.names >= self._texts.keys():
            self.passes.run(module, tail)
            return
        library = module.library
        chosen = [f for f in module.defined_functions() if name_of(library, f) in self.names]
        self.passes.run_on_functions(module, tail, chosen)

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
        sizes = ObjectFile(self.machine.emit(module)).function_sizes()
        return {name: size for name, size in sizes.items() if name in self.names}
