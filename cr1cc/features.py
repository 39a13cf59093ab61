"""The 56 AutoPhase features by name, in the order in which every module's stand."""

from __future__ import annotations

FEATURES: tuple[str, ...] = (
    "BBNumArgsHi",  # blocks whose phis have more than 5 incoming values in all
    "BBNumArgsLo",  # ... 1 to 5
    "onePred",
    "onePredOneSuc",
    "onePredTwoSuc",
    "oneSuccessor",
    "twoPred",
    "twoPredOneSuc",
    "twoEach",  # blocks with 2 predecessors and 2 successors
    "twoSuccessor",
    "morePreds",  # blocks with more than 2 predecessors
    "BB03Phi",  # blocks with 1 to 3 phis
    "BBHiPhi",  # ... more than 3
    "BBNoPhi",
    "BeginPhi",  # blocks that begin with a phi
    "BranchCount",
    "returnInt",  # direct calls whose callee returns an integer
    "CriticalCount",  # critical edges
    "NumEdges",
    "const32Bit",  # operands that are a ConstantInt of 32 bits
    "const64Bit",
    "numConstZeroes",
    "numConstOnes",
    "UncondBranches",
    "binaryConstArg",  # binary operators with a Constant operand
    "NumAShrInst",
    "NumAddInst",
    "NumAllocaInst",
    "NumAndInst",
    "BlockMid",  # blocks of 15 to 500 instructions
    "BlockLow",  # ... fewer than 15
    "NumBitCastInst",
    "NumBrInst",
    "NumCallInst",
    "NumGetElementPtrInst",
    "NumICmpInst",
    "NumLShrInst",
    "NumLoadInst",
    "NumMulInst",
    "NumOrInst",
    "NumPHIInst",
    "NumRetInst",
    "NumSExtInst",
    "NumSelectInst",
    "NumShlInst",
    "NumStoreInst",
    "NumSubInst",
    "NumTruncInst",
    "NumXorInst",
    "NumZExtInst",
    "TotalBlocks",
    "TotalInsts",
    "TotalMemInst",  # getelementptr, load, store, call, invoke, alloca
    "TotalFuncs",  # declarations too
    "ArgsPhi",  # incoming values of all phis
    "testUnary",  # llvm::UnaryInstruction: loads, allocas, casts, ...
)
