from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from cr1cc.ir.fingerprint import function_fingerprints, module_fingerprint
from cr1cc.ir.text import ModuleText
from cr1cc.llvm.module import Module

CompileC = Callable[..., Module]
Parse = Callable[[str], Module]
Optimise = Callable[[Module], Module]

SOURCE = r"""
struct node { struct node *next; int value; double weight; };
extern int printf(const char *, ...);
static const int table[4] = {1, 2, 3, 4};
static int counter = 7;
__attribute__((noinline)) static int sum(struct node *n, int k) {
  int s = 0;
  for (; n; n = n->next) {
    s += n->value * table[k & 3];
    if (n->weight > 1.5) counter++;
  }
  return s;
}
int target(struct node *n, int k) {
  printf("@x %%y !z #1 ; %d\n", counter);
  switch (k) { case 1: return sum(n, 2); case 9: return sum(n, k); }
  return k == 4 ? 11 : 0;
}
int other(int *p, int n) { int s = 0; for (int i = 0; i < n; i++) s += p[i]; return s; }
"""

# (what is changed, by what): the fingerprint of `target` stays as it is.
INVISIBLE = (
    ("counter", "tally"),
    ("sum", "total"),
    ("node", "item"),
    ("counter = 7", "counter = 8"),
    ("s += p[i]", "s ^= p[i]"),
    ("int other", "int earlier(void) { return 3; } int other"),
)
# The same for a change that must show.
VISIBLE = (
    ("? 11 : 0", "? 12 : 0"),
    ("static int counter", "int counter"),
    ("static int counter = 7", "static long counter = 7"),
    ("static int counter", "_Alignas(64) static int counter"),
    ("%%y", "%%w"),
    ("extern int printf(const char *, ...)", "extern int pr(const char *, ...)"),
    ("__attribute__((noinline)) static int sum", "__attribute__((noinline)) int sum"),
    ("__attribute__((noinline)) static", "__attribute__((noinline, cold)) static"),
    ("int target(", '__attribute__((section("s"))) int target('),
    ("int target(", '__attribute__((visibility("hidden"))) int target('),
)


def changed(old: str, new: str) -> str:
    text = SOURCE.replace("printf(", "pr(") if "int pr(" in new else SOURCE
    old = old.replace("printf", "pr") if "int pr(" in new else old
    assert old in text
    return text.replace(old, new)


@pytest.fixture
def fingerprints(compile_c: CompileC, optimise: Optimise) -> Callable[..., dict[str, str]]:
    def run(source: str, *options: str, **more: str) -> dict[str, str]:
        return function_fingerprints(optimise(compile_c(source, *options, **more)))

    return run


@pytest.mark.parametrize("change", INVISIBLE, ids=lambda change: change[1])
def test_a_change_that_no_function_pass_sees_leaves_the_fingerprint(change, fingerprints) -> None:
    assert fingerprints(changed(*change))["target"] == fingerprints(SOURCE)["target"]


@pytest.mark.parametrize("change", VISIBLE, ids=lambda change: change[1])
def test_a_change_that_a_function_pass_may_see_changes_it(change, fingerprints) -> None:
    assert fingerprints(changed(*change))["target"] != fingerprints(SOURCE)["target"]


def test_a_renamed_function_keeps_its_fingerprint(fingerprints) -> None:
    assert fingerprints(changed("target", "wanted"))["wanted"] == fingerprints(SOURCE)["target"]


def test_calling_itself_is_the_same_under_another_name(fingerprints) -> None:
    source = "int {0}(int n) {{ return n < 2 ? n : {0}(n - 1) * {0}(n - 2); }}"
    assert fingerprints(source.format("f"))["f"] == fingerprints(source.format("g"))["g"]


def test_debug_information_does_not_count(fingerprints) -> None:
    assert fingerprints(SOURCE, "-Oz", "-g") == fingerprints(SOURCE, "-Oz")


