"""Load a libLLVM and declare the C API functions that cr1cc uses."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import CDLL, POINTER, c_char_p, c_int, c_size_t, c_uint, c_uint64, c_void_p
from typing import Any

from cr1cc.errors import ToolchainError

Handle = int | None  # an opaque LLVM reference

_P, _S, _I, _U = c_void_p, c_char_p, c_int, c_uint
_OUT_P = POINTER(c_void_p)

# name (without "LLVM"), result, arguments: llvm-c/{Core,Analysis,BitReader,BitWriter,
# IRReader,Support,Target,TargetMachine,Transforms/PassBuilder}.h
_SIGNATURES: tuple[tuple[str, Any, tuple[Any, ...]], ...] = (
    ("AddAttributeAtIndex", None, (_P, _U, _P)),
    ("AddTargetDependentFunctionAttr", None, (_P, _S, _S)),
    ("CloneModule", _P, (_P,)),
    ("ConstInt", _P, (_P, c_uint64, _I)),
    ("ConstIntGetZExtValue", c_uint64, (_P,)),
    ("ContextCreate", _P, ()),
    ("ContextDispose", None, (_P,)),
    ("ContextSetDiagnosticHandler", None, (_P, _P, _P)),
    ("CountBasicBlocks", _U, (_P,)),
    ("CountIncoming", _U, (_P,)),
    ("CreateEnumAttribute", _P, (_P, _U, c_uint64)),
    ("CreateMemoryBufferWithMemoryRangeCopy", _P, (_S, c_size_t, _S)),
    ("CreatePassBuilderOptions", _P, ()),
    ("CreateTargetMachine", _P, (_P, _S, _S, _S, _I, _I, _I)),
    ("DeleteGlobal", None, (_P,)),
    ("DisposeErrorMessage", None, (_P,)),
    ("DisposeMemoryBuffer", None, (_P,)),
    ("DisposeMessage", None, (_P,)),
    ("DisposeModule", None, (_P,)),
    ("GetBasicBlockTerminator", _P, (_P,)),
    ("GetBufferSize", c_size_t, (_P,)),
    ("GetBufferStart", _P, (_P,)),
    ("GetCalledFunctionType", _P, (_P,)),
    ("GetCalledValue", _P, (_P,)),
    ("GetComdat", _P, (_P,)),
    ("GetEnumAttributeAtIndex", _P, (_P, _U, _U)),
    ("GetEnumAttributeKindForName", _U, (_S, c_size_t)),
    ("GetErrorMessage", _P, (_P,)),
    ("GetFirstBasicBlock", _P, (_P,)),
    ("GetFirstFunction", _P, (_P,)),
    ("GetFirstGlobal", _P, (_P,)),
    ("GetFirstGlobalAlias", _P, (_P,)),
    ("GetFirstGlobalIFunc", _P, (_P,)),
    ("GetFirstInstruction", _P, (_P,)),
    ("GetInstructionOpcode", _I, (_P,)),
    ("GetIntTypeWidth", _U, (_P,)),
    ("GetIntrinsicID", _U, (_P,)),
    ("GetLinkage", _I, (_P,)),
    ("GetModuleContext", _P, (_P,)),
    ("GetModuleFlag", _P, (_P, _S, c_size_t)),
    ("GetModuleIdentifier", _P, (_P, POINTER(c_size_t))),
    ("GetModuleInlineAsm", _P, (_P, POINTER(c_size_t))),
    ("GetNamedFunction", _P, (_P, _S)),
    ("GetNextBasicBlock", _P, (_P,)),
    ("GetNextFunction", _P, (_P,)),
    ("GetNextGlobal", _P, (_P,)),
    ("GetNextInstruction", _P, (_P,)),
    ("GetNumOperands", _I, (_P,)),
    ("GetNumSuccessors", _U, (_P,)),
    ("GetOperand", _P, (_P, _U)),
    ("GetReturnType", _P, (_P,)),
    ("GetSourceFileName", _P, (_P, POINTER(c_size_t))),
    ("GetStringAttributeAtIndex", _P, (_P, _U, _S, _U)),
    ("GetStringAttributeValue", _P, (_P, POINTER(_U))),
    ("GetSuccessor", _P, (_P, _U)),
    ("GetTarget", _S, (_P,)),
    ("GetTargetFromTriple", _I, (_S, _OUT_P, _OUT_P)),
    ("GetTypeKind", _I, (_P,)),
    ("GetValueKind", _I, (_P,)),
    ("GetValueName2", _P, (_P, POINTER(c_size_t))),
    ("GlobalGetValueType", _P, (_P,)),
    ("IsAConstant", _P, (_P,)),
    ("IsAConstantInt", _P, (_P,)),
    ("IsAFunction", _P, (_P,)),
    ("IsAUnaryInstruction", _P, (_P,)),
    ("IsDeclaration", _I, (_P,)),
    ("ParseBitcodeInContext2", _I, (_P, _P, _OUT_P)),
    ("ParseCommandLineOptions", None, (_I, POINTER(_S), _S)),
    ("ParseIRInContext", _I, (_P, _P, _OUT_P, _OUT_P)),
    ("PrintModuleToString", _P, (_P,)),
    ("RemoveEnumAttributeAtIndex", None, (_P, _U, _U)),
    ("RunPasses", _P, (_P, _S, _P, _P)),
    ("SetComdat", None, (_P, _P)),
    ("SetLinkage", None, (_P, _I)),
    ("SetModuleIdentifier", None, (_P, _S, c_size_t)),
    ("SetSourceFileName", None, (_P, _S, c_size_t)),
    ("StripModuleDebugInfo", _I, (_P,)),
    ("TargetMachineEmitToMemoryBuffer", _I, (_P, _P, _I, _OUT_P, _OUT_P)),
    ("TypeOf", _P, (_P,)),
    ("ValueAsMetadata", _P, (_P,)),
    ("VerifyModule", _I, (_P, _I, _OUT_P)),
    ("WriteBitcodeToMemoryBuffer", _P, (_P,)),
)

# The same for functions that only newer versions have (since LLVM 22).
_NEWER_SIGNATURES: tuple[tuple[str, Any, tuple[Any, ...]], ...] = (
    ("GetSwitchCaseValue", _P, (_P, _U)),
)

_TARGET_PARTS = ("TargetInfo", "Target", "TargetMC", "AsmPrinter", "AsmParser")


class Library:
    """A libLLVM; C functions are attributes without their `LLVM` prefix. It is loaded when
    it is first used: a compile that has a resident process never does."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._dll: CDLL | None = None

    def load(self) -> None:
        """Load it now. Raises ToolchainError if that cannot be or a function is missing."""
        if self._dll is not None:
            return
        try:
            dll = CDLL(self.path)
            newer = [row for row in _NEWER_SIGNATURES if hasattr(dll, "LLVM" + row[0])]
            for name, result, arguments in (*_SIGNATURES, *newer):
                function = getattr(dll, "LLVM" + name)
                function.restype = result
                function.argtypes = arguments
                setattr(self, name, function)
        except (OSError, AttributeError) as error:
            raise ToolchainError(f"{self.path}: not a usable libLLVM: {error}") from None
        self._dll = dll

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_") or self._dll is not None:
            raise AttributeError(f"{name} is not in the table of {__name__}")
        self.load()
        function: Callable[..., Any] = getattr(self, name)
        return function

    def initialize_target(self, target: str) -> bool:
        """Register one target ("X86", "AArch64", …); False if it is not compiled in."""
        self.load()
        try:
            for part in _TARGET_PARTS:
                getattr(self._dll, f"LLVMInitialize{target}{part}")()
        except AttributeError:
            return False
        return True

    def take_message(self, message: Handle) -> str:
        """Copy and free a message that LLVM allocated."""
        if not message:
            return ""
        text = ctypes.string_at(message).decode(errors="replace")
        self.DisposeMessage(message)
        return text

    def take_error(self, error: Handle) -> str:
        """Copy and free an LLVMErrorRef."""
        message = self.GetErrorMessage(error)
        text = ctypes.string_at(message).decode(errors="replace")
        self.DisposeErrorMessage(message)
        return text
