"""Every row of the directive table is exercised, assembled and printed back."""

from __future__ import annotations

import pytest

from cr1cc.asm.directives import DIRECTIVES, Treatment
from cr1cc.asm.printer import print_unit
from cr1cc.asm.reader import read_unit
from cr1cc.asm.statement import Machine
from tests.unit.asm.conftest import Assemble
from tests.unit.asm.snippets import function

# Directives of AArch64, and what needs something of its own around it. The others stand in .data
# or in a function with the operands that their treatment takes.
AARCH64 = {
    ".arch": ".arch armv8-a",
    ".arch_extension": ".arch_extension crc",
    ".cfi_b_key_frame": ".cfi_b_key_frame",
    ".cfi_negate_ra_state": ".cfi_negate_ra_state",
    ".cpu": ".cpu generic",
    ".dword": ".dword 1",
    ".inst": ".inst 0xd503201f",
    ".tlsdesccall": ".tlsdesccall x\n\tblr x1",
    ".variant_pcs": ".variant_pcs f",
    ".xword": ".xword 1",
}
OPERANDS = {
    ".addrsig": None,  # GNU as does not know these two
    ".addrsig_sym": None,
    ".ascii": '"a;b#c\\"d"',
    ".asciz": '"a"',
    ".base64": None,  # nor this one before binutils 2.43
    ".cfi_adjust_cfa_offset": "8",
    ".cfi_def_cfa": "7, 16",
    ".cfi_def_cfa_offset": "16",
    ".cfi_def_cfa_register": "6",
    ".cfi_endproc": None,  # in every function here
    ".cfi_escape": "0x16, 0x7, 0x1, 0x30",
    ".cfi_lsda": "0x3, f",
    ".cfi_mte_tagged_frame": None,  # nor this one before binutils 2.42
    ".cfi_offset": "6, -16",
    ".cfi_personality": "0x3, f",
    ".cfi_register": "6, 7",
    ".cfi_rel_offset": "6, 0",
    ".cfi_restore": "6",
    ".cfi_return_column": "16",
    ".cfi_same_value": "6",
    ".cfi_sections": ".eh_frame",
    ".cfi_startproc": None,
    ".cfi_undefined": "6",
    ".cfi_val_offset": "6, -16",
    ".comm": "c, 4, 4",
    ".equ": "e, 5",
    ".file": '"x.c"',
    ".fill": "2, 1, 3",
    ".ident": '"me"',
    ".lcomm": "c, 4",
    ".loc": None,  # below, with its .file
    ".popsection": None,
    ".previous": None,
    ".pushsection": '.rodata\n\t.byte 1\n\t.popsection\n\t.section .text.a,"ax"\n\t.previous',
    ".section": '.mine,"aw",@progbits',
    ".set": "e, f + 4",
    ".size": "f, 1",
    ".string": '"a"',
    ".type": "f, @function",
    ".weakref": "w, there",
}
DEFAULTS = {
    Treatment.ALIGN: "2",
    Treatment.CFI: "",
    Treatment.DATA: "1",
    Treatment.DECLARATION: "d",
    Treatment.IN_PLACE: "",
    Treatment.SECTION: "",
}
PLAIN = [name for name in DIRECTIVES if name not in AARCH64 and OPERANDS.get(name, "") is not None]


def test_the_table_is_sorted() -> None:
    assert list(DIRECTIVES) == sorted(DIRECTIVES)


def test_every_row_is_exercised_here() -> None:
    elsewhere = {name for name, operands in OPERANDS.items() if operands is None}
    assert set(DIRECTIVES) == {*PLAIN, *AARCH64, *elsewhere}
    assert {*AARCH64, *OPERANDS} <= set(DIRECTIVES)


def test_every_plain_directive_comes_back(assemble: Assemble) -> None:
    text = ""
    for name in PLAIN:
        operands = OPERANDS.get(name, DEFAULTS.get(DIRECTIVES[name], ""))
        operands = operands.replace("c,", f"c{len(text)},").replace("e,", f"e{len(text)},")
        line = f"\t{name}\t{operands}".rstrip()
        if name == ".cfi_restore_state":
            line = "\t.cfi_remember_state\n" + line
        if DIRECTIVES[name] is Treatment.CFI:
            text += function(line, f"f{len(text)}").replace(" f,", f" f{len(text)},")
        elif name == ".local":
            text += f"{line}\n\t.comm d,4,4\n"
        else:
            text += ("\t.data\n" if DIRECTIVES[name] is Treatment.DATA else "") + line + "\n"
    text += function()
    assert assemble(print_unit(read_unit(text))) == assemble(text)


def test_the_directives_of_aarch64_come_back(assemble: Assemble) -> None:
    body = "\n".join(f"\t{line}" for line in AARCH64.values())
    text = "\t.type f, %function\nf:\n\t.cfi_startproc\n" + body + "\n\tret\n\t.cfi_endproc\n"
    printed = print_unit(read_unit(text, Machine.AARCH64))
    assert assemble(printed, Machine.AARCH64) == assemble(text, Machine.AARCH64)


def test_line_tables_come_back(assemble: Assemble) -> None:
    text = '\t.file 1 "x.c"\n' + function("\t.loc 1 1 0")
    unit = read_unit(text)
    assert unit.has_debug
    assert assemble(print_unit(unit)) == assemble(text)


@pytest.mark.parametrize(
    "line",
    ["\t.addrsig", "\t.addrsig_sym f", '\t.base64 "AA=="', "\t.cfi_mte_tagged_frame"],
)
def test_what_few_assemblers_know_comes_back_as_text(line: str) -> None:
    assert line.split()[0] in print_unit(read_unit(line + "\n"))
