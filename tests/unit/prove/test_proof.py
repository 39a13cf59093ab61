"""What a proof says of bodies of which it is known whether they do the same."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("triton")
pytest.importorskip("z3")
pytest.importorskip("bitwuzla")

from cr1cc.gate.prototype import parse_prototype
from cr1cc.gate.verdict import Judgement, Verdict
from cr1cc.prove.code import unit_of
from cr1cc.prove.explore import Limits
from cr1cc.prove.proof import Settings, prove
from tests.unit.gate.cases import Case, cases
from tests.unit.prove.bodies import judged

PROVED, REFUTED, UNKNOWN = Verdict.PROVED, Verdict.REFUTED, Verdict.UNKNOWN
WRONG, RIGHT = cases("wrong"), cases("right")
# Loops without a bound, and arithmetic of floating point, are known not to be proved.
BEYOND = {"more than", "is not modelled", "too many paths"}


def of(case: Case) -> Judgement:
    name = case.signature.name
    bodies = [unit_of("f.s", text, os.environ).body(name) for text in (case.original, case.new)]
    return prove(bodies[0], bodies[1], case.signature, Settings(Limits(paths=16)))


@pytest.mark.parametrize("case", WRONG, ids=repr)
def test_a_planted_wrong_body_is_not_proved(case: Case) -> None:
    assert of(case).verdict in (REFUTED, UNKNOWN)


@pytest.mark.parametrize("case", RIGHT, ids=repr)
def test_a_planted_right_body_is_not_refuted(case: Case) -> None:
    judgement = of(case)
    assert judgement.verdict in (PROVED, UNKNOWN)
    if judgement.verdict is UNKNOWN:
        assert any(one in judgement.reason for one in BEYOND), judgement


def test_the_proof_vouches_for_most_of_the_planted_right_ones() -> None:
    assert sum(of(case).verdict is PROVED for case in RIGHT if case.by == "proof") >= 25


# Functions as compilers write them --------------------------------------------------------------

SOURCE = """
#include <string.h>
int absolute(int a) { return a < 0 ? -a : a; }
int least(int a, int b) { return a < b ? a : b; }
unsigned greatest(unsigned a, unsigned b) { return a > b ? a : b; }
long widened(int c) { return c; }
unsigned char crc8(unsigned char c, unsigned char d) {
  c ^= d; for (int i = 0; i < 8; i++) c = c & 0x80 ? (c << 1) ^ 7 : c << 1; return c; }
unsigned popcount(unsigned x) { unsigned n = 0; x &= 255; while (x) { x &= x - 1; n++; } return n; }
int saturated(int a, int b) {
  long s = (long)a + b;
  return s > 2147483647 ? 2147483647 : s < -2147483647 - 1 ? -2147483647 - 1 : (int)s; }
unsigned swapped(unsigned x) {
  return x >> 24 | (x >> 8 & 0xff00) | (x << 8 & 0xff0000) | x << 24; }
void copied(char *d, const char *s) { memcpy(d, s, 16); }
long summed(const int *p) { long s = 0; for (int i = 0; i < 4; i++) s += p[i]; return s; }
int divided(int a, int b) { return a / b; }
int remainder_of_7(int a) { return a % 7; }
static const unsigned char table[16] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3};
int looked_up(unsigned i) { return table[i & 15] + table[i >> 4 & 15]; }
int switched(int x) { switch (x) { case 1: return 10; case 2: return 25; case 3: return 7; }
  return 0; }
