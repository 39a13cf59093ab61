"""The driver: what it compares, what it cannot, and that its answers are the same again."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from cr1cc.errors import GateError
from cr1cc.gate.body import Body, read_body
from cr1cc.gate.driver import Driver, make_driver
from cr1cc.gate.inputs import Address, Buffer, Input, format_input
from cr1cc.gate.prototype import parse_prototype
from cr1cc.gate.verdict import Judgement, Verdict
from tests.unit.gate.cases import unit

GCC = shutil.which("gcc") or ""
PAIRS = 20_000


def compiled(source: str, level: str = "-O1") -> Body:
    text = subprocess.run(
        [GCC, level, "-w", "-S", "-x", "c", "-", "-o", "-"],
        input=source,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return read_body(text, "f")


def assembly(*lines: str) -> Body:
    return read_body(unit("f", "".join(f"\t{line}\n" for line in lines)), "f")


def driver(original: Body, new: Body, prototype: str) -> Driver:
    return make_driver(original, new, parse_prototype(prototype), os.environ, GCC)


def judged(
    original: Body, new: Body, prototype: str, pairs: int = PAIRS, seed: int = 0
) -> Judgement:
    with driver(original, new, prototype) as made:
        return made.test(pairs, seed)


SUM = "long f(const int *p, unsigned long n)"
SUM_SOURCE = f"{SUM} {{ long s = 0; for (unsigned long i = 0; i < n; i++) s += p[i]; return s; }}"


@pytest.mark.parametrize(
    "source",
    [
        "int f(int x) { return x / 7; }",
        "double f(float x, double y, int z) { return x * y + z; }",
        "_Bool f(signed char a, unsigned short b, _Bool c) { return c ? a < b : !a; }",
        "float f(const float *p, int n) { return n > 0 ? p[n - 1] : 0; }",
        "int f(int a, int b, int c, int d, int e, int g, int h, _Bool i, double x, short j) "
        "{ return i ? h * j : (int)x; }",
        "void f(int *p, const int *q, unsigned long n) "
        "{ for (unsigned long i = 0; i < n; i++) p[i] += q[i]; }",
        "char *f(char *s, int c) { while (*s && *s != (char)c) s++; return *s ? s : 0; }",
        "int f(const int *p, const int *end) { int s = 0; while (p != end) s += *p++; return s; }",
        "void f(void) { }",
        "int f(int n) { int s = 0; for (int i = 0; i < n; i++) s ^= i * i; return s; }",
        "static const short t[4] = {1, -2, 3, -4}; int f(unsigned i) { return t[i & 3]; }",
        "int f(int x) { switch (x) { case 0: return 7; case 1: return 4; case 2: return 9; "
        "case 3: return 1; case 4: return 0; case 5: return x * x; default: return 2; } }",
        "void f(char *p, unsigned long n) { __builtin_memset(p, 7, n); }",
    ],
)
def test_two_levels_of_one_compiler_agree(source: str) -> None:
    prototype = source[source.index(";") + 1 if source.startswith("static") else 0 :]
    levels = compiled(source), compiled(source, "-O2")
    judgement = judged(*levels, prototype.partition("{")[0])
    assert judgement == Judgement(
        Verdict.TESTED, "driver", evidence=(("pairs", str(PAIRS)), ("seed", "0"))
    )


@pytest.mark.parametrize("seed", [0, 1, 77])
def test_equal_seeds_give_equal_answers(seed: int) -> None:
    wrong = compiled(SUM_SOURCE.replace("p[i];", "p[i] == 77 ? 76 : p[i];"))
    with driver(compiled(SUM_SOURCE), wrong, SUM) as made:
        first = made.test(PAIRS, seed)
        assert first.verdict is Verdict.REFUTED
        assert made.test(PAIRS, seed) == first
    assert judged(compiled(SUM_SOURCE), wrong, SUM, seed=seed) == first


def test_a_number_in_the_code_is_tried() -> None:
    right = compiled("long f(long x) { return x; }")
    wrong = compiled("long f(long x) { return x == 0x123456789abcd ? 0 : x; }")
    judgement = judged(right, wrong, "long f(long x)")
    assert judgement.input == "f(x=0x123456789abcd)"
    assert judgement.reason == "it returns 0, not 0x123456789abcd"


MESSAGES = (
    'const char *f(int x) { switch (x) { case 0: return "no"; case 1: return "a"; case 7: '
    'return "a message that is long enough for an alignment of its own"; default: return "?"; } }'
)


def test_constants_of_two_bodies_are_the_same_objects_if_they_hold_the_same() -> None:
    prototype = MESSAGES.partition("{")[0]
    bodies = [compiled(MESSAGES, level) for level in ("-O1", "-O2", "-Os")]
    for new in bodies[1:]:
        assert judged(bodies[0], new, prototype, 1000).verdict is Verdict.TESTED
    for wrong in ('"b"', '"a" + 1', '"an"'):
        new = compiled(MESSAGES.replace('"a"', wrong), "-O2")
        assert judged(bodies[0], new, prototype, 1000).verdict is Verdict.REFUTED


def test_equal_constants_of_one_body_stay_two() -> None:
    tables = "static const int a[2] = {1, 2}, b[2] = {1, 2};"
    text = 'const int *f(int x) { const int *p = x ? a : b; __asm__("" : "+r"(p)); return p; }'
    wrong = text.replace("x ? a : b", "x ? a : a")
    judgement = judged(compiled(tables + text), compiled(tables + wrong), "const int *f(int x)")
    assert judgement.verdict is Verdict.REFUTED


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("width", [32, 64])
def test_the_smallest_number_by_minus_one_is_always_tried(width: int, seed: int) -> None:
    kind, least = ("int", "(-2147483647 - 1)") if width == 32 else ("long", "(-__LONG_MAX__ - 1)")
    prototype = f"{kind} f({kind} a, {kind} b, {kind} c)"
    right = compiled(f"{prototype} {{ return a; }}")
    wrong = compiled(f"{prototype} {{ return b == {least} && c == -1 ? 0 : a; }}")
    assert judged(right, wrong, prototype, 1000, seed).verdict is Verdict.REFUTED


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (("movl %edi, %eax", "movl %edi, %ebx", "ret"), "%rbx has another value"),
        (("movl %edi, %eax", "std", "ret"), "direction flag"),
        (("movl %edi, %eax", "movl $0x3f80, -4(%rsp)", "ldmxcsr -4(%rsp)", "ret"), "MXCSR is"),
        (("movl %edi, %eax", "movl $5, 8(%rsp)", "ret"), "frame of the caller"),
        (("movl %edi, %eax", "ret $8"), "stack pointer is off by 8"),
        (("movl %edi, %eax", "jmp ."), "does not end"),
        (("movl %edi, %eax", "ud2"), "faults (ILL)"),
        (("movl $60, %eax", "syscall"), "ends the process"),
        (("movl $39, %eax", "syscall", "movl %edi, %eax", "ret"), "ends the process"),
        (("leal (%rdi,%r10), %eax", "subl %r11d, %eax", "ret"), "it returns"),
    ],
)  # fmt: skip
def test_what_a_caller_would_notice_refutes(lines: tuple[str, ...], reason: str) -> None:
    right = assembly("movl %edi, %eax", "ret")
    judgement = judged(right, assembly(*lines), "int f(int x)")
    assert judgement.verdict is Verdict.REFUTED
    assert judgement.input.startswith("f(x=")
    assert reason in judgement.reason


def test_a_store_far_from_every_buffer_is_seen() -> None:
    right = assembly("movl %esi, (%rdi)", "ret")
    wrong = assembly("movl %esi, (%rdi)", "andq $-4096, %rdi", "movb $1, 2048(%rdi)", "ret")
    judgement = judged(right, wrong, "void f(int *p, int x)")
    assert judgement.verdict is Verdict.REFUTED
    assert judgement.reason.startswith("byte ")


def test_the_bodies_run_with_other_garbage_but_on_equal_inputs() -> None:
    # Bits above an argument's are equal for both: a body may well copy them.
    body = assembly("movq %rdi, %rax", "ret")
    assert judged(body, body, "long f(int x)").verdict is Verdict.TESTED


@pytest.mark.parametrize(
    ("source", "prototype", "reason"),
    [
        ("int f(int *p) { return *(volatile int *)8; }", "int f(int *p)", "faults on every input"),
        ("int f(int x) { for (;;); }", "int f(int x)", "does not end in time"),
    ],
)
def test_an_original_that_takes_no_input_is_unknown(
    source: str, prototype: str, reason: str
) -> None:
    judgement = judged(compiled(source), compiled(source), prototype)
    assert judgement.verdict is Verdict.UNKNOWN
    assert reason in judgement.reason


@pytest.mark.parametrize(
    ("source", "prototype", "reason"),
    [
        ("int g(int); int f(int x) { return g(x) + 1; }", "int f(int x)", "it needs g"),
        ("int g; int f(int x) { return g += x; }", "int f(int x)", "the variables g"),
        ("int f(int **p) { return **p; }", "int f(int **p)", "a pointer to pointers"),
        ("int f(int *p) { return *p; }", "int f(int p[2000])", "more than 4096 bytes"),
        ("int f(int x) { return x; }", f"int f({', '.join(['int'] * 33)})", "more parameters"),
    ],
)
def test_what_cannot_be_set_up_is_said(source: str, prototype: str, reason: str) -> None:
    with pytest.raises(GateError, match=reason):
        driver(compiled(source), compiled(source), prototype)


def test_a_call_of_one_input_says_what_it_is() -> None:
    right, wrong = compiled(SUM_SOURCE), compiled(SUM_SOURCE.replace("i < n", "i <= n"))
    given = Input((Address(0, 4), 1), (Buffer(b"\1\0\0\0\2\0\0\0", at_end=True, constant=True),))
    with driver(right, wrong, SUM) as made:
        judgement = made.call(given)
        assert judgement.verdict is Verdict.REFUTED
        assert judgement.reason == "it faults (SEGV), and the original does not"
        assert judgement.input == format_input(made.signature, given)
        far = Input((Address(0, 0), 5000), given.buffers)
        assert made.call(far).reason == "the original faults on every input"
        with pytest.raises(GateError, match="more memory"):
            made.call(Input((0, 0), (Buffer(b"", at_end=True),) * 2))
    with driver(right, compiled(SUM_SOURCE, "-O2"), SUM) as made:
        assert made.call(given).verdict is Verdict.TESTED


def test_nothing_is_left_behind() -> None:
    with driver(compiled(SUM_SOURCE), compiled(SUM_SOURCE), SUM) as made:
        folder = made.folder.name
        assert os.path.exists(folder)
    assert not os.path.exists(folder)
