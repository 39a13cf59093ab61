"""Bodies side by side: what is shown of them, and how it is laid out."""

from __future__ import annotations

import os
import sys

import click
import pytest
from click.testing import CliRunner

from cr1cc.cli.sides import body, functions, rows, show

TEXT = """\t.text
\t.globl\tf
\t.type\tf, @function
f:
.LFB0:
\t.cfi_startproc
\tmovl\t%edi, %eax  # a remark
.L7:
\tsubl\t$1,   %eax
\tjne\t.L7
\tjmp\tf.cold
.L8:
\tcall\t*.LC0(%rip)
\tret
\t.cfi_endproc
.LFE0:
\t.size\tf, .-f
\t.section\t.text.unlikely
\t.type\tf.cold, @function
f.cold:
\tud2
\t.size\tf.cold, .-f.cold
\t.type\tx, @object
x:
\t.long\t1
"""


def test_a_body_is_its_instructions_and_the_labels_in_use() -> None:
    assert body(TEXT, "f") == [
        "    movl    %edi, %eax", ".1:", "    subl    $1, %eax", "    jne     .1",
        "    jmp     f.cold", "    call    *.LC0(%rip)", "    ret", "    ud2",
    ]  # fmt: skip
    assert body(TEXT, "g") == []
    assert functions(TEXT) == ["f", "f.cold"]


def test_lines_that_are_equal_stand_beside_each_other() -> None:
    found = list(rows(["a", "b", "c"], ["a", "x", "y", "c", "d"]))
    assert found == [
        ("a", "", "a"), ("b", "|", "x"), ("", ">", "y"), ("c", "", "c"), ("", ">", "d"),
    ]  # fmt: skip
    assert list(rows(["a"], [])) == [("a", "<", "")]


def shown(
    monkeypatch: pytest.MonkeyPatch, before: list[str], after: list[str], columns: int = 0
) -> list[str]:
    """The lines that are printed; on a terminal of that many columns if there are any."""

    @click.command()
    def command() -> None:
        monkeypatch.setattr(sys.stdout, "isatty", lambda: bool(columns), raising=False)
        show(("old", "new"), before, after)

    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((columns, 24)))
    return CliRunner().invoke(command).output.splitlines()


LONG = "    " + "x" * 60


def test_without_a_terminal_no_line_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(monkeypatch, [LONG, "b"], ["a"])
    assert lines == [f"{'old':<64}   new", f"{LONG} | a", f"{'b':<64} <"]


def test_on_a_terminal_long_lines_are_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(monkeypatch, [LONG], ["a\x1b[31m"], columns=80)
    assert max(map(len, lines)) <= 80
    assert "".join(line[:38].rstrip() for line in lines[1:]) == LONG
    assert "a\\x1b[31m" in lines[1]


def test_on_a_narrow_terminal_one_body_follows_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(monkeypatch, ["a"], ["b"], columns=40) == ["old", "a", "", "new", "b", ""]
