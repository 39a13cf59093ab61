"""What the rest of the compiler wants to know of a module before it is optimised."""

from __future__ import annotations

from cr1cc.ir.diagnostics import ATTRIBUTES, backend_diagnostics, may_force_loops
from cr1cc.ir.fingerprint import anonymous_bitcode, bitcode_fingerprint
from cr1cc.ir.walk import walk
from cr1cc.llvm.module import Module
from cr1cc.records import ModuleInfo

_FUNCTION_INDEX = 0xFFFFFFFF  # LLVMAttributeFunctionIndex


def describe(module: Module) -> ModuleInfo:
    """Fingerprint, counts and features of the module as it is given; it stays as it is."""
    counts = walk(module)
    bitcode = anonymous_bitcode(module)
    return ModuleInfo(
        fingerprint=bitcode_fingerprint(bitcode),
        triple=module.triple,
        ic=counts.ic,
        features=counts.features,
        function_count=len(counts.functions),
        backend_diagnostics=_has_speaking_attribute(module)
        or (may_force_loops(bitcode) and backend_diagnostics(module.text())),
    )


def _has_speaking_attribute(module: Module) -> bool:
    get = module.library.GetStringAttributeAtIndex
    names = [(name.encode(), len(name)) for name in ATTRIBUTES]
    return any(
        get(function, _FUNCTION_INDEX, name, length)
        for function in module.functions()
        for name, length in names
    )
