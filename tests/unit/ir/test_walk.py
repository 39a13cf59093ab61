from __future__ import annotations

from collections.abc import Callable

import pytest

from cr1cc.features import FEATURES
from cr1cc.ir.walk import instruction_count, walk
from cr1cc.llvm.module import Module

Parse = Callable[[str], Module]
CompileC = Callable[..., Module]

RET = "define void @f() {\n  ret void\n}\n"
# entry has two successors, both edges of `c` are critical, d and e have phis.
DIAMOND = """
define i32 @f(i1 %p, i1 %q) {
entry:
  br i1 %p, label %c, label %d
c:
  br i1 %q, label %d, label %e
d:
  %x = phi i32 [ 7, %entry ], [ 9, %c ]
  br label %e
e:
  %y = phi i32 [ %x, %d ], [ 5, %c ]
  ret i32 %y
}
"""
# `m` has 3 predecessors; `l` has 2 predecessors and 2 successors.
LOOP = """
define void @f(i32 %n, i1 %p) {
entry:
  switch i32 %n, label %m [
    i32 0, label %l
    i32 1, label %m
    i32 40, label %m
  ]
l:
  br i1 %p, label %l, label %out
m:
  br label %out
out:
  ret void
}
"""


def phis(count: int, incoming: int) -> str:
    """One block with `count` phis of `incoming` values each, from a switch."""
    cases = " ".join(f"i32 {i + 10}, label %b{i}" for i in range(1, incoming))
    blocks = "".join(f"b{i}:\n  br label %m\n" for i in range(incoming))
    values = ", ".join(f"[ %n, %b{i} ]" for i in range(incoming))
    body = "".join(f"  %x{k} = phi i32 {values}\n" for k in range(count))
    return (
        f"define void @f(i32 %n) {{\n  switch i32 %n, label %b0 [ {cases} ]\n{blocks}"
        f"m:\n{body}  ret void\n}}\n"
    )


def straight(body: str, arguments: str = "i32 %a, i32 %b, i64 %w, float %s") -> str:
    return f"define void @f({arguments}) {{\n{body}\n  ret void\n}}\n"


def adds(count: int) -> str:
    return straight("\n".join(f"  %v{i} = add i32 %a, %b" for i in range(count)))


BINARY = "%x = {} i32 %a, %b".format
MEMORY = """  %p = alloca [4 x i32]
  %q = getelementptr [4 x i32], {ptr4} %p, i64 0, i64 %w
  %v = load i32, {ptr} %q
  store i32 %v, {ptr} %q
  call void @f(i32 %a, i32 %b, i64 %w, float %s)"""
OPAQUE = MEMORY.format(ptr4="ptr", ptr="ptr")
TYPED = MEMORY.format(ptr4="[4 x i32]*", ptr="i32*")
INVOKE = """
declare i32 @pers(...)
declare void @g()
define void @f() personality {pers} {{
  invoke void @g() to label %ok unwind label %bad
ok:
  ret void
bad:
  %l = landingpad {{ {ptr}, i32 }} cleanup
  ret void
}}
"""

