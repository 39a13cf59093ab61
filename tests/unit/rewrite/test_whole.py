"""Windows that are not proved by themselves, judged with the function around them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("triton")
pytest.importorskip("z3")
pytest.importorskip("bitwuzla")
pytest.importorskip("elftools")

from cr1cc.errors import EvaluationError
from cr1cc.gate.body import assembled
from cr1cc.gate.gate import Gate
from cr1cc.gate.verdict import Verdict
from cr1cc.prove.prover import Prover
from cr1cc.records import Level
from cr1cc.rewrite.shorten import Shortened, Shortener
from cr1cc.rewrite.whole import WholeFunctions
from tests.unit.rewrite.functions import Planted, text_of

LOOP = "xorl %eax, %eax; .L1:; addq $8, %rax; decl %edi; jns .L1; ret"
# By what the source is: a body, the window, and what becomes of it.
ROWS = {
    # What is above is 0 before, which the window does not show.
    "unsigned long f(unsigned char a) { return a + 8ul; }": (
        "movzbl %dil, %eax; addq $8, %rax; ret", "addl\t$8, %eax", "proved",
    ),
    # No bound is known of the loop.
    "unsigned long f(unsigned char a) { long s = 0; do s += 8; while (a--); return s; }": (
        f"movzbl %dil, %edi; {LOOP}", "addl\t$8, %eax", "tested",
    ),
    "unsigned long f(unsigned long a) { return a + 8; }": (
        "movq %rdi, %rax; .L1:; addq $8, %rax; ret", "addl\t$8, %eax", "unknown",
    ),
    # A caller may know that %ecx is left alone.
    "unsigned long f(unsigned char a) { return a + 9ul; }": (
        "movzbl %dil, %eax; addq $8, %rax; ret", "movb\t$8, %cl", "unknown",
    ),
}  # fmt: skip


def assemble(text: bytes) -> bytes:
    return assembled(text.decode(), os.environ)


def shortened(source: str, body: str, new: str, folder: Path, *, whole: bool = True) -> Shortened:
    def debugged() -> bytes:
        (folder / "s.c").write_text(
            source.replace("{ unsigned long s", "{ unsigned n = 0; unsigned long s")
        )
        command = ["gcc", "-g", "-O0", "-w", "-c", "s.c"]
        if subprocess.run(command, cwd=folder, check=False).returncode:
            raise EvaluationError("it does not compile")
        return (folder / "s.o").read_bytes()

    gate = Gate(os.environ, "gcc", Prover(os.environ), pairs=20_000, quick_pairs=1000)
    judge = WholeFunctions("gcc", os.environ, debugged, gate=gate) if whole else None
    planted = Planted("addq\t$8, %rax", new)
    return Shortener(Level.OS, assemble, "as", None, [planted], names=False, whole=judge).shorten(
        text_of(body).encode()
    )


@pytest.mark.parametrize("source", ROWS)
def test_a_window_gets_the_verdict_of_its_function(source: str, tmp_path: Path) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("gcc is missing")
    body, new, verdict = ROWS[source]
    made = shortened(source, body, new, tmp_path)
    assert made.record.verdicts.startswith(f"{verdict}=")
    changes = {one.judgement.verdict for one in made.changes}
    assert changes == ({Verdict[verdict.upper()]} if verdict != "unknown" else set())
    assert (b"addl\t$8, %eax" in made.assembly) == (verdict != "unknown")
    (tested,) = {one.tested for one in made.record.rewrites} or {""}
    assert tested.startswith("tested by the driver (pairs 20000") == (verdict == "tested")


def test_without_it_none_is_admitted(tmp_path: Path) -> None:
    for source, (body, new, _) in ROWS.items():
        made = shortened(source, body, new, tmp_path, whole=False)
        assert (made.assembly, made.record.verdicts[:8]) == (b"", "unknown=")


def test_a_source_that_gives_no_debug_data_has_no_signature(tmp_path: Path) -> None:
    body, new, _ = next(iter(ROWS.values()))
    made = shortened("#error", body, new, tmp_path)
    assert (made.assembly, made.record.verdicts) == (b"", "unknown=1")