def test_names_of_values_do_not_count(fingerprints) -> None:
    named = fingerprints(SOURCE, "-Oz", "-fno-discard-value-names")
    assert named == fingerprints(SOURCE, "-Oz", "-fdiscard-value-names")


def test_flags_that_reach_the_module_count(fingerprints) -> None:
    assert fingerprints(SOURCE, "-Oz", "-fPIC") != fingerprints(SOURCE, "-Oz", "-fno-pic")


def test_every_defined_function_has_one(fingerprints) -> None:
    found = fingerprints(SOURCE)
    assert set(found) == {"sum", "target", "other"}
    assert len(set(found.values())) == 3


def test_names_are_those_of_the_symbols(parse: Parse) -> None:
    assert set(function_fingerprints(parse('define void @"a \\22b\\01"() { ret void }'))) == {
        'a "b\x01'
    }


def test_a_function_that_passes_know_by_name_is_not_like_another(parse: Parse) -> None:
    text = "define i32 @{}(i32 %a) {{ ret i32 %a }}"
    one = function_fingerprints(parse(text.format("memset")))["memset"]
    assert one != function_fingerprints(parse(text.format("clear")))["clear"]


HAND_WRITTEN = """
target triple = "x86_64-unknown-linux-gnu"
%T = type { i32, i64 }
$c = comdat any
@"a b" = constant [3 x i8] c"@x%"
@k = internal constant i32 5
define i32 @f(i32 %x) #0 comdat($c) {
entry:
  br label %"b c"
"b c":
  %v = add i32 %x, 1
  %a = alloca %T
  %w = load i32, PTR @k, !range !0
  %u = add i32 %v, %w
  br i1 true, label %"b c", label %e, !llvm.loop !1
e:
  ret i32 %u
}
attributes #0 = { nounwind "x"="y" }
!0 = !{i32 0, i32 9}
!1 = distinct !{!1, !2}
!2 = !{!"llvm.loop.mustprogress"}
"""
SEEN = (
    ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"),
    ("%T = type { i32, i64 }", "%T = type { i32, i32 }"),
    ("$c = comdat any", "$c = comdat largest"),
    (" comdat($c)", ""),
    ("i32 5", "i32 6"),
    ("@k = internal constant", "@k = internal global"),
    ("add i32 %x, 1", "add i32 %x, 2"),
    ("alloca %T", "alloca %T, align 32"),
    ("i32 0, i32 9", "i32 0, i32 8"),
    ("llvm.loop.mustprogress", "llvm.loop.unroll.disable"),
    ('"x"="y"', '"x"="z"'),
    ("add i32 %v, %w", "add i32 %w, %v"),
)
UNSEEN = (
    ("%T", "%Other"),
    ("$c", "$d"),
    ("@k", '@"k = 2"'),
    ("#0", "#7"),
    ("!2", "!6"),
    ("b c", "c d"),
    ("entry", "start"),
    ("%v", "%f"),
    ("@x%", "@y%"),  # in a constant that the function does not refer to
)


def hand_written(parse: Parse, major: int, old: str = "", new: str = "") -> str:
    text = HAND_WRITTEN.replace(old, new) if old else HAND_WRITTEN
    pointer = "ptr" if major >= 15 else "i32*"
    return function_fingerprints(parse(text.replace("PTR", pointer)))["f"]


@pytest.mark.parametrize("change", SEEN, ids=lambda change: change[1] or "no comdat")
def test_what_ir_says_of_a_function_counts(change, parse: Parse, toolchain) -> None:
    assert change[0] in HAND_WRITTEN
    major = toolchain.major
    assert hand_written(parse, major, *change) != hand_written(parse, major)


@pytest.mark.parametrize("change", UNSEEN, ids=lambda change: change[1])
def test_names_and_numbers_in_ir_do_not_count(change, parse: Parse, toolchain) -> None:
    assert change[0] in HAND_WRITTEN
    major = toolchain.major
    assert hand_written(parse, major, *change) == hand_written(parse, major)