# feature, IR, expected value, other IR, other value. {memory} is spelled per version.
CASES: tuple[tuple[str, str, int, str, int], ...] = (
    ("BBNumArgsHi", phis(2, 3), 1, phis(1, 5), 0),
    ("BBNumArgsLo", phis(1, 5), 1, phis(2, 3), 0),
    ("onePred", DIAMOND, 1, RET, 0),
    ("onePredOneSuc", phis(1, 3), 3, DIAMOND, 0),
    ("onePredTwoSuc", DIAMOND, 1, LOOP, 0),
    ("oneSuccessor", DIAMOND, 1, RET, 0),
    ("twoPred", DIAMOND, 2, RET, 0),
    ("twoPredOneSuc", DIAMOND, 1, phis(1, 3), 0),
    ("twoEach", LOOP, 1, DIAMOND, 0),
    ("twoSuccessor", DIAMOND, 2, LOOP, 1),
    ("morePreds", LOOP, 1, DIAMOND, 0),
    ("BB03Phi", phis(3, 2), 1, phis(4, 2), 0),
    ("BBHiPhi", phis(4, 2), 1, phis(3, 2), 0),
    ("BBNoPhi", DIAMOND, 2, RET, 1),
    ("BeginPhi", DIAMOND, 2, RET, 0),
    ("BranchCount", DIAMOND, 3, RET, 0),
    (
        "returnInt",
        "declare i32 @g()\ndeclare float @h()\n"
        + straight("  %x = call i32 @g()\n  %y = call float @h()"),
        1,
        "declare float @h()\n" + straight("  %y = call float @h()"),
        0,
    ),
    ("CriticalCount", DIAMOND, 3, phis(1, 3), 0),
    ("NumEdges", DIAMOND, 5, RET, 0),
    ("const32Bit", LOOP, 3, straight("  %x = add i64 %w, 3"), 0),
    ("const64Bit", straight("  %x = add i64 %w, 3"), 1, LOOP, 0),
    ("numConstZeroes", straight("  %x = add i128 0, 18446744073709551616"), 1, RET, 0),
    ("numConstOnes", straight("  %x = add i128 1, 18446744073709551617"), 1, RET, 0),
    ("UncondBranches", DIAMOND, 1, RET, 0),
    ("binaryConstArg", straight("  %x = fadd float %s, 1.0"), 1, adds(1), 0),
    ("NumAShrInst", straight(BINARY("ashr")), 1, RET, 0),
    ("NumAddInst", adds(3), 3, straight(BINARY("sub")), 0),
    ("NumAllocaInst", "{memory}", 1, RET, 0),
    ("NumAndInst", straight(BINARY("and")), 1, RET, 0),
    ("BlockMid", adds(14), 1, adds(500), 0),
    ("BlockLow", adds(13), 1, adds(14), 0),
    ("NumBitCastInst", straight("  %x = bitcast float %s to i32"), 1, RET, 0),
    ("NumBrInst", DIAMOND, 3, RET, 0),
    ("NumCallInst", "{memory}", 1, RET, 0),
    ("NumGetElementPtrInst", "{memory}", 1, RET, 0),
    ("NumICmpInst", straight("  %x = icmp eq i32 %a, %b"), 1, RET, 0),
    ("NumLShrInst", straight(BINARY("lshr")), 1, RET, 0),
    ("NumLoadInst", "{memory}", 1, RET, 0),
    ("NumMulInst", straight(BINARY("mul")), 1, RET, 0),
    ("NumOrInst", straight(BINARY("or")), 1, RET, 0),
    ("NumPHIInst", phis(4, 2), 4, RET, 0),
    ("NumRetInst", RET, 1, straight("").replace("ret void", "unreachable"), 0),
    ("NumSExtInst", straight("  %x = sext i32 %a to i64"), 1, RET, 0),
    ("NumSelectInst", straight("  %x = select i1 true, i32 %a, i32 %b"), 1, RET, 0),
    ("NumShlInst", straight(BINARY("shl")), 1, RET, 0),
    ("NumStoreInst", "{memory}", 1, RET, 0),
    ("NumSubInst", straight(BINARY("sub")), 1, adds(1), 0),
    ("NumTruncInst", straight("  %x = trunc i64 %w to i8"), 1, RET, 0),
    ("NumXorInst", straight(BINARY("xor")), 1, RET, 0),
    ("NumZExtInst", straight("  %x = zext i32 %a to i64"), 1, RET, 0),
    ("TotalBlocks", DIAMOND, 4, RET, 1),
    ("TotalInsts", DIAMOND, 6, RET, 1),
    ("TotalMemInst", "{memory}", 5, "{invoke}", 1),
    ("TotalFuncs", "declare void @g()\n" + RET, 2, RET, 1),
    ("ArgsPhi", phis(4, 3), 12, RET, 0),
    ("testUnary", straight("  %x = fneg float %s\n  %y = trunc i64 %w to i8"), 2, adds(1), 0),
)

