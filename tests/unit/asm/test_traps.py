"""What goes wrong where functions are moved by their text, one test each."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from cr1cc.asm import splice as splice_module
from cr1cc.asm.graph import Graph
from cr1cc.asm.printer import print_unit
from cr1cc.asm.reader import read_unit
from cr1cc.asm.splice import splice
from cr1cc.asm.unit import AtomKind, Unit
from cr1cc.errors import AsmError
from tests.unit.asm.conftest import Assemble
from tests.unit.asm.snippets import CLANG, GCC, READ_X, WRITE_X, F, data, function

PROGRAMS = Path(__file__).parent / "programs"
Units = Callable[..., Unit]
G = function(name="g")


def spliced(base: str, donor: str, *names: str) -> str:
    """The text of base with functions of donor, `f` if none is named."""
    choice = dict.fromkeys(names or ("f",), "d")
    return print_unit(splice(read_unit(base), {"d": read_unit(donor)}, choice))


def lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


def test_the_conventions_of_ipa_ra_are_the_callers_duty_and_said_so() -> None:
    assert "-fno-ipa-ra -fno-ipa-stack-alignment" in str(splice_module.__doc__)


def test_a_called_static_function_is_the_donors_own() -> None:
    both = function("\tcall s") + function("\tcall s", "g") + function("\tnop", "s", "")
    text = lines(spliced(both, both))
    assert text.count("call s") == 1
    assert text.count("call s.1") == 1
    assert {"s:", "s.1:"} <= set(text)


def test_a_static_function_that_nothing_needs_any_more_goes() -> None:
    both = function("\tcall s") + function("\tnop", "s", "")
    text = lines(spliced(both, both))
    assert "s:" not in text
    assert ".type s, @function" not in text
    assert "s.1:" in text


def test_a_function_whose_address_is_taken_exists_once() -> None:
    table = data("table", "\t.quad s", 8, ".data", ".globl", 8)
    both = function("\tleaq s(%rip), %rax\n\tcall s") + G + table + function("", "s", "")
    text = lines(spliced(both, both))
    assert "leaq s(%rip), %rax" in text
    assert ".quad s" in text
    assert "call s.1" in text  # callers may know more of it than the ABI says


def test_clangs_frame_ends_behind_the_size_of_its_function() -> None:
    late = re.sub(r"(\t\.cfi_endproc)\n(\t\.size .*)\n", r"\2\n\1\n", F + G)
    assert late.index(".size f") < late.index(".cfi_endproc")
    unit = read_unit(late)
    code = [index for index, atom in enumerate(unit.atoms) if atom.kind is AtomKind.CODE]
    for atom in code:
        names = [statement.name for statement in unit.statements_of(atom)]
        assert names.count(".cfi_startproc") == names.count(".cfi_endproc") == 1


def test_a_short_section_directive_is_repeated_with_its_flags() -> None:
    section = '.section .rodata.k,"a",@progbits'
    constant = data(".LC1", "\t.long 7", section=section) + data(
        ".LC2", "\t.long 9", section=".section .rodata.k"
    )
    donor = function("\tmovl .LC2(%rip), %eax") + constant
    text = lines(spliced(F, donor))
    assert text[text.index(".LC2.1:") - 4 :].count(section) == 1


def test_a_table_of_exceptions_moves_with_hot_and_cold_code(unit: Units) -> None:
    source = PROGRAMS / "objects.cpp"
    base, donor = unit(source, "gcc", "-O1"), unit(source, "gcc", "-O2")
    graph = Graph(donor)
    name = "_Z11safe_divideii"
    found = graph.function(name)
    assert found
    sections = {donor.atoms[atom].section.name for atom in found.atoms}
    assert {".text", ".text.unlikely", ".gcc_except_table"} <= sections
    text = print_unit(splice(base, {"d": donor}, {name: "d"}))
    assert re.search(r"\.LCOLDB\d+\.1:", text)
    assert re.search(r"\.uleb128\s\.L\w+\.1-\.LCOLDB\d+\.1", text)


def test_data_without_a_name_stays_and_stays_the_bases() -> None:
    section = '.section .init_array,"aw"'
    both = F + function("", "init", "") + f"\t{section}\n\t.align 8\n\t.quad init\n"
    text = lines(spliced(both, both))
    assert text.count(".quad init") == 1
    assert "init:" in text


@pytest.mark.parametrize(
    ("base", "donor"),
    [("x.0" + GCC, "f.x" + CLANG), ("f.x" + CLANG, "x.7" + GCC), ("x.0" + GCC, "x.3" + GCC),
     ("x", "x"), ("_ZZ1fvE1x", "_ZZ1fvE1x")],
)  # fmt: skip
def test_a_static_variable_is_the_same_under_its_canonical_name(base: str, donor: str) -> None:
    texts = []
    for spelled in (base, donor):
        name, _, ident = spelled.partition("\t")
        texts.append(function(WRITE_X.replace("x", name, 1)) + data(name) + "\t" + ident + "\n")
    text = lines(spliced(*texts))
    name = base.partition("\t")[0]
    assert f"movl $1, {name}(%rip)" in text
    assert sum(line.endswith(":") and "x" in line for line in text) == 1


def test_zeros_by_comm_and_in_bss_are_the_same_variable() -> None:
    common = "\t.local x\n\t.comm x,8,8\n"
    plain = data("x", "\t.zero 8", 8, ".bss", align=8)
    for one, other in ((common, plain), (plain, common)):
        text = spliced(function(READ_X) + one, function(READ_X) + other)
        assert "x.1" not in text


def test_an_optimisers_smaller_variable_is_no_match() -> None:
    base = function(WRITE_X) + data("x", "\t.long 0") + CLANG
    donor = function("\tmovb $1, x.b(%rip)") + data("x.b", "\t.byte 0", 1, ".bss") + CLANG
    with pytest.raises(AsmError, match=r"static x.b is written to and missing"):
        spliced(base, donor)


def test_alignment_is_the_largest_of_all(assemble: Assemble) -> None:
    for binding in (".globl", ""):
        base = function(READ_X) + data(binding=binding)
        donor = function("\tmovaps x(%rip), %xmm0") + data(binding=binding, align=16)
        text = spliced(base, donor)
        assert "\t.balign\t16" in text
        assemble(text)
    text = spliced(
        function(READ_X) + "\t.local x\n\t.comm x,4,4\n",
        function(READ_X) + "\t.local x\n\t.comm x,4,32\n",
    )
    assert ".comm x,4,32" in lines(text)


def test_constants_that_hold_the_same_are_the_bases(assemble: Assemble) -> None:
    strings = '.section .rodata.str1.1,"aMS",@progbits,1'
    base = function("\tleaq .LC0(%rip), %rax") + data(".LC0", '\t.string "a;b"', 4, strings)
    donor = function("\tleaq .L.str(%rip), %rax") + data(
        ".L.str", '\t.asciz "a\\073b"', 4, strings, align=1
    )
    text = spliced(base, donor)
    assert "leaq .LC0(%rip), %rax" in lines(text)
    assert ".L.str" not in text
    assemble(text)


def test_places_in_code_move_with_their_table() -> None:
    table = data("tb.0", "\t.quad .L1\n\t.quad .L2", 16, ".section .data.rel.ro.local", align=8)
    both = function("\tleaq tb.0(%rip), %rax\n.L1:\n.L2:") + table + GCC
    text = lines(spliced(both, both))
    assert ".quad .L1.1" in text
    assert ".quad .L1" not in text
    assert "tb.0:" not in text


def test_an_alias_of_a_moved_function_is_one_of_the_new_body() -> None:
    both = F + "\t.globl a\n\t.set a,f\n"
    text = lines(spliced(both, both.replace("\tret", "\tnop\n\tret")))
    assert "nop" in text
    assert ".set a,f" in text


def test_functions_that_share_parts_move_together() -> None:
    both = function("\tjmp .L9") + function(".L9:", "g")
    text = lines(spliced(both, both.replace(".L9", ".L8"), "f", "g"))
    assert "jmp .L8.1" in text


def test_a_function_in_a_group_stays_in_it(assemble: Assemble) -> None:
    section = '.section .text._Z1fv,"axG",@progbits,_Z1fv,comdat'
    both = function(name="_Z1fv", binding=".weak", section=section)
    text = spliced(both, both.replace("\tret", "\tnop\n\tret"), "_Z1fv")
    assert lines(text).count(section) == 1
    assemble(text)


def test_the_list_of_significant_addresses_is_dropped() -> None:
    assert ".addrsig" not in spliced(F + "\t.addrsig\n\t.addrsig_sym f\n", F)


def test_the_source_s_assembly_outside_of_functions_stays_once() -> None:
    text = "\t.text\n#APP\n\t.globl g\ng:\tret\n#NO_APP\n"
    assert lines(spliced(text + F, text + F)).count("g:") == 1


def test_debug_information_is_read_and_not_spliced(unit: Units) -> None:
    source = PROGRAMS / "control.c"
    with pytest.raises(AsmError, match="debug information"):
        splice(unit(source, "gcc", "-O2"), {"d": unit(source, "gcc", "-O2 -g")}, {"fib": "d"})


def test_a_non_pic_donor_is_refused_for_a_pic_base(unit: Units) -> None:
    source = PROGRAMS / "data.c"
    pic = unit(source, "gcc", "-O2 -fPIC")
    for options in ("-O2 -fno-pie", "-O2 -fPIE"):
        other = unit(source, "gcc", options)
        with pytest.raises(AsmError, match="only one of base and donor goes through GOT or PLT"):
            splice(pic, {"d": other}, {"scale": "d"})
        with pytest.raises(AsmError, match="only one of base and donor goes through GOT or PLT"):
            splice(other, {"d": pic}, {"scale": "d"})