void filled(int *p) { for (int i = 0; i < 8; i++) p[i] = i; }
int total; void counted(int k) { total += k; }
_Bool both(int a, int b) { return a > 3 && b < 5; }
"""
NAMES = re.findall(r"(\w+)\([^()]*\) \{", SOURCE)
NAMES = [name for name in NAMES if name not in ("for", "while", "switch", "if")]
COMPILERS = [name for name in ("gcc", "clang-14", "clang-19") if shutil.which(name)]


def compiled(compiler: str, level: str) -> str:
    command = [compiler, level, "-S", "-x", "c", "-", "-o", "-", "-fno-asynchronous-unwind-tables"]
    return subprocess.run(command, input=SOURCE, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def builds() -> list[str]:
    if len(COMPILERS) < 2:
        pytest.skip("no two compilers")
    pairs = ((COMPILERS[0], "-O1"), (COMPILERS[0], "-O2"), (COMPILERS[1], "-O2"))
    return [compiled(*pair) for pair in pairs]


@pytest.mark.parametrize("name", NAMES)
def test_what_compilers_make_of_one_function_is_the_same(name: str, builds: list[str]) -> None:
    found = re.search(rf"^.*?(\w[\w ]*\**{name}\([^()]*\)) \{{", SOURCE, re.MULTILINE)
    assert found
    signature = parse_prototype(found[1].strip())
    bodies = [unit_of("f.s", text, os.environ).body(name) for text in builds]
    for new in bodies[1:]:
        assert prove(bodies[0], new, signature).verdict is PROVED


def test_a_copy_in_two_halves_is_wrong_if_they_may_overlap() -> None:
    whole = "movdqu (%rsi), %xmm0; movups %xmm0, (%rdi); ret"
    halves = "movq (%rsi), %rax; movq %rax, (%rdi); movq 8(%rsi), %rax; movq %rax, 8(%rdi); ret"
    judgement = judged("void f(char *d, const char *s)", whole, halves)
    assert judgement.verdict is REFUTED
    kept = "movq (%rsi), %rax; movq 8(%rsi), %rcx; movq %rax, (%rdi); movq %rcx, 8(%rdi); ret"
    assert judged("void f(char *d, const char *s)", whole, kept).verdict is PROVED


def test_popcount_by_its_instruction_needs_a_processor_that_has_it() -> None:
    text = re.search(r"^popcount:\n((?:.*\n)+?)\t\.size", compiled("gcc", "-O2"), re.MULTILINE)
    assert text
    loop = "\n".join(line for line in text[1].splitlines() if not line.startswith("\t."))
    new = "movzbl %dil, %edi; popcntl %edi, %eax; ret"
    prototype = "unsigned f(unsigned x)"
    without = judged(prototype, loop, new)
    assert (without.verdict, "popcnt" in without.reason) == (UNKNOWN, True)
    allowed = Settings(isa=frozenset(["popcnt"]))
    assert judged(prototype, loop, new, allowed).verdict is PROVED


def test_a_loop_over_a_string_has_no_bound() -> None:
    length = "xorl %eax, %eax; 1: cmpb $0, (%rdi,%rax); je 2f; incq %rax; jmp 1b; 2: ret"
    judgement = judged("unsigned long f(const char *s)", length, length + "; nop")
    assert (judgement.verdict, judgement.reason) == (UNKNOWN, "original: more than 40 paths")


# What is compared ------------------------------------------------------------------------------

RETURN_X = "movl %edi, %eax; ret"
ADD = "leal 1(%rdi), %eax; ret"


@pytest.mark.parametrize(
    ("prototype", "original", "new", "verdict"),
    [
        # arguments and results are as wide as their types
        ("int f(int x)", RETURN_X, "movq %rdi, %rax; ret", PROVED),
        ("long f(int x)", "movslq %edi, %rax; ret", "movq %rdi, %rax; ret", REFUTED),
        ("int f(signed char c)", "movsbl %dil, %eax; ret", RETURN_X, UNKNOWN),
        ("signed char f(int x)", "movsbl %dil, %eax; ret", RETURN_X, PROVED),
        ("int f(_Bool b)", "movzbl %dil, %eax; ret", RETURN_X, UNKNOWN),
        ("int f(_Bool b)", "movzbl %dil, %eax; ret", "movl %edi, %eax; andl $1, %eax; ret", PROVED),
        ("int f(int x)", "testl %edi, %edi; setne %al; movzbl %al, %eax; ret",
         "xorl %eax, %eax; testl %edi, %edi; setne %al; ret", PROVED),
        # registers
        ("int f(int x)", RETURN_X, "pushq %rbx; movl %edi, %ebx; movl %ebx, %eax; popq %rbx; ret",
         PROVED),
        ("int f(int x)", RETURN_X, "movl %edi, %r12d; movl %r12d, %eax; ret", REFUTED),
        ("int f(int x)", RETURN_X, "movl %edi, %r11d; movl %r11d, %eax; ret", PROVED),
        # memory, all of it
        ("void f(int *p)", "movl $1, (%rdi); ret", "movl $1, (%rdi); movl $1, 4(%rdi); ret",
         REFUTED),
        ("void f(int *p)", "movl $1, (%rdi); ret", "ret", REFUTED),
        ("void f(int *p)", "movl $1, (%rdi); ret", "movl $2, (%rdi); movl $1, (%rdi); ret", PROVED),
        ("void f(int *p)", "movl $1, (%rdi); ret", "movb $1, (%rdi); ret", REFUTED),
        ("int f(int *p, int *q)", "movl $1, (%rdi); movl $2, (%rsi); movl (%rdi), %eax; ret",
         "movl $1, (%rdi); movl $2, (%rsi); movl $1, %eax; ret", REFUTED),
        # faults
        ("int f(const int *p)", "xorl %eax, %eax; ret", "movl (%rdi), %eax; xorl %eax, %eax; ret",
         REFUTED),
        ("int f(const int *p)", "movl (%rdi), %eax; ret",
         "movl (%rdi), %eax; movl (%rdi), %ecx; ret", PROVED),
        ("int f(const char *p)", "movsbl (%rdi), %eax; ret",
         "movl (%rdi), %eax; movsbl %al, %eax; ret", REFUTED),
        ("int f(const char *p)", "movsbl (%rdi), %eax; addb 4(%rdi), %al; movsbl %al, %eax; ret",
         "movl (%rdi), %eax; addb 4(%rdi), %al; movsbl %al, %eax; ret", PROVED),
        ("void f(char *p)", "movdqu (%rdi), %xmm0; movups %xmm0, 16(%rdi); ret",
         "movdqa (%rdi), %xmm0; movups %xmm0, 16(%rdi); ret", UNKNOWN),
        ("int f(int a, int b)", "movl %edi, %eax; cltd; idivl %esi; ret",
         "movl %edi, %eax; cltd; idivl %esi; movl %eax, %ecx; movl %ecx, %eax; ret", PROVED),
        ("void f(int a, int b)", "movl %edi, %eax; cltd; idivl %esi; ret", "ret", UNKNOWN),
        ("void f(int a, int b)", "ret", "movl %edi, %eax; cltd; idivl %esi; ret", REFUTED),
        # the stack
        ("int f(int x)", RETURN_X, "movl %edi, -4(%rsp); movl -4(%rsp), %eax; ret", PROVED),
        ("int f(int x)", RETURN_X, "movl %edi, -200(%rsp); movl -200(%rsp), %eax; ret", UNKNOWN),
        ("int f(int x)", RETURN_X, "subq $256, %rsp; movl %edi, (%rsp); movl (%rsp), %eax; "
         "addq $256, %rsp; ret", UNKNOWN),
        ("int f(int x)", RETURN_X, "movl -4(%rsp), %ecx; movl %edi, %eax; ret", UNKNOWN),
        ("int f(int x)", RETURN_X, "movl %edi, %eax; pushq %rax; ret", UNKNOWN),
        ("long f(int a, int b, int c, int d, int e, int g, int h)", "movslq 8(%rsp), %rax; ret",
         "movl 8(%rsp), %eax; cltq; ret", PROVED),
        ("long f(int a, int b, int c, int d, int e, int g, int h)", "movslq 8(%rsp), %rax; ret",
         "movq 8(%rsp), %rax; ret", REFUTED),
        # calls
        ("int f(int x)", "subq $8, %rsp; call g; addq $8, %rsp; ret",
         "pushq %rax; call g; popq %rcx; ret", PROVED),
        ("int f(int x)", "subq $8, %rsp; call g; addq $8, %rsp; ret",
         "subq $8, %rsp; call h; addq $8, %rsp; ret", UNKNOWN),
        ("int f(int x)", "subq $8, %rsp; call g; addq $8, %rsp; ret",
         "subq $8, %rsp; incl %edi; call g; addq $8, %rsp; ret", UNKNOWN),
        ("int f(int x)", "subq $8, %rsp; call g; addq $8, %rsp; ret", "call g; ret", UNKNOWN),
        ("void f(int *p)", "pushq %rbx; movq %rdi, %rbx; call g; movl $1, (%rbx); popq %rbx; ret",
         "pushq %rbx; movq %rdi, %rbx; movl $1, (%rbx); call g; popq %rbx; ret", UNKNOWN),
        ("int f(int *p)", "pushq %rbx; movq %rdi, %rbx; call g; movl (%rbx), %eax; popq %rbx; ret",
         "pushq %rbx; movl (%rdi), %ebx; call g; movl %ebx, %eax; popq %rbx; ret", UNKNOWN),
    ],
)  # fmt: skip
def test_what_is_compared(prototype: str, original: str, new: str, verdict: Verdict) -> None:
    judgement = judged(prototype, original, new)
    assert judgement.verdict is verdict, judgement


def test_a_refutation_has_an_input() -> None:
    judgement = judged("int f(int x)", ADD, "leal 2(%rdi), %eax; ret")
    assert judgement.verdict is REFUTED
    assert re.fullmatch(r"f\(x=0x[0-9a-f]+\)", judgement.input)
    assert re.fullmatch(r"it returns -?\d+, not -?\d+", judgement.reason)


def test_a_register_that_no_argument_fills_is_part_of_what_shows_it() -> None:
    new = "leal 1(%rdi), %eax; cmpl $5, %ecx; jne 1f; xorl %eax, %eax; 1: ret"
    judgement = judged("int f(int x)", ADD, new)
    assert judgement.verdict is REFUTED
    ((key, registers),) = judgement.evidence
    assert key == "registers"
    assert re.fullmatch(r"rcx=0x[0-9a-f]*5", registers)
    assert judgement.reason.endswith(f"where what no argument fills is {registers}")


def test_a_difference_for_one_number_is_found() -> None:
    new = "leal 1(%rdi), %eax; cmpl $0x12345678, %edi; jne 1f; xorl %eax, %eax; 1: ret"
    judgement = judged("int f(int x)", ADD, new)
    assert (judgement.verdict, judgement.input) == (REFUTED, "f(x=0x12345678)")


def test_a_wrong_signature_shows() -> None:
    only_edi = "leal (%rdi,%rsi), %eax; ret"
    assert judged("int f(int a, int b)", only_edi, only_edi + "; nop").verdict is PROVED
    narrow = "leaq (%rdi,%rsi), %rax; ret"
    assert judged("int f(int a, int b)", only_edi, narrow).verdict is PROVED
    assert judged("long f(int a, int b)", only_edi, narrow).verdict is REFUTED


@pytest.mark.parametrize(
    ("prototype", "register"),
    [("int f(void)", "rdi"), ("double f(double x)", "rdi"), ("void f(void)", "rdi"),
     ("double f(int x)", "xmm0"), ("int f(double x)", "rdi")],
)  # fmt: skip
def test_what_no_argument_fills_says_that_the_signature_is_wrong(
    prototype: str, register: str
) -> None:
    judgement = judged(prototype, ADD, "leal 2(%rdi), %eax; ret")
    assert judgement.verdict is UNKNOWN
    assert f"the original uses {register}, which no argument fills" in judgement.reason


def test_a_store_by_what_no_argument_fills_says_so_too() -> None:
    judgement = judged("void f(int *p)", "movl $1, (%rsi); ret", "movl $1, (%rsi); nop; ret")
    assert judgement.verdict is UNKNOWN
    assert "uses rsi" in judgement.reason


@pytest.mark.parametrize(
    "code",
    ["addsd %xmm0, %xmm0", "rdtsc", "cpuid", "syscall", "hlt", "std", "lock incl (%rdi)", "fldz",
     "rep stosb", "vpaddd %ymm0, %ymm0, %ymm0", "int3", "xchgl %eax, (%rdi)", "movq %rax, %mm0",
     "leal 1(%edi), %eax", "movl %fs, %eax", "movl %eax, %fs", "leaq %fs:8(%rdi), %rax",
     "jmp *%rax", "movl $1, f(%rip)", "ldmxcsr -4(%rsp)", "in %dx, %al"],
)  # fmt: skip
def test_what_is_not_modelled_is_unknown(code: str) -> None:
    judgement = judged("int f(int x)", f"{code}; {ADD}", f"{code}; {ADD}; nop")
    assert judgement.verdict is UNKNOWN
    assert judgement.reason


def test_addresses_of_code_are_not_all_the_same() -> None:
    data = ".size f, .-f; .globl g; .type g, @function; g: ret; .size g, .-g; h: ret"
    for new in ("leaq h(%rip), %rax; ret", "leaq 1f(%rip), %rax; 1: ret"):
        judgement = judged("void *f(void)", "leaq g(%rip), %rax; ret", new, data=data)
        assert judgement.verdict is UNKNOWN
    pushed = "pushq 1f(%rip); popq %rax; ret; 1: nop"
    assert judged("long f(void)", pushed, pushed.replace("1:", "nop; 1:")).verdict is UNKNOWN


def test_code_that_changes_itself_is_unknown() -> None:
    judgement = judged("int f(int x)", ADD, f"movb $2, 1f(%rip); 1: {ADD}")
    assert judgement.verdict is UNKNOWN


SAID = """
import os, sys
sys.path.insert(0, sys.argv[1])
from tests.unit.gate.cases import cases
from tests.unit.prove.test_proof import of
for kind in ("right", "wrong"):
    for case in cases(kind):
        print(kind, case.name, of(case), flush=True)
"""


@pytest.mark.long
def test_the_judgements_are_the_same_in_any_process() -> None:
    root = Path(__file__).parents[3]

    def said(seed: int) -> str:
        made = subprocess.run(
            [sys.executable, "-c", SAID, str(root)],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        )
        return made.stdout

    assert said(1) == said(2)
