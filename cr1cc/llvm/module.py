"""Contexts and modules: parse, clone, print, verify, write."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import byref, c_char_p, c_size_t, c_void_p
from types import TracebackType

from cr1cc.errors import EvaluationError
from cr1cc.llvm.library import Handle, Library

_RETURN_STATUS_ACTION = 2  # LLVMReturnStatusAction, llvm-c/Analysis.h


class Module:
    """An owned LLVM module. Close it, or use it as a context manager."""

    def __init__(self, library: Library, handle: int) -> None:
        self.library = library
        self.handle = handle

    @classmethod
    def parse_bitcode(cls, library: Library, bitcode: bytes) -> Module:
        """A module in a context of its own, which lives as long as the process.

        Raises EvaluationError if the bytes are no bitcode that this libLLVM reads.
        """
        return cls._parsed(library, bitcode, library.ContextCreate())

    @classmethod
    @contextmanager
    def read(cls, library: Library, bitcode: bytes) -> Iterator[Module]:
        """The same for a while: its context, in which nothing else may live, ends with it."""
        context = library.ContextCreate()
        try:
            with cls._parsed(library, bitcode, context) as module:
                yield module
        finally:
            library.ContextDispose(context)

    @classmethod
    def _parsed(cls, library: Library, bitcode: bytes, context: Handle) -> Module:
        module = c_void_p()
        if library.ParseBitcodeInContext2(context, _copy_buffer(library, bitcode), byref(module)):
            raise EvaluationError("the bitcode cannot be parsed")
        assert module.value is not None
        return cls(library, module.value)

    @classmethod
    def parse_text(cls, library: Library, text: bytes) -> Module:
        """The same for textual IR (`.ll`). Raises EvaluationError with LLVM's message."""
        module, message = c_void_p(), c_void_p()
        # LLVMParseIRInContext takes the buffer over.
        if library.ParseIRInContext(
            library.ContextCreate(), _copy_buffer(library, text), byref(module), byref(message)
        ):
            raise EvaluationError(f"the IR cannot be parsed: {library.take_message(message.value)}")
        assert module.value is not None
        return cls(library, module.value)

    @property
    def triple(self) -> str:
        return str((self.library.GetTarget(self.handle) or b"").decode())

    def has_flag(self, name: bytes) -> bool:
        """Whether the module flag (`!llvm.module.flags`) is set to anything."""
        return bool(self.library.GetModuleFlag(self.handle, name, len(name)))

    def clone(self) -> Module:
        return Module(self.library, self.library.CloneModule(self.handle))

    def invalid(self) -> str:
        """The verifier's complaint, "" for a valid module."""
        message = c_void_p()
        broken = self.library.VerifyModule(self.handle, _RETURN_STATUS_ACTION, byref(message))
        text = self.library.take_message(message.value)
        return (text or "broken module") if broken else ""

    def text(self) -> str:
        return self.library.take_message(self.library.PrintModuleToString(self.handle))

    def bitcode(self) -> bytes:
        return take_buffer(self.library, self.library.WriteBitcodeToMemoryBuffer(self.handle))

    def functions(self) -> list[int]:
        """Handles of all functions, declarations too, in module order."""
        return self._listed(self.library.GetFirstFunction, self.library.GetNextFunction)

    def variables(self) -> list[int]:
        """Handles of all global variables, declarations too, in module order."""
        return self._listed(self.library.GetFirstGlobal, self.library.GetNextGlobal)

    def _listed(
        self, first: Callable[[int], Handle], following: Callable[[int], Handle]
    ) -> list[int]:
        handles, handle = [], first(self.handle)
        while handle:
            handles.append(handle)
            handle = following(handle)
        return handles

    def defined_functions(self) -> list[int]:
        return [f for f in self.functions() if not self.library.IsDeclaration(f)]

    def close(self) -> None:
        if self.handle:
            self.library.DisposeModule(self.handle)
            self.handle = 0

    def __enter__(self) -> Module:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def name_of(library: Library, value: int) -> str:
    """The name of a value, without sigil."""
    length = c_size_t()
    start = library.GetValueName2(value, byref(length))
    return ctypes.string_at(start, length.value).decode(errors="surrogateescape")


def take_buffer(library: Library, buffer: int) -> bytes:
    """Copy and free an LLVMMemoryBufferRef."""
    data = ctypes.string_at(library.GetBufferStart(buffer), library.GetBufferSize(buffer))
    library.DisposeMemoryBuffer(buffer)
    return data


def _copy_buffer(library: Library, data: bytes) -> int:
    return int(library.CreateMemoryBufferWithMemoryRangeCopy(c_char_p(data), len(data), b"module"))
