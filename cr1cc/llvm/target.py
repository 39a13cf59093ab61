"""Target machines: what passes ask about the target, and emission for scoring."""

from __future__ import annotations

from collections.abc import Iterable
from ctypes import byref, c_void_p
from dataclasses import dataclass
from enum import IntEnum

from cr1cc.errors import EvaluationError
from cr1cc.llvm.library import Library
from cr1cc.llvm.module import Module, take_buffer
from cr1cc.llvm.triple import target_name


class RelocMode(IntEnum):
    """LLVMRelocMode, llvm-c/TargetMachine.h."""

    DEFAULT = 0
    STATIC = 1
    PIC = 2


class CodeModel(IntEnum):
    """LLVMCodeModel, llvm-c/TargetMachine.h."""

    DEFAULT = 0
    TINY = 2
    SMALL = 3
    KERNEL = 4
    MEDIUM = 5
    LARGE = 6


_CODE_GENERATION_LEVEL = 2  # LLVMCodeGenLevelDefault: what clang uses for -O2, -Os and -Oz
_OBJECT_FILE = 1  # LLVMObjectFile

_CODE_MODELS = {f"-mcmodel={model.name.lower()}": model for model in CodeModel}


def code_model(options: Iterable[str]) -> CodeModel:
    """The code model that compiler options ask for; the last one counts."""
    chosen = CodeModel.DEFAULT
    for option in options:
        chosen = _CODE_MODELS.get(option, chosen)
    return chosen


@dataclass(frozen=True)
class TargetSpec:
    """What a target machine needs beyond what the module itself says."""

    code_model: CodeModel = CodeModel.DEFAULT


class TargetMachine:
    """A target machine for one module's triple and relocation model."""

    def __init__(self, library: Library, module: Module, spec: TargetSpec) -> None:
        """Raises EvaluationError if libLLVM was built without the target."""
        triple = module.triple
        name = target_name(triple)
        if name is None or not library.initialize_target(name):
            raise EvaluationError(f"this libLLVM has no target for {triple}")
        target, message = c_void_p(), c_void_p()
        if library.GetTargetFromTriple(triple.encode(), byref(target), byref(message)):
            raise EvaluationError(library.take_message(message.value))
        # clang sets the module flag exactly when it compiles position-independent code.
        reloc = RelocMode.PIC if module.has_flag(b"PIC Level") else RelocMode.STATIC
        self.library = library
        # CPU and features come from the function attributes that the front end wrote.
        self.handle = library.CreateTargetMachine(
            target, triple.encode(), b"", b"", _CODE_GENERATION_LEVEL, reloc, spec.code_model
        )

    def emit(self, module: Module) -> bytes:
        """The object file of the module. The module is spent: code generation changes it."""
        buffer, message = c_void_p(), c_void_p()
        if self.library.TargetMachineEmitToMemoryBuffer(
            self.handle, module.handle, _OBJECT_FILE, byref(message), byref(buffer)
        ):
            raise EvaluationError(self.library.take_message(message.value))
        assert buffer.value is not None
        return take_buffer(self.library, buffer.value)