DEBUG_INTRINSICS = """
define i32 @f(i32 %a) !dbg !4 {
  call void @llvm.dbg.value(metadata i32 %a, metadata !7, metadata !DIExpression()), !dbg !8
  ret i32 %a, !dbg !8
}
declare void @llvm.dbg.value(metadata, metadata, metadata)
!llvm.dbg.cu = !{!0}
!llvm.module.flags = !{!2}
!0 = distinct !DICompileUnit(language: DW_LANG_C99, file: !1, emissionKind: FullDebug)
!1 = !DIFile(filename: "a.c", directory: "/")
!2 = !{i32 2, !"Debug Info Version", i32 3}
!4 = distinct !DISubprogram(name: "f", file: !1, type: !5, spFlags: DISPFlagDefinition, unit: !0)
!5 = !DISubroutineType(types: !6)
!6 = !{}
!7 = !DILocalVariable(name: "a", scope: !4, file: !1)
!8 = !DILocation(line: 1, scope: !4)
"""


def spell(text: str, major: int) -> str:
    memory = straight(OPAQUE if major >= 15 else TYPED)
    invoke = INVOKE.format(
        pers="ptr @pers" if major >= 15 else "i8* bitcast (i32 (...)* @pers to i8*)",
        ptr="ptr" if major >= 15 else "i8*",
    )
    return {"{memory}": memory, "{invoke}": invoke}.get(text, text)


def test_every_feature_has_its_case_in_order() -> None:
    assert tuple(case[0] for case in CASES) == FEATURES
    assert len(FEATURES) == 56


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_a_feature_counts_what_it_says(case, parse: Parse, toolchain) -> None:
    feature, text, expected, other, other_expected = case
    index = FEATURES.index(feature)
    assert walk(parse(spell(text, toolchain.major))).features[index] == expected
    assert walk(parse(spell(other, toolchain.major))).features[index] == other_expected
    assert expected != other_expected


def test_unary_instructions_are_loads_allocas_and_casts_too(parse: Parse, toolchain) -> None:
    counts = walk(parse(spell("{memory}", toolchain.major)))
    assert counts.features[FEATURES.index("testUnary")] == 2


def test_count_and_walk_agree_and_functions_add_up(compile_c: CompileC) -> None:
    module = compile_c("int g(int); int f(int a){return g(a)+1;} int h(int*p){return *p?f(2):3;}")
    counts = walk(module)
    assert counts.ic == instruction_count(module) == sum(ic for _, ic in counts.functions)
    assert [name for name, _ in counts.functions] == ["f", "h"]
    assert counts.features[FEATURES.index("TotalInsts")] == counts.ic > 10


def test_debug_intrinsics_are_not_counted(parse: Parse) -> None:
    module = parse(DEBUG_INTRINSICS)
    assert instruction_count(module) == 1
    counts = walk(module)
    assert counts.features[FEATURES.index("TotalInsts")] == 1
    assert counts.features[FEATURES.index("NumCallInst")] == 0
    assert counts.features[FEATURES.index("TotalFuncs")] == 1


def test_debug_information_changes_neither_count_nor_feature(compile_c: CompileC) -> None:
    source = "int f(int a){ int b = a * 3; for (int i = 0; i < a; i++) b += i; return b; }"
    assert walk(compile_c(source, "-Oz", "-g")) == walk(compile_c(source, "-Oz"))


def test_a_module_without_functions_counts_nothing(parse: Parse) -> None:
    counts = walk(parse("@x = global i32 1\n"))
    assert (counts.ic, set(counts.features), counts.functions) == (0, {0}, ())
