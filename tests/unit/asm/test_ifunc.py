"""Functions with two bodies: the loader picks the one that the processor can run, and nothing else
of a program changes."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cr1cc.asm import ifunc
from cr1cc.asm.graph import Graph
from cr1cc.asm.ifunc import with_second_bodies
from cr1cc.asm.levels import LEVELS, detector
from cr1cc.asm.printer import print_unit
from cr1cc.asm.reader import read_unit
from cr1cc.asm.splice import visible
from cr1cc.asm.unit import Unit
from cr1cc.errors import AsmError
from tests.unit.asm.conftest import PROGRAMS, compiler_for, run
from tests.unit.asm.snippets import GCC, READ_X, F, data, function
from tests.unit.asm.test_splice import global_functions

Units = Callable[..., Unit]
OPTIONS = "-O3 -fno-ipa-ra -fno-ipa-stack-alignment"

# How code is compiled, and how it is linked.
KINDS = {
    "position dependent": ("-fno-pie", "-no-pie"),
    "position independent": ("-fPIE", "-pie"),
    "static": ("-fno-pie", "-static"),
    "static and position independent": ("-fPIE", "-static-pie"),
}
LINKERS = ("bfd", "gold", "mold")
# Processors of qemu and the highest level that they have.
PROCESSORS = {"qemu64": "", "Nehalem": "x86-64-v2", "Haswell": "x86-64-v3", "max": "x86-64-v3"}

# `BODY` says which compilation a body is from.
WHICH = """
#include <stdio.h>
int body(void) { return BODY; }
int again(int n) { return n ? BODY + 10 * again(n - 1) : 0; }
static int inner(int n) { static int calls; calls += n; return calls + BODY; }
int outer(int n) { return inner(n) + inner(n); }
int (*const table[])(void) = {body};
int (*first(void))(void) { return body; }
extern int (*others(void))(void), (*const elsewhere)(void);
int main(void) {
    int (*volatile here)(void) = body;
    int same = here == table[0] && here == first() && here == others() && here == elsewhere;
    printf("%d %d %d %d %d\\n", body(), table[0](), again(3), outer(100), same);
    return 0;
}
"""
OTHER = """
int body(void);
int (*others(void))(void) { return body; }
int (*const elsewhere)(void) = body;
"""


def two_bodies(unit: Units, options: str, level: str = "x86-64-v3", donor: str = "gcc") -> Unit:
    base = unit(WHICH, "gcc", f"{OPTIONS} {options} -fno-inline -DBODY=1")
    higher = unit(WHICH, donor, f"{OPTIONS} {options} -march={level} -fno-inline -DBODY=2")
    names = ("body", "again", "outer")
    made, refused = with_second_bodies(base, {"d": higher}, dict.fromkeys(names, "d"), level)
    assert refused == {}
    assert dict(visible(Graph(made))) == dict(visible(Graph(base)))
    return made


def on(processor: str, program: Path) -> str:
    """What a program prints on a processor, with its exit status if that is not 0."""
    if shutil.which("qemu-x86_64") is None:
        pytest.skip("qemu-x86_64 is missing")
    done = run("qemu-x86_64", "-cpu", processor, program)
    assert done.returncode >= 0, done.stderr[-300:]
    return done.stdout + (f"status {done.returncode}" if done.returncode else "")


@pytest.mark.parametrize("linker", LINKERS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_body_is_picked_and_a_function_has_one_address(
    unit: Units, tmp_path: Path, kind: str, linker: str
) -> None:
    if shutil.which(linker) is None and shutil.which(f"ld.{linker}") is None:
        pytest.skip(f"{linker} is missing")
    if (linker, kind) == ("gold", "static and position independent"):
        pytest.skip("gold has no such programs")
    code, link = KINDS[kind]
    (tmp_path / "unit.s").write_text(print_unit(two_bodies(unit, code)))
    (tmp_path / "other.c").write_text(OTHER)
    program = tmp_path / "program"
    done = run("gcc", code, link, f"-fuse-ld={linker}", "-O2", tmp_path / "unit.s",
               tmp_path / "other.c", "-o", program)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert on("Nehalem", program) == "1 1 111 302 1\n"
    assert on("Haswell", program) == "2 2 222 304 1\n"


def test_no_other_unit_sees_a_new_symbol(unit: Units, monkeypatch: pytest.MonkeyPatch) -> None:
    def with_more(name: str, level: str) -> list[str]:
        return [*detector(name, level), "\t.globl\tmore", "more:", "\tret"]

    monkeypatch.setattr(ifunc, "detector", with_more)
    with pytest.raises(AsmError, match="other units would see other symbols"):
        two_bodies(unit, "-fPIC")


def test_a_library_and_its_program_know_one_address(unit: Units, tmp_path: Path) -> None:
    text = print_unit(two_bodies(unit, "-fPIC")).replace("main", "entry")
    (tmp_path / "unit.s").write_text(text)
    (tmp_path / "other.c").write_text(OTHER + "int entry(void); int main(void) {return entry();}")
    library = tmp_path / "libunit.so"
    for lazy in ("lazy", "now"):
        for code, link in (("-fPIE", "-pie"), ("-fno-pie", "-no-pie")):
            # The library needs what the program defines, and the other way round.
            made = run("gcc", "-shared", f"-Wl,-z,{lazy}", tmp_path / "unit.s", "-o", library)
            assert made.returncode == 0, made.stderr
            program = tmp_path / "program"
            done = run("gcc", code, link, "-rdynamic", tmp_path / "other.c", library, "-o", program,
                       f"-Wl,-rpath,{tmp_path}")  # fmt: skip
            assert done.returncode == 0, done.stderr
            assert on("Nehalem", program) == "1 1 111 302 1\n"
            assert on("Haswell", program) == "2 2 222 304 1\n"


@pytest.mark.parametrize("level", LEVELS)
def test_the_processor_is_asked_as_gcc_asks_it(level: str, tmp_path: Path) -> None:
    (tmp_path / "detects.s").write_text("\t.globl here\n" + "\n".join(detector("here", level)))
    (tmp_path / "main.c").write_text(
        "#include <stdio.h>\nint here(void);\n"
        f'int main(void) {{ printf("%d %d\\n", here(), !!__builtin_cpu_supports("{level}")); }}\n'
    )
    program = tmp_path / "program"
    done = run("gcc", "-z", "noexecstack", tmp_path / "detects.s", tmp_path / "main.c", "-o",
               program)  # fmt: skip
    if "parameter to builtin not valid" in done.stderr:
        pytest.skip("this gcc does not know levels")
    assert done.returncode == 0, done.stderr
    assert run(program).stdout in ("0 0\n", "1 1\n")
    for processor, highest in PROCESSORS.items():
        has = int(bool(highest) and list(LEVELS).index(level) <= list(LEVELS).index(highest))
        assert on(processor, program) == f"{has} {has}\n", processor


@pytest.mark.parametrize("source", PROGRAMS, ids=lambda path: path.name)
@pytest.mark.parametrize("donor", ["gcc -O3", "clang-19 -O2"])
def test_programs_do_what_they_did(unit: Units, tmp_path: Path, source: Path, donor: str) -> None:
    compiler, level = donor.split()
    plain = unit(source, "gcc", OPTIONS)
    more = OPTIONS.replace("-O3", level) if compiler == "gcc" else level
    higher = unit(source, compiler, f"{more} -march=x86-64-v3 -ffp-contract=off")
    names = dict.fromkeys(global_functions(plain), "d")
    made, refused = with_second_bodies(plain, {"d": higher}, names, "x86-64-v3")
    assert len(refused) < len(names)
    outputs = []
    for number, one in enumerate((plain, made)):
        (tmp_path / "unit.s").write_text(print_unit(one), errors="surrogateescape")
        program = tmp_path / f"program{number}"
        linked = run(compiler_for(source, "gcc"), tmp_path / "unit.s", "-pthread", "-o", program)
        assert linked.returncode == 0, linked.stderr
        outputs += [on(processor, program) for processor in ("Nehalem", "Haswell")]
    assert outputs == outputs[:1] * 4


PART = F.replace("\tret", "\tjmp .Lg\n\tret") + function(name="g", labels="\n.Lg:")


@pytest.mark.parametrize(
    ("base", "reason"),
    [
        (function(binding=""), "not a global function"),
        (function(binding=".weak"), "not a global function"),
        (function(name="g"), "not a global function"),
        (function(section='.section .text.f,"axG",@progbits,f,comdat'), "in a section group"),
        (PART, "shares parts"),
        (F.replace("f:", "f:\ng:", 1) + "\t.globl g\n", "another global symbol"),
        (F + "\t.set own,f\n" + function("\tcall own", "g"), "a name of its own"),
        (F + function(name="f.plain", binding=""), "is taken"),
        (F + function("\tmovabsq $x, %rax", "g") + data(), "the code model"),
    ],
)
def test_a_function_that_must_have_one_body_is_refused_by_its_reason(
    base: str, reason: str
) -> None:
    both = GCC + base
    with pytest.raises(AsmError, match=reason):
        with_second_bodies(read_unit(both), {"d": read_unit(both)}, {"f": "d"}, "x86-64-v3")


def test_who_cannot_have_a_second_body_does_not_cost_the_others_theirs() -> None:
    base = GCC + F + function(READ_X, "g") + data()
    donor = GCC + F + function(READ_X, "g") + data(content="\t.long 2")
    units = {"d": read_unit(donor)}
    made, refused = with_second_bodies(
        read_unit(base), units, {"f": "d", "g": "d", "h": "d"}, "x86-64-v2"
    )
    assert refused.keys() == {"g", "h"}
    assert "initial contents" in refused["g"]
    text = print_unit(made)
    assert "f.x86_64_v2:" in text
    assert "g.plain" not in text


def test_what_runs_before_relocation_refers_to_places_of_its_own_unit_only(unit: Units) -> None:
    graph = Graph(two_bodies(unit, "-fPIC"))
    for name in ("body.picked", "cr1.x86_64_v3.here"):
        atom = graph.symbol(name).atom
        assert atom is not None
        assert all(graph.symbol(one.symbol).is_local for one in graph.references[atom])


def test_landing_pads_stand_where_the_unit_promises_them(unit: Units) -> None:
    guarded = print_unit(two_bodies(unit, "-fcf-protection"))
    assert re.search(r"^body:\n(\t\.cfi_startproc\n)?\tendbr64$", guarded, re.MULTILINE)
    assert re.search(r"^body\.picked:\n\tendbr64$", guarded, re.MULTILINE)
    assert "endbr64" not in print_unit(two_bodies(unit, "-fcf-protection=none"))
