"""Every assembler directive that the reader knows, and how it is treated.

A directive without a row makes a unit "not understood": what it does to sections, symbols or
the text that follows is unknown. Names are those of the GNU assembler's manual ("Assembler
Directives", "i386 Dependent Features", "AArch64 Dependent Features").
"""

from __future__ import annotations

from enum import Enum


class Treatment(Enum):
    """What a directive is to the structure of a unit."""

    ALIGN = "advances the location counter to a multiple; begins an object"
    ALIAS = "defines a symbol by another symbol or an expression"
    CFI = "describes the frame of the function around it"
    COMMON = "defines a symbol with storage, wherever it stands"
    DATA = "puts bytes at the location counter"
    DEBUG = "describes the source for a debugger: read and printed, never spliced"
    DECLARATION = "says something of one symbol, wherever it stands"
    FILE = "says something of the whole file, wherever it stands"
    IN_PLACE = "acts on the code around it"
    SECTION = "chooses the section of what follows"


_ALIGN, _ALIAS, _CFI = Treatment.ALIGN, Treatment.ALIAS, Treatment.CFI
_COMMON, _DATA, _DEBUG = Treatment.COMMON, Treatment.DATA, Treatment.DEBUG
_DECLARATION, _FILE = Treatment.DECLARATION, Treatment.FILE
_IN_PLACE, _SECTION = Treatment.IN_PLACE, Treatment.SECTION

DIRECTIVES: dict[str, Treatment] = {
    ".2byte": _DATA,
    ".4byte": _DATA,
    ".8byte": _DATA,
    ".addrsig": _FILE,
    ".addrsig_sym": _FILE,
    ".align": _ALIGN,
    ".arch": _IN_PLACE,
    ".arch_extension": _IN_PLACE,
    ".ascii": _DATA,
    ".asciz": _DATA,
    ".att_syntax": _IN_PLACE,
    ".balign": _ALIGN,
    ".base64": _DATA,
    ".bss": _SECTION,
    ".byte": _DATA,
    ".cfi_adjust_cfa_offset": _CFI,
    ".cfi_b_key_frame": _CFI,
    ".cfi_def_cfa": _CFI,
    ".cfi_def_cfa_offset": _CFI,
    ".cfi_def_cfa_register": _CFI,
    ".cfi_endproc": _CFI,
    ".cfi_escape": _CFI,
    ".cfi_lsda": _CFI,
    ".cfi_mte_tagged_frame": _CFI,
    ".cfi_negate_ra_state": _CFI,
    ".cfi_offset": _CFI,
    ".cfi_personality": _CFI,
    ".cfi_register": _CFI,
    ".cfi_rel_offset": _CFI,
    ".cfi_remember_state": _CFI,
    ".cfi_restore": _CFI,
    ".cfi_restore_state": _CFI,
    ".cfi_return_column": _CFI,
    ".cfi_same_value": _CFI,
    ".cfi_sections": _FILE,
    ".cfi_signal_frame": _CFI,
    ".cfi_startproc": _CFI,
    ".cfi_undefined": _CFI,
    ".cfi_val_offset": _CFI,
    ".cfi_window_save": _CFI,
    ".code64": _IN_PLACE,
    ".comm": _COMMON,
    ".cpu": _IN_PLACE,
    ".data": _SECTION,
    ".double": _DATA,
    ".dword": _DATA,
    ".equ": _ALIAS,
    ".file": _FILE,  # with a number it is a row of the line table: DEBUG
    ".fill": _DATA,
    ".float": _DATA,
    ".global": _DECLARATION,
    ".globl": _DECLARATION,
    ".hidden": _DECLARATION,
    ".hword": _DATA,
    ".ident": _FILE,
    ".inst": _DATA,
    ".int": _DATA,
    ".internal": _DECLARATION,
    ".lcomm": _COMMON,
    ".loc": _DEBUG,
    ".local": _DECLARATION,
    ".long": _DATA,
    ".octa": _DATA,
    ".p2align": _ALIGN,
    ".popsection": _SECTION,
    ".previous": _SECTION,
    ".protected": _DECLARATION,
    ".pushsection": _SECTION,
    ".quad": _DATA,
    ".section": _SECTION,
    ".set": _ALIAS,
    ".short": _DATA,
    ".single": _DATA,
    ".size": _DECLARATION,  # with a position in its expression: IN_PLACE
    ".skip": _DATA,
    ".sleb128": _DATA,
    ".space": _DATA,
    ".string": _DATA,
    ".text": _SECTION,
    ".tlsdesccall": _IN_PLACE,
    ".type": _DECLARATION,
    ".uleb128": _DATA,
    ".value": _DATA,
    ".variant_pcs": _DECLARATION,
    ".weak": _DECLARATION,
    ".weakref": _ALIAS,
    ".word": _DATA,
    ".xword": _DATA,
    ".zero": _DATA,
}
