"""Small units written by hand, as gcc or clang would write them."""

from __future__ import annotations

GCC = '\t.ident\t"GCC: (GNU) 12.2.0"\n'
CLANG = '\t.ident\t"clang version 19.1.7"\n'


def function(
    body: str = "",
    name: str = "f",
    binding: str = ".globl",
    section: str = ".text",
    frame: bool = True,
    labels: str = "",
) -> str:
    """A function; `binding` is its directive, "" for a local one."""
    begin, end = ("\t.cfi_startproc", "\t.cfi_endproc") if frame else ("", "")
    lines = [
        f"\t{section}", "\t.p2align 4", f"\t{binding} {name}" if binding else "",
        f"\t.type {name}, @function", f"{name}:{labels}", begin, body, "\tret", end,
        f"\t.size {name}, .-{name}", "",
    ]  # fmt: skip
    return "\n".join(lines)


def data(
    name: str = "x",
    content: str = "\t.long 1",
    size: int = 4,
    section: str = ".data",
    binding: str = "",
    align: int = 4,
) -> str:
    """An object; local without a `binding`."""
    lines = [
        f"\t{section}", f"\t.align {align}", f"\t{binding} {name}" if binding else "",
        f"\t.type {name}, @object", f"\t.size {name}, {size}", f"{name}:", content, "",
    ]  # fmt: skip
    return "\n".join(lines)


F = function()
READ_X = "\tmovl x(%rip), %eax"
WRITE_X = "\tmovl $1, x(%rip)"
