"""One walk over a module: instruction counts and the 56 AutoPhase features.

The features are those of Huang et al., "AutoPhase: Juggling HLS Phase Orderings
in Random Forests with Deep Reinforcement Learning" (MLSys 2020), in the order in
which CompilerGym publishes them. Debug intrinsics (`llvm.dbg.*`), calls and
declarations alike, are invisible to everything here, so that `-g` changes
neither a count nor a feature; debug records (LLVM 19 and later) are no
instructions anyway.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from cr1cc.features import FEATURES
from cr1cc.llvm.library import Library
from cr1cc.llvm.module import Module, name_of

# LLVMOpcode, llvm-c/Core.h. LLVM 23 split `br` into two opcodes.
_BR, _SWITCH, _INVOKE, _CALL, _PHI = 2, 3, 5, 45, 44
_ALLOCA, _LOAD, _STORE, _GEP = 26, 27, 28, 29
_UNCOND_BR, _COND_BR = 70, 71
_BRANCHES = frozenset((_BR, _UNCOND_BR, _COND_BR))
_BINARY = frozenset(range(8, 26))
_UNARY = (_ALLOCA, _LOAD, *range(30, 42), 49, 53, 60, 66, 68, 69)
_MEMORY = (_GEP, _LOAD, _STORE, _CALL, _INVOKE, _ALLOCA)

# The features that are the number of instructions with one of some opcodes.
_OPCODE_FEATURES: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("BranchCount", tuple(_BRANCHES)),
    ("NumAShrInst", (22,)),
    ("NumAddInst", (8,)),
    ("NumAllocaInst", (_ALLOCA,)),
    ("NumAndInst", (23,)),
    ("NumBitCastInst", (41,)),
    ("NumBrInst", tuple(_BRANCHES)),
    ("NumCallInst", (_CALL,)),
    ("NumGetElementPtrInst", (_GEP,)),
    ("NumICmpInst", (42,)),
    ("NumLShrInst", (21,)),
    ("NumLoadInst", (_LOAD,)),
    ("NumMulInst", (12,)),
    ("NumOrInst", (24,)),
    ("NumPHIInst", (_PHI,)),
    ("NumRetInst", (1,)),
    ("NumSExtInst", (32,)),
    ("NumSelectInst", (46,)),
    ("NumShlInst", (20,)),
    ("NumStoreInst", (_STORE,)),
    ("NumSubInst", (10,)),
    ("NumTruncInst", (30,)),
    ("NumXorInst", (25,)),
    ("NumZExtInst", (31,)),
    ("TotalMemInst", _MEMORY),
    ("testUnary", _UNARY),
)

# (predecessors, successors) and the feature that counts such blocks.
_EXACT_SHAPES: dict[tuple[int, int], str] = {
    (1, 1): "onePredOneSuc",
    (1, 2): "onePredTwoSuc",
    (2, 1): "twoPredOneSuc",
    (2, 2): "twoEach",
}

_INTEGER = 8  # LLVMIntegerTypeKind
_DEBUG_INTRINSICS = (
    b"llvm.dbg.addr",
    b"llvm.dbg.assign",
    b"llvm.dbg.declare",
    b"llvm.dbg.label",
    b"llvm.dbg.value",
)


@dataclass(frozen=True)
class Counts:
    """What one walk over a module finds."""

    ic: int  # instructions of all defined functions
    features: tuple[int, ...]  # 56 values in the order of FEATURES
    functions: tuple[tuple[str, int], ...]  # (name, ic) of the defined functions, module order


def instruction_count(module: Module) -> int:
    """IC: the instructions of all defined functions, debug intrinsics not counted."""
    return sum(len(instructions) for _, _, instructions in blocks(module))


def walk(module: Module) -> Counts:
    """IC, AutoPhase features and the IC of each defined function."""
    features = _Features(module.library)
    ics: dict[int, int] = {}
    for function, block, instructions in blocks(module):
        ics[function] = ics.get(function, 0) + len(instructions)
        features.visit(function, block, instructions)
    hidden = _debug_functions(module)
    functions = sum(1 for handle in module.functions() if handle not in hidden)
    return Counts(
        sum(ics.values()),
        features.vector(functions),
        tuple((name_of(module.library, function), ic) for function, ic in ics.items()),
    )


def _debug_functions(module: Module) -> frozenset[int]:
    """Handles of the debug intrinsics that the module declares; mostly none."""
    find = module.library.GetNamedFunction
    handles = (find(module.handle, name) for name in _DEBUG_INTRINSICS)
    return frozenset(handle for handle in handles if handle)


def blocks(module: Module) -> Iterator[tuple[int, int, list[int]]]:
    """(function, block, its instructions without debug intrinsics), in module order.

    This runs once per candidate: a call through ctypes costs about 0.15 µs, so
    the inner loop makes one per instruction, and opcodes are asked for only where
    the module declares a debug intrinsic.
    """
    library = module.library
    next_block, first, following = (
        library.GetNextBasicBlock,
        library.GetFirstInstruction,
        library.GetNextInstruction,
    )
    hidden = _debug_functions(module)
    for function in module.functions():
        block = library.GetFirstBasicBlock(function)
        while block:
            instructions = []
            instruction = first(block)
            while instruction:
                instructions.append(instruction)
                instruction = following(instruction)
            if hidden:
                instructions = _without_calls_to(library, hidden, instructions)
            yield function, block, instructions
            block = next_block(block)


def _without_calls_to(
    library: Library, hidden: frozenset[int], instructions: list[int]
) -> list[int]:
    opcode, callee = library.GetInstructionOpcode, library.GetCalledValue
    return [i for i in instructions if opcode(i) != _CALL or callee(i) not in hidden]


class _Features:
    """Adds up AutoPhase features block by block."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._sums: Counter[str] = Counter()
        self._opcodes: Counter[int] = Counter()
        self._constants: dict[int, tuple[str, ...]] = {}  # operand -> the features it counts for
        self._successors: dict[int, list[int]] = {}  # of the blocks of the current function
        self._function = 0

    def visit(self, function: int, block: int, instructions: list[int]) -> None:
        """Blocks of one function must come one after the other."""
        if function != self._function:
            self._close_function()
            self._function = function
        opcodes = list(map(self._library.GetInstructionOpcode, instructions))
        self._opcodes.update(opcodes)
        self._successors[block] = self._successors_of(instructions[-1])
        self._count_phis(instructions, opcodes)
        self._count_operands(instructions, opcodes)
        if len(instructions) < 15:
            self._sums["BlockLow"] += 1
        elif len(instructions) <= 500:
            self._sums["BlockMid"] += 1

    def vector(self, functions: int) -> tuple[int, ...]:
        """All 56 features; `functions` is the number of functions, declared ones too."""
        self._close_function()
        sums, opcodes = self._sums, self._opcodes
        for feature, counted in _OPCODE_FEATURES:
            sums[feature] = sum(opcodes[opcode] for opcode in counted)
        sums["TotalInsts"] = opcodes.total()
        sums["TotalFuncs"] = functions
        return tuple(sums[feature] for feature in FEATURES)

    def _successors_of(self, terminator: int) -> list[int]:
        library = self._library
        count = library.GetNumSuccessors(terminator)
        return [library.GetSuccessor(terminator, i) for i in range(count)]

    def _count_phis(self, instructions: list[int], opcodes: list[int]) -> None:
        count = self._library.CountIncoming
        incoming = [
            count(i) for i, opcode in zip(instructions, opcodes, strict=True) if opcode == _PHI
        ]
        sums, values = self._sums, sum(incoming)
        if not incoming:
            sums["BBNoPhi"] += 1
            return
        sums["BeginPhi"] += 1  # phis stand first in a valid block
        sums["BB03Phi" if len(incoming) <= 3 else "BBHiPhi"] += 1
        sums["ArgsPhi"] += values
        if values:
            sums["BBNumArgsHi" if values > 5 else "BBNumArgsLo"] += 1

    def _count_operands(self, instructions: list[int], opcodes: list[int]) -> None:
        library, known = self._library, self._constants
        count, get, is_constant = library.GetNumOperands, library.GetOperand, library.IsAConstant
        known.update(dict.fromkeys(instructions, ()))  # they are no constants: nothing to ask
        found: list[str] = []
        for instruction, opcode in zip(instructions, opcodes, strict=True):
            if opcode == _LOAD:
                continue  # its only operand is a pointer
            operands = [get(instruction, i) for i in range(count(instruction))]
            if opcode == _SWITCH:
                operands += self._case_values(instruction, len(operands))
            for operand in operands:
                features = known.get(operand)
                if features is None:
                    features = known[operand] = self._constant_features(operand)
                found += features
            if opcode in _BINARY:
                if any(map(is_constant, operands)):
                    found.append("binaryConstArg")
            elif opcode == _CALL:
                if self._returns_integer(instruction):
                    found.append("returnInt")
            elif opcode in _BRANCHES and len(operands) == 1:
                found.append("UncondBranches")
        self._sums.update(found)

    def _case_values(self, switch: int, operands: int) -> list[int]:
        """The case values of a switch, where they are not operands (LLVM 22 and later)."""
        successors = self._library.GetNumSuccessors(switch)
        if operands == 2 * successors:
            return []
        case = self._library.GetSwitchCaseValue
        return [case(switch, i) for i in range(1, successors)]

    def _constant_features(self, value: int) -> tuple[str, ...]:
        library = self._library
        if not library.IsAConstantInt(value):
            return ()
        type_ = library.TypeOf(value)
        if library.GetTypeKind(type_) != _INTEGER:
            return ()  # a splat, which only some versions represent as one integer
        features = []
        width = library.GetIntTypeWidth(type_)
        if width in (32, 64):
            features.append(f"const{width}Bit")
        # Constants are unique in their context, so equal handles are equal values.
        if value == library.ConstInt(type_, 0, 0):
            features.append("numConstZeroes")
        elif value == library.ConstInt(type_, 1, 0):
            features.append("numConstOnes")
        return tuple(features)

    def _returns_integer(self, call: int) -> bool:
        library = self._library
        callee = library.GetCalledValue(call)
        if not library.IsAFunction(callee):
            return False
        type_ = library.GetCalledFunctionType(call)
        # With opaque pointers a call may disagree with its callee; it is not direct then.
        if library.GlobalGetValueType(callee) != type_:
            return False
        return bool(library.GetTypeKind(library.GetReturnType(type_)) == _INTEGER)

    def _close_function(self) -> None:
        """Count what needs the whole control-flow graph, and forget it."""
        sums = self._sums
        predecessors = Counter(b for targets in self._successors.values() for b in targets)
        for block, targets in self._successors.items():
            before, after = predecessors[block], len(targets)
            sums["TotalBlocks"] += 1
            sums["NumEdges"] += after
            if before:
                sums["onePred" if before == 1 else "twoPred" if before == 2 else "morePreds"] += 1
            if after == 1:
                sums["oneSuccessor"] += 1
            elif after == 2:
                sums["twoSuccessor"] += 1
            if (before, after) in _EXACT_SHAPES:
                sums[_EXACT_SHAPES[before, after]] += 1
            if after > 1:
                sums["CriticalCount"] += sum(predecessors[target] > 1 for target in targets)
        self._successors.clear()
