"""A whole text within limits, by any source of windows; what is refused says why."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

pytest.importorskip("triton")
pytest.importorskip("z3")
pytest.importorskip("bitwuzla")

from cr1cc.asm.printer import print_unit
from cr1cc.asm.reader import read_unit
from cr1cc.gate.body import assembled
from cr1cc.records import Level
from cr1cc.rewrite import shorten, version
from cr1cc.rewrite.change import Objective
from cr1cc.rewrite.engine import Rewriter
from cr1cc.rewrite.judge import Judge
from cr1cc.rewrite.rules import RULES
from cr1cc.rewrite.shorten import Row, Shortener
from cr1cc.storage.local import LocalStore
from tests.unit.rewrite.functions import Planted, text_of

_TEXT = text_of("addl $1, %esi; movl %esi, %eax; addl $1, %edi; movl %edi, %edx; ret")


def assemble(text: bytes) -> bytes:
    return assembled(text.decode(), os.environ)


def shortener(store: LocalStore | None = None) -> Shortener:
    return Shortener(Level.OS, assemble, "as", store)


def test_what_is_replaced_is_in_the_record() -> None:
    made = shortener().shorten(_TEXT.encode())
    assert b"incl" in made.assembly
    assert made.lasting
    record = made.record
    assert (record.functions, record.tried, record.unknown, record.left) == (1, 1, 0, 0)
    assert record.windows == len(made.changes) > 0
    assert sum(row.saved for row in record.rewrites) == sum(one.saved for one in made.changes)
    assert record.names == {"f"}


def test_the_same_text_gives_the_same_with_a_store_that_is_cold_or_warm(tmp_path: Path) -> None:
    plain = shortener().shorten(_TEXT.encode())
    store = LocalStore(str(tmp_path), 1 << 20)
    assert shortener(store).shorten(_TEXT.encode()) == plain
    assert shortener(store).shorten(_TEXT.encode()) == plain


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("\t.frobnicate\n", "directive .frobnicate is not understood"),
        ('\t.file 1 "a.c"\n' + _TEXT, "it has debug data"),
        (_TEXT.replace("\tret", "#APP\n\tnop\n#NO_APP\n\tret"), "it has inline assembler"),
    ],
)
def test_what_is_not_read_says_why(text: str, reason: str) -> None:
    made = shortener().shorten(text.encode())
    assert made.assembly == b""
    assert made.record.reason == reason


def test_the_marks_of_inline_assembler_are_printed() -> None:
    text = _TEXT.replace("\tret", "#APP\n\tnop\n#NO_APP\n\tret")
    again = print_unit(read_unit(text))
    assert [one.inline for one in read_unit(again).pieces[-1].statements].count(True) == 1
    assert shortener().shorten(again.encode()).record.reason == "it has inline assembler"


def test_limits_are_in_bytes_and_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    row = shorten.TABLE[Level.OS]
    monkeypatch.setitem(shorten.TABLE, Level.OS, row._replace(text=10))
    assert shortener().shorten(_TEXT.encode()).record.reason == "the assembly is too large"
    monkeypatch.setitem(shorten.TABLE, Level.OS, Row(Objective.SIZE, row.text, 1))
    made = shortener().shorten(_TEXT.encode())
    assert made.record.left > 0
    assert len(made.changes) < len(shorten_all().changes)


def shorten_all() -> shorten.Shortened:
    return Shortener(Level.OZ, assemble, "as").shorten(_TEXT.encode())


def _by(source: Planted, body: str) -> tuple[str, dict[str, list[str]]]:
    judge = Judge(lambda text: assembled(text, os.environ))
    new, report = Rewriter([source], judge).rewrite(read_unit(text_of(body)))
    return print_unit(new), report.refused


def test_another_source_is_judged_in_the_same_way() -> None:
    source = Planted("movl\t$0, %eax", "xorl\t%eax, %eax")
    text, refused = _by(source, "movl $0, %eax; addl %edi, %eax; ret")
    assert "xorl" in text
    assert refused == {}
    text, refused = _by(source, "cmpl %esi, %edi; movl $0, %eax; setb %al; ret")
    assert "xorl" not in text  # the carry is read
    assert refused == {"f": ["planted"]}


def test_a_source_cannot_reach_over_a_label() -> None:
    source = Planted("movl\t$0, %eax", "movl\t%edi, %eax", length=2)
    text, _ = _by(source, "jmp .L1; movl $0, %eax; .L1: movl %edi, %eax; ret")
    assert "$0" in text


def test_what_clears_a_register_that_held_the_guard_of_the_stack_stays() -> None:
    source = Planted("xorl\t%eax, %eax", "")
    body = "movq %fs:{}, %rax; movq %rax, -8(%rsp); xorl %eax, %eax; movl %edi, %eax; ret"
    text, _ = _by(source, body.format(48))
    assert "xorl" not in text
    text, _ = _by(source, body.format(40))
    assert "xorl" in text


def test_the_version_is_raised_with_the_table() -> None:
    rows = [(one.name, one.old, one.new, one.objective.name, one.dead) for one in RULES]
    digest = hashlib.blake2b(repr(rows).encode(), digest_size=8).hexdigest()
    assert (version.RULES, digest) == (
        2,
        "e9cd8d4bfe9da263",
    )  # raise the one where the other one changes