def test_tbaa_counts(fingerprints) -> None:
    source = "int f({0} *p, float *q) {{ *p = 1; *q = 2; return *p; }}"
    with_ = fingerprints(source.format("int"))["f"]
    assert with_ != fingerprints(source.format("int"), "-Oz", "-fno-strict-aliasing")["f"]


def test_a_constant_table_counts_through_its_pointers(fingerprints) -> None:
    source = """
    int a(void); {0} int b(void);
    static int (*const t[])(void) = {{ a, b }};
    int f(int i) {{ return t[i](); }}
    """
    hidden = '__attribute__((visibility("hidden")))'
    assert fingerprints(source.format(""))["f"] != fingerprints(source.format(hidden))["f"]


def test_a_typed_pointer_is_not_followed_out_of_a_structure() -> None:
    text = ModuleText("; x\n%A = type { %B*, %C }\n%B = type { i8 }\n%C = type { i8 }\n")
    assert text.definition("%A") == ["{ ", "*%B", "*, ", "%C", " }"]


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("internal global i32 5, align 4", "internal global i32 ..., align 4"),
        ("external global i32, align 4", "external global i32, align 4"),
        (
            'global { i32, [2 x i8] } { i32 1, [2 x i8] c", }" }, section "a, b", align 8',
            'global { i32, [2 x i8] } ..., section "a, b", align 8',
        ),
        ("global void (i32, i8*)* @f, align 8", "global void (i32, i8*)* ..., align 8"),
        ("addrspace(1) global <2 x i32> <i32 1, i32 2>", "addrspace(1) global <2 x i32> ..."),
        ("global ptr addrspace(1) null, align 8", "global ptr addrspace(1) ..., align 8"),
        ("constant i32 5, align 4", "constant i32 5, align 4"),
    ],
)
def test_only_a_constant_keeps_its_initializer(line: str, kept: str) -> None:
    assert "".join(ModuleText(f"; x\n@v = {line}\n").definition("@v")) == kept


def test_a_module_is_the_same_built_elsewhere(compile_c: CompileC) -> None:
    here, there = (compile_c(SOURCE, "-Oz", directory=name) for name in ("here", "there"))
    assert module_fingerprint(here) == module_fingerprint(there)


def test_a_module_with_other_lines_differs_only_with_debug_information(compile_c: CompileC) -> None:
    moved = SOURCE.replace("int other", "\n\nint other")
    one, two = compile_c(SOURCE), compile_c(moved)
    assert module_fingerprint(one) == module_fingerprint(two)
    one, two = compile_c(SOURCE, "-Oz", "-g"), compile_c(moved, "-Oz", "-g")
    assert module_fingerprint(one) != module_fingerprint(two)


def test_fingerprints_leave_the_module_as_it_was(compile_c: CompileC) -> None:
    module = compile_c(SOURCE, "-Oz", "-g")
    before, bitcode = module.text(), module.bitcode()
    module_fingerprint(module)
    function_fingerprints(module)
    assert (module.text(), module.bitcode()) == (before, bitcode)


_IN_ANOTHER_PROCESS = """
import sys
from cr1cc.ir.fingerprint import function_fingerprints, module_fingerprint
from cr1cc.llvm.library import Library
from cr1cc.llvm.module import Module
module = Module.parse_bitcode(Library(sys.argv[1]), sys.stdin.buffer.read())
print(module_fingerprint(module), sorted(function_fingerprints(module).items()))
"""


def test_fingerprints_are_equal_in_every_process(compile_c: CompileC, toolchain) -> None:
    module = compile_c(SOURCE)
    wanted = f"{module_fingerprint(module)} {sorted(function_fingerprints(module).items())}\n"
    for seed in ("1", "2"):
        got = subprocess.run(
            [sys.executable, "-c", _IN_ANOTHER_PROCESS, toolchain.libllvm],
            input=module.bitcode(),
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(p for p in sys.path if p)},
            check=True,
            capture_output=True,
        ).stdout.decode()
        assert got == wanted
