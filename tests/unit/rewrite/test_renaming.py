"""Registers that take each other's places: functions get shorter, and programs do the same."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from cr1cc.asm.graph import Graph
from cr1cc.asm.printer import print_unit
from cr1cc.asm.reader import read_unit
from cr1cc.asm.statement import Kind, Machine
from cr1cc.asm.unit import Unit
from cr1cc.gate.body import assembled
from cr1cc.rewrite.renaming import Renamed, renamed, spelled
from cr1cc.util.elf import ObjectFile
from tests.unit.asm.conftest import PROGRAMS, csmith, run
from tests.unit.rewrite.functions import text_of
from tests.unit.rewrite.test_programs import COMPILERS, check_same, compiled, outcome
from tests.unit.rewrite.test_saved import BACK, SAVE

# %r12 is used more often than %rbx, and each time it takes a byte.
SHORTER = (
    f".cfi_startproc; {SAVE}.cfi_offset 3, -24; .cfi_offset 12, -16; movl %edi, %r12d; "
    "movq %rsi, %rbx; movl %r12d, %edi; call g; addl %r12d, %eax; movb %r12b, (%rbx); "
    f".cfi_restore 3; {BACK}; .cfi_endproc"
)


def assemble(text: bytes) -> bytes:
    return assembled(text.decode("utf-8", "surrogateescape"), os.environ)


def with_names(text: str) -> tuple[str, list[Renamed]]:
    unit, found = renamed(Graph(read_unit(text)))
    return print_unit(unit), found


def test_what_is_used_most_gets_the_shortest_names() -> None:
    text, (one,) = with_names(text_of(SHORTER))
    assert (one.function, spelled(one.names)) == ("f", ("%rbx, %r12", "%r12, %rbx"))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    for line in ("movl %edi, %ebx", "movq %rsi, %r12", "movb %bl, (%r12)", "addl %ebx, %eax",
                 "pushq %r12", "popq %rbx", ".cfi_offset 12, -24", ".cfi_offset 3, -16",
                 ".cfi_restore 12"):  # fmt: skip
        assert line in lines
    before, after = (len(assemble(one.encode())) for one in (text_of(SHORTER), text))
    assert one.saved > 0
    assert after <= before


def test_registers_of_unwinding_may_have_names() -> None:
    body = SHORTER.replace(".cfi_offset 3,", ".cfi_offset %rbx,").replace(
        ".cfi_restore 3", ".cfi_restore %rbx"
    )
    text, _ = with_names(text_of(body))
    assert ".cfi_offset\t%r12, -24" in text
    assert ".cfi_restore\t%r12" in text


def test_text_for_another_machine_stays() -> None:
    text = text_of(SHORTER)
    unit = read_unit(text)
    other = Unit(Machine.AARCH64, unit.pieces, unit.atoms, unit.symbols, False)
    assert renamed(Graph(other)) == (other, [])


def test_registers_beside_a_high_byte_keep_names_without_a_prefix() -> None:
    """`movzbl %ah, %r12d` has no encoding."""
    body = SHORTER.replace("call g;", "call g; movzbl %ah, %ebx; ")
    text, found = with_names(text_of(body))
    assert found == []
    assert assemble(text.encode())


def test_what_is_short_already_stays() -> None:
    once, _ = with_names(text_of(SHORTER))
    assert with_names(once) == (once, [])


def test_what_would_be_no_shorter_is_left_out() -> None:
    """All instructions have a prefix anyway."""
    body = (
        f"{SAVE}movq %rdi, %r12; movq %rsi, %rbx; call g; addq %r12, %rax; addq %r12, %rax; {BACK}"
    )
    text = text_of(body)
    assert with_names(text) == (print_unit(read_unit(text)), [])


def check(text: str, source: Path, folder: Path) -> None:
    """That the program does the same, and that instructions get as much shorter as is said."""
    new, found = with_names(text)
    check_same(text, new, source, folder)
    old, other = read_unit(text), read_unit(new)
    for one in found:
        before, after = (length(unit, one.function) for unit in (old, other))
        assert before - after == one.saved


def length(unit: Unit, function: str) -> int:
    """Bytes of the instructions of a function but for jumps, one after the other."""
    (found,) = (one for one in Graph(unit).functions if one.entries[0] == function)
    lines = [
        str(statement)
        for atom in found.atoms
        for statement in unit.statements_of(atom)
        if statement.kind is Kind.INSTRUCTION and not statement.name.startswith("j")
    ]
    data = assemble("\n".join(("begin:", *lines, "end:", "")).encode())
    places = {one.name: one.value for one in ObjectFile(data).symbols()}
    return places["end"] - places["begin"]


@pytest.mark.parametrize(("compiler", "level"), COMPILERS)
@pytest.mark.parametrize("source", PROGRAMS, ids=lambda path: path.name)
def test_a_program_does_the_same(source: Path, compiler: str, level: str, tmp_path: Path) -> None:
    check(compiled(source, compiler, [level], tmp_path), source, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize(("compiler", "level"), COMPILERS)
@pytest.mark.parametrize("seed", range(60))
def test_random_programs_do_the_same(seed: int, compiler: str, level: str, tmp_path: Path) -> None:
    source = csmith(seed, tmp_path)
    check(compiled(source, compiler, [level, "-I/usr/include/csmith"], tmp_path), source, tmp_path)


THROWING = """
#include <stdio.h>
struct thing { int n; };
extern "C" int below(int n);
extern "C" int thrower(int n) { if (n > 3) throw thing{n}; return n; }
extern "C" int between(const int *p, int n, int m, int k);
int main() {
    int kept[] = {1, 2, 3, 4, 5, 6}, sum = 0;
    for (int i = 0; i < 6; i++) {
        try { sum += between(kept, i, i * 2, i * 3); } catch (const thing &t) { sum += 100 * t.n; }
        printf("%d %d %d\\n", i, sum, kept[i]);
    }
}
"""
BETWEEN = """
int thrower(int);
int between(const int *p, int n, int m, int k) {
    int s = 0;
    for (int i = 0; i <= n; i++) s += (short)(p[i] * m) + (signed char)thrower(i) * k;
    return s + n + m + k;
}
"""


@pytest.mark.parametrize("compiler", ["gcc", "clang-19"])
def test_exceptions_go_through_functions_with_other_names(compiler: str, tmp_path: Path) -> None:
    """Who catches them has its own registers back, by what unwinding is told."""
    if shutil.which(compiler) is None or shutil.which("g++") is None:
        pytest.skip(f"{compiler} is missing")
    (tmp_path / "between.c").write_text(BETWEEN)
    (tmp_path / "throwing.cpp").write_text(THROWING)
    options = ["-Os", "-fexceptions"]
    text = compiled(tmp_path / "between.c", compiler, options, tmp_path)
    # Whatever the compiler chose: a round of names, so that all of them are others.
    saved = [name for name in ("rbx", "rbp", "r12", "r13", "r14", "r15") if f"%{name}" in text]
    new, found = with_names(text)
    assert len(saved) > 3
    outputs = []
    for one in (text, new):
        (tmp_path / "unit.s").write_text(one)
        linked = run("g++", "-O2", tmp_path / "throwing.cpp", tmp_path / "unit.s", "-o",
                     tmp_path / "program")  # fmt: skip
        assert linked.returncode == 0, linked.stderr
        outputs.append(run(tmp_path / "program").stdout)
    assert outputs[0] == outputs[1] != ""
    assert found or new == print_unit(read_unit(text))


LEAVES = {
    "void f(const int *p, int *q)":
        f"{SAVE}movl (%rdi), %r12d; movslq 4(%rdi), %rbx; addl %r12d, %ebx; movl %r12d, 8(%rsi); "
        f"xorl %r12d, %ebx; movl %ebx, (%rsi); {BACK}",
    "int f(char *p, int n)":
        f"testl %esi, %esi; js .L1; pushq %rbp; {SAVE}movl %esi, %r12d; leaq 3(%rdi), %rbx; "
        "movzbl (%rbx), %ebp; addl %r12d, %ebp; movb %r12b, 1(%rdi); leal (%rbp,%r12), %eax; "
        "popq %rbx; popq %r12; popq %rbp; ret; .L1:; movl $-1, %eax; ret",
}  # fmt: skip


HANDLING = """
#include <cstdio>
#include <string>
extern "C" int thrower(int n);
struct guard { const char *name; int n; ~guard() { std::printf("%s %d\\n", name, n); } };
__attribute__((noinline)) int handling(const int *p, int n, int m, const std::string &name) {
    int sum = 0, best = -1;
    for (int i = 0; i < n; i++) {
        guard one{name.c_str(), i};
        try { sum += thrower(p[i] * m) + best; best = i; }
        catch (int wrong) { sum -= wrong * m; if (wrong > 40) throw std::string(name); }
    }
    return sum * 3 + best + m;
}
extern "C" int thrower(int n) { if (n % 3 == 0) throw n; return n; }
int main() {
    const int values[] = {1, 2, 3, 4, 5, 6, 7, 8};
    for (int m = 1; m < 9; m++)
        try { std::printf("%d\\n", handling(values, 8, m, "a name")); }
        catch (const std::string &name) { std::printf("%s\\n", name.c_str()); }
}
"""


@pytest.mark.parametrize("compiler", ["gcc", "clang-19"])
def test_exceptions_come_back_into_functions_with_other_names(
    compiler: str, tmp_path: Path
) -> None:
    source = tmp_path / "handling.cpp"
    source.write_text(HANDLING)
    for level in ("-Os", "-O2"):
        text = compiled(source, compiler, [level], tmp_path)
        new, found = with_names(text)
        expected = outcome(text, source, tmp_path)
        assert expected[1] == 0
        assert outcome(new, source, tmp_path) == expected
        names = {one.function for one in found}
        handlers = {name for name in names if ".cfi_lsda" in _function(text, name)}
        assert handlers or level != "-Os" or compiler != "gcc"


def _function(text: str, name: str) -> str:
    return text.partition(f"\n{name}:")[2].partition(f".size\t{name}")[0]


@pytest.mark.parametrize(("prototype", "body"), LEAVES.items(), ids=["straight", "branch"])
def test_shorter_functions_are_proved_to_be_the_same(prototype: str, body: str) -> None:
    """By a prover that knows nothing of the reasons why they are."""
    pytest.importorskip("triton")
    pytest.importorskip("z3")
    pytest.importorskip("bitwuzla")
    from cr1cc.gate.prototype import parse_prototype
    from cr1cc.gate.verdict import Verdict
    from cr1cc.prove.code import unit_of
    from cr1cc.prove.proof import prove

    text = text_of(body)
    new, found = with_names(text)
    assert [one.function for one in found] == ["f"]
    old, made = (unit_of("unit", one, os.environ).body("f") for one in (text, new))
    judged = prove(old, made, parse_prototype(prototype))
    assert judged.verdict is Verdict.PROVED, judged
