"""Run pass pipelines, on a module or on one function of it."""

from __future__ import annotations

from collections.abc import Iterable
from ctypes import c_char_p

from cr1cc.errors import EvaluationError
from cr1cc.llvm import attributes
from cr1cc.llvm.library import Library
from cr1cc.llvm.module import Module
from cr1cc.llvm.target import TargetMachine


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
        self.module = module
        self.function = function
        self.added = [
            n for n in ("optnone", "noinline") if not attributes.has(library, function, n)
        ]
        # The verifier refuses optnone beside these.
        hidden = ("minsize", "optsize", "alwaysinline")
        self.hidden = [n for n in hidden if attributes.has(library, function, n)]

    def put_on(self) -> None:
        self._exchange(self.hidden, self.added)

    def take_off(self) -> None:
        self._exchange(self.added, self.hidden)

    def _exchange(self, old: Iterable[str], new: Iterable[str]) -> None:
        for name in old:
            attributes.drop(self.library, self.function, name)
        for name in new:
            attributes.add(self.library, self.module, self.function, name)


def set_options(library: Library, options: Iterable[str]) -> None:
    """Set LLVM command-line options for the whole process, once: they stay set.

    An option that libLLVM does not know is ignored without a word, unlike in `clang -mllvm`.
    """
    arguments = [b"cr1", *(option.encode() for option in options)]
    array = (c_char_p * len(arguments))(*arguments)
    library.ParseCommandLineOptions(len(arguments), array, None)
