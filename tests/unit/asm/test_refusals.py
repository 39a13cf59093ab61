"""Every reason for which a unit is not understood or not spliced."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import cr1cc.asm
from cr1cc.asm.graph import Graph
from cr1cc.asm.reader import read_unit
from cr1cc.asm.splice import _check_result, splice
from cr1cc.asm.statement import Machine
from cr1cc.asm.statics import Statics
from cr1cc.asm.transplant import Host
from cr1cc.errors import AsmError
from tests.unit.asm.snippets import CLANG, GCC, READ_X, F, data, function

# text, the reason
MALFORMED: tuple[tuple[str, str], ...] = (
    ("\t.ascii \"" + "a" * (1 << 20) + '"', "line 1 is too long"),
    ("/* a comment", "a block comment has no end"),
    ('nop\n\t.ascii "abc', "line 2: a string has no end"),
    ("@!", "line 1: not a statement: '@!'"),
    ("\t.section '\"'", "operands are malformed: "),
    ("\t.previous", ".previous without a section before"),
    ("\t.popsection", ".popsection without .pushsection"),
    ("\t.text 1", "a subsection: .text 1"),
    ('\t.section .a,"a"\n\t.section .a,"aw"', "section .a changes its attributes"),
    ("\t.section", "not the name of a section: ''"),
    ("\t.section .a,aw", "not the flags of a section: 'aw'"),
    ('\t.section .a,"a",@progbits,mystery', "section .a has operands that are not understood"),
    ("\t.type f", "malformed .type 'f'"),
    ("\t.globl 1", "malformed .globl '1'"),
    ("\t.set 1,2", "malformed .set '1,2'"),
    ("\t.comm x", "malformed .comm 'x'"),
    ("x:\nx:", "symbol x is defined twice"),
    ("\t.globl a, b", ".globl of several symbols is not understood"),
    ("\t.symver f,f@V1", "directive .symver is not understood"),
    ("\t.macro m", "directive .macro is not understood"),
)  # fmt: skip

G = function(name="g")
CALL_G = function("\tcall g") + G
LOCAL = function(name="s", binding="")
CALL_S = function("\tcall s") + LOCAL
ADDRESS_S = function("\tleaq s(%rip), %rax") + LOCAL
X = data()
GLOBAL_X = data(binding=".globl")
GLOBAL_Y = data("y", binding=".globl")
READ = function(READ_X)
SHARING = function("\tjmp .L9") + function(".L9:", "g")
NOTE = '\t.section .note.gnu.property,"a"\n\t.long 0xc0000002\n\t.long 4\n\t.long 3\n'
TABLE = data("x", "\t.quad .L1", 8, ".section .rodata", align=8)
TWO_STATICS = data("x.0") + data("x.1")
READ_STATIC = function("\tmovl x.0(%rip), %eax")
WITH_TLS = function("\tmovl %fs:t@tpoff, %eax")

# the reason, base, donor
REFUSED: tuple[tuple[str, str, str], ...] = (
    ("f is not a function with a body in the base", data("f", binding=".globl"), F),
    ("f is not a function with a body in the donor", F, data("f", binding=".globl")),
    ("f is local: it moves with the functions that call it",
     function(binding=""), function(binding="")),
    ("f has other binding, visibility or type in the donor", F, function(binding=".weak")),
    ("f has other section in the donor", F, function(section='.section my,"ax",@progbits')),
    ("f has other aliases in the donor", F, F + "\t.globl g\n\t.set g,f\n"),
    ("f has other global symbols in its code in the donor", F, function("\t.globl g\ng:")),
    ("f has other frame information in the donor", F, function(frame=False)),
    ("the donor needs puts, the base does not", F, function("\tcall puts@PLT")),
    ("only one of base and donor defines g", CALL_G, function("\tcall g")),
    ("x has another size or kind of section in the donor",
     READ + GLOBAL_X, READ + data(size=8, content="\t.quad 1", binding=".globl")),
    ("x has other binding, visibility or type in the donor",
     READ + GLOBAL_X, READ + "\t.hidden x\n" + GLOBAL_X),
    ("debug information cannot be spliced", F, function("\t.loc 1 1 0")),
    ("a numeric label is used from another section or function",
     F, function("1:") + "\t.section .rodata\n\t.quad 1b\n"),
    ("the donor has another code model", F, function("\tmovabsq $f, %rax")),
    ("only one of base and donor goes through GOT or PLT to its own symbols",
     function("\tcall g@PLT") + G, CALL_G),
    ("the donor has other control-flow protection", F, F + NOTE),
    ("the donor has another executable stack",
     F, F + '\t.section .note.GNU-stack,"x",@progbits\n'),
    ("the donor has other sections for frames", F, "\t.cfi_sections .debug_frame\n" + F),
    ("the donor has another model of thread-local storage",
     WITH_TLS, function("\tmovq t@gottpoff(%rip), %rax")),
    ("the donor has absolute addresses in code, the base has none",
     READ + X, function("\tmovl x, %eax") + X),
    ("the donor has addresses in constants, the base has none",
     F, function("\tmovq .LC0(%rip), %rax") + data(".LC0", "\t.quad f", 8, ".section .rodata")),
    ("the donor has direct references to its global symbols, the base has none",
     function("\tmovq x@GOTPCREL(%rip), %rax") + GLOBAL_X + GLOBAL_Y,
     function("\tmovl y(%rip), %eax\n\tmovq x@GOTPCREL(%rip), %rax")
     + GLOBAL_X + GLOBAL_Y),
    ("the donor has direct references to symbols of other units, the base has none",
     function("\tmovq x@GOTPCREL(%rip), %rax"), READ),
    ("static x.0 cannot be told from others",
     READ_STATIC + TWO_STATICS + GCC, READ_STATIC + data("x.0") + GCC),
    ("static x.0 cannot be told from others",
     READ_STATIC + data("x.0"), READ_STATIC + data("x.0")),
    ("static f.x.1 cannot be told from others",
     F + CLANG, function("\tmovl f.x.1(%rip), %eax") + data("f.x.1") + CLANG),
    ("static x is global in the base", READ + GLOBAL_X, READ + X),
    ("static x has another size, kind or initial contents",
     READ + X, READ + data(content="\t.long 2")),
    ("static x has another size, kind or initial contents",
     READ + X, READ + data(section=".section .rodata")),
    ("static x.0 has another size, kind or initial contents",
     READ_STATIC + data("x.0") + GCC, READ_STATIC + data("x.0", "\t.long 2") + GCC),
    ("static x.0 is used by other functions in the base",
     F + function("\tmovl x.0(%rip), %eax", "g") + data("x.0") + GCC,
     READ_STATIC + G + data("x.0") + GCC),
    ("static x is written to and missing in the base", F, READ + X),
    ("static x in section mine is missing in the base",
     F, READ + data(section='.section mine,"a",@progbits')),
    ("an alignment is not understood",
     READ + "\t.comm x,4,4\n", READ + "\t.comm x,4\n"),
    ("an object in section mine is aligned more in a donor",
     READ + data(section='.section mine,"aw",@progbits', binding=".globl"),
     READ + data(section='.section mine,"aw",@progbits', binding=".globl", align=32)),
    ("g would exist twice",
     CALL_S, function("\tcall s") + function("\t.globl g\ng:", "s", "")),
    ("s has data of its own that would exist twice",
     CALL_S, function("\tcall s") + function(".L1:", "s", "") + data("x", "\t.quad .L1", 8)),
    ("x is a part of another function",
     READ + TABLE + function(".L1:", "g"), READ + TABLE + function(".L1:", "g")),
    ("the address of the local alias a is taken",
     F, function("\tleaq a(%rip), %rax") + LOCAL + "\t.set a,s\n"),
    ("the address of s.0, which has no name in the source, is taken",
     F, ADDRESS_S.replace("s(", "s.0(").replace("s,", "s.0,").replace("s:", "s.0:")
     .replace(".-s", ".-s.0")),
    ("s is another kind of symbol in the base",
     function("\tleaq s(%rip), %rax"), ADDRESS_S),
    (".Lx is written to and has no name in the source",
     F, function("\tmovl .Lx(%rip), %eax") + data(".Lx")),
    ("f shares parts with g", SHARING, SHARING),
    (".L5 of a replaced function is used elsewhere",
     function(".L5:") + '\t.section .note.mine,"a"\n\t.quad .L5\n', F),
    ("section .rodata.a has other attributes in the donor",
     F + data("a", section='.section .rodata.a,"aM",@progbits,4'),
     READ + data(section='.section .rodata.a,"a",@progbits')),
)  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), MALFORMED, ids=[row[1] for row in MALFORMED])
def test_a_unit_that_is_not_understood_is_refused(text: str, reason: str) -> None:
    with pytest.raises(AsmError) as error:
        read_unit(text)
    assert str(error.value).startswith(reason)


@pytest.mark.parametrize(("reason", "base", "donor"), REFUSED, ids=[row[0] for row in REFUSED])
def test_a_splice_that_is_not_known_to_be_right_is_refused(
    reason: str, base: str, donor: str
) -> None:
    with pytest.raises(AsmError) as error:
        splice(read_unit(base), {"d": read_unit(donor)}, {"f": "d"})
    assert str(error.value) == reason


def test_a_donor_that_is_not_there_is_refused() -> None:
    with pytest.raises(AsmError, match="no donor e"):
        splice(read_unit(F), {}, {"f": "e"})


def test_another_machine_is_refused() -> None:
    unit = read_unit("f:\n\tret\n", Machine.AARCH64)
    with pytest.raises(AsmError, match="splicing is not understood for aarch64"):
        splice(unit, {}, {})


def test_two_donors_with_one_constant_that_the_base_lacks_are_refused() -> None:
    constant = data(section=".section .rodata")
    one = read_unit(READ + function(READ_X, "g") + constant)
    with pytest.raises(AsmError, match="static x would exist twice"):
        splice(read_unit(F + G), {"a": one, "b": one}, {"f": "a", "g": "b"})


def test_a_result_that_is_not_as_the_base_is_refused() -> None:
    with pytest.raises(AsmError, match="g would not be as in the base"):
        _check_result(host(F + G), Graph(read_unit(F)))
    with pytest.raises(AsmError, match="h would be undefined"):
        _check_result(host(F), Graph(read_unit(function("\tcall h"))))


def host(text: str) -> Host:
    graph = Graph(read_unit(text))
    return Host(graph, Statics(graph))


def test_what_is_granted_may_be_needed_unless_the_base_knows_the_name() -> None:
    calls = read_unit(function("\tcall memcpy@PLT"))
    donors, choice, granted = {"d": calls}, {"f": "d"}, frozenset({"memcpy"})
    with pytest.raises(AsmError, match="the donor needs memcpy, the base does not"):
        splice(read_unit(F), donors, choice)
    assert "memcpy" in Graph(splice(read_unit(F), donors, choice, granted)).mentioned
    own = F + function(name="memcpy", binding="")
    with pytest.raises(AsmError, match="only one of base and donor defines memcpy"):
        splice(read_unit(own), donors, choice, granted)


def test_every_reason_is_exercised() -> None:
    folder = Path(cr1cc.asm.__file__).parent
    texts = [reason for _, reason in MALFORMED] + [row[0] for row in REFUSED]
    texts += [
        "no donor e", "splicing is not understood for aarch64", "static x would exist twice",
        "g would not be as in the base", "h would be undefined",
        "other units would see other symbols",
    ]  # fmt: skip
    unseen = [
        pattern
        for path in sorted(folder.glob("*.py"))
        for pattern in reasons(path)
        if not any(re.match(pattern, text) for text in texts)
    ]
    assert unseen == []


def reasons(path: Path) -> list[str]:
    """The patterns of all texts that a module raises an AsmError with."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "AsmError":
            text = node.args[0]
            parts = text.values if isinstance(text, ast.JoinedStr) else [text]
            found.append(
                "".join(
                    re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".*"
                    for part in parts
                )
            )
    return found
