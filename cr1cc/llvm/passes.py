"""Run pass pipelines, on a module or on one function of it."""

from __future__ import annotations

from collections.abc import Iterable
from ctypes import c_char_p

from cr1cc.errors import EvaluationError
from cr1cc.llvm.library import Library
from cr1cc.llvm.module import Module
from cr1cc.llvm.target import TargetMachine

_FUNCTION_INDEX = 0xFFFFFFFF  # LLVMAttributeFunctionIndex


class PassRunner:
    """Runs pipeline texts; a target machine is needed or target-dependent passes differ."""

    def __init__(self, library: Library, machine: TargetMachine) -> None:
        self.library = library
        self.machine = machine
        self._options = library.CreatePassBuilderOptions()

    def run(self, module: Module, pipeline: str) -> None:
        """Raises EvaluationError for a pipeline that LLVM does not accept."""
        error = self.library.RunPasses(
            module.handle, pipeline.encode(), self.machine.handle, self._options
        )
        if error:
            raise EvaluationError(self.library.take_error(error))

    def run_on_functions(self, module: Module, pipeline: str, functions: Iterable[int]) -> None:
        """Run a `function(…)` pipeline on some functions of the module only.

        The others carry `optnone noinline` meanwhile, which the pass manager honours
        for function passes in every version (LLVMRunPassesOnFunction needs LLVM 20).
        """
        chosen = set(functions)
        masked = [
            _Mask(self.library, module, f) for f in module.defined_functions() if f not in chosen
        ]
        for mask in masked:
            mask.put_on()
        try:
            self.run(module, pipeline)
        finally:
            for mask in masked:
                mask.take_off()


class _Mask:
    """`optnone noinline` on one function, leaving no trace afterwards."""

    def __init__(self, library: Library, module: Module, function: int) -> None:
        self.library = library
        self.function = function
        self.context = library.GetModuleContext(module.handle)
        self.kinds = [
            kind
            for kind in (_kind(library, b"optnone"), _kind(library, b"noinline"))
            if not library.GetEnumAttributeAtIndex(function, _FUNCTION_INDEX, kind)
        ]
        # The verifier refuses optnone beside minsize, optsize and alwaysinline.
        self.hidden = [
            kind
            for kind in (_kind(library, n) for n in (b"minsize", b"optsize", b"alwaysinline"))
            if library.GetEnumAttributeAtIndex(function, _FUNCTION_INDEX, kind)
        ]

    def put_on(self) -> None:
        for kind in self.hidden:
            self.library.RemoveEnumAttributeAtIndex(self.function, _FUNCTION_INDEX, kind)
        for kind in self.kinds:
            self._add(kind)

    def take_off(self) -> None:
        for kind in self.kinds:
            self.library.RemoveEnumAttributeAtIndex(self.function, _FUNCTION_INDEX, kind)
        for kind in self.hidden:
            self._add(kind)

    def _add(self, kind: int) -> None:
        _add_attribute(self.library, self.context, self.function, kind)


def mark_for_size(module: Module) -> None:
    """Give every function the attributes that `clang -Oz` gives it, except optnone ones."""
    library = module.library
    context = library.GetModuleContext(module.handle)
    optnone = _kind(library, b"optnone")
    for function in module.defined_functions():
        if not library.GetEnumAttributeAtIndex(function, _FUNCTION_INDEX, optnone):
            for name in (b"minsize", b"optsize"):
                _add_attribute(library, context, function, _kind(library, name))


def _add_attribute(library: Library, context: int, function: int, kind: int) -> None:
    attribute = library.CreateEnumAttribute(context, kind, 0)
    library.AddAttributeAtIndex(function, _FUNCTION_INDEX, attribute)


def _kind(library: Library, name: bytes) -> int:
    return int(library.GetEnumAttributeKindForName(name, len(name)))


def set_options(library: Library, options: Iterable[str]) -> None:
    """Set LLVM command-line options for the whole process, once: they stay set.

    An option that libLLVM does not know is ignored without a word, unlike in `clang -mllvm`.
    """
    arguments = [b"cr1", *(option.encode() for option in options)]
    array = (c_char_p * len(arguments))(*arguments)
    library.ParseCommandLineOptions(len(arguments), array, None)
