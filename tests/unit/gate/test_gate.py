"""The order of the gate, its memory, and what may pass."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from cr1cc.errors import GateError
from cr1cc.gate.body import Body
from cr1cc.gate.gate import Gate, is_admitted
from cr1cc.gate.prototype import parse_prototype
from cr1cc.gate.signature import Signature
from cr1cc.gate.verdict import Judgement, Verdict
from cr1cc.storage.local import LocalStore
from cr1cc.storage.upkeep import count_entries, damaged_entries, export_entries, import_entries
from tests.unit.gate.cases import cases, unit

pytest.importorskip("capstone")

SIGNATURE = parse_prototype("int f(int x)")
ORIGINAL = unit("f", "\tleal\t(%rdi,%rdi,2), %eax\n\tret\n")
RIGHT = unit("f", "\timull\t$3, %edi, %eax\n\tret\n")
WRONG = unit("f", "\tleal\t(%rdi,%rdi,4), %eax\n\tret\n")
PROVED = Judgement(Verdict.PROVED, "proof", evidence=(("conflicts", "3"),))
UNKNOWN = Judgement(Verdict.UNKNOWN, "proof", "out of conflicts")


@dataclass
class Recorder:
    """A prover that says what it is told to, and how often it was asked."""

    answer: Judgement | None
    version: str = "1"
    asked: list[str] = field(default_factory=list)

    def __call__(self, original: Body, new: Body, signature: Signature) -> Judgement:
        self.asked.append(signature.name)
        if self.answer is None:
            raise GateError("the solver\ncrashed")
        return self.answer


def gate(prover: Recorder | None = None, store: LocalStore | None = None) -> Gate:
    compiler = shutil.which("gcc")
    assert compiler
    return Gate(os.environ, compiler, prover, store, pairs=5000, quick_pairs=1000)


def test_without_a_prover_nothing_but_equal_text_is_proved() -> None:
    judgement = gate().judge_texts(ORIGINAL, RIGHT, SIGNATURE)
    assert judgement.verdict is Verdict.TESTED
    assert dict(judgement.evidence) == {"pairs": "5000", "seed": "0"}
    relabelled = unit("f", "\tjmp\t.L7\n.L7:\n\tret\n"), unit("f", "\tjmp\t.L9\n.L9:\n\tret\n")
    assert gate().judge_texts(*relabelled, SIGNATURE).verdict is Verdict.PROVED


def test_a_proof_is_asked_for_after_a_quick_run_only() -> None:
    prover = Recorder(PROVED)
    assert gate(prover).judge_texts(ORIGINAL, RIGHT, SIGNATURE) == PROVED
    assert gate(prover).judge_texts(ORIGINAL, WRONG, SIGNATURE).verdict is Verdict.REFUTED
    assert prover.asked == ["f"]


def test_where_the_proof_does_not_know_the_driver_is_asked_in_full() -> None:
    judgement = gate(Recorder(UNKNOWN)).judge_texts(ORIGINAL, RIGHT, SIGNATURE)
    assert judgement.verdict is Verdict.TESTED
    assert ("pairs", "5000") in judgement.evidence


HIDDEN = next(case for case in cases("wrong") if case.name == "only_wrong_for_a_hidden_number")
# What its multiplication and its comparison hide.
HIDDEN_NUMBER = 1311768467463790320 * pow(-7046029254386353131, -1, 1 << 64) % (1 << 64)


@pytest.mark.parametrize(
    ("given", "verdict", "said"),
    [(HIDDEN_NUMBER, Verdict.REFUTED, "differ"), (1, Verdict.UNKNOWN, "agree")],
)
def test_the_input_of_a_refutation_is_really_called(
    given: int, verdict: Verdict, said: str
) -> None:
    refuted = Judgement(Verdict.REFUTED, "proof", "it returns another value", f"f(x={given:#x})")
    prover = Recorder(refuted)
    judgement = gate(prover).judge_texts(HIDDEN.original, HIDDEN.new, HIDDEN.signature)
    assert (judgement.verdict, judgement.by) == (verdict, "proof")
    assert judgement.evidence == (("called", said),)
    assert judgement.reason.startswith(("it returns", "perhaps it returns"))


def test_a_refutation_stays_where_its_input_cannot_be_called() -> None:
    refuted = Judgement(Verdict.REFUTED, "proof", "it returns another value", "an input of its own")
    assert gate(Recorder(refuted)).judge_texts(ORIGINAL, RIGHT, SIGNATURE) == refuted


def test_a_prover_that_fails_leaves_a_reason_in_one_line() -> None:
    judgement = gate(Recorder(None)).judge_texts(ORIGINAL, RIGHT, SIGNATURE)
    assert judgement.verdict is Verdict.UNKNOWN
    assert judgement.reason == "the solver crashed"


CALLS = [unit("f", f"\tpushq\t%rax\n\tcall\tg\n\tpopq\t{to}\n\tret\n") for to in ("%rdx", "%rcx")]


def test_what_the_driver_cannot_call_is_for_the_proof_alone() -> None:
    judgement = gate().judge_texts(CALLS[0], CALLS[1], SIGNATURE)
    assert judgement.verdict is Verdict.UNKNOWN
    assert "it needs g" in judgement.reason
    assert gate(Recorder(PROVED)).judge_texts(CALLS[0], CALLS[1], SIGNATURE) == PROVED


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        ("", "there is no function f"),
        ("\t.text\nf:\n\tret\n", "there is no function f"),
        ("f: \x01\x02", "not a statement"),
        (unit("f", "\tnonsense %eax\n"), "does not assemble: .*nonsense"),
        (unit("f", "\t.macro m\n\t.endm\n\tret\n"), "directive .macro is not understood"),
        (unit("g", "\tret\n"), "there is no function f"),
        ('\t.string "', "string has no end"),
    ],
)
def test_text_that_is_no_body_is_unknown_with_its_reason(new: str, reason: str) -> None:
    judgement = gate().judge_texts(ORIGINAL, new, SIGNATURE)
    assert judgement.verdict is Verdict.UNKNOWN
    assert re.search(reason, judgement.reason), judgement.reason


def test_a_signature_that_is_wrong_is_no_reason_to_pass() -> None:
    # The bodies read through a pointer that the signature says is a number.
    texts = [
        unit("f", f"\tmovl\t(%rdi), %{r}\n\tmovl\t%{r}, %eax\n\tret\n") for r in ("edx", "ecx")
    ]
    judgement = gate().judge_texts(*texts, parse_prototype("int f(long x)"))
    assert judgement.verdict is Verdict.UNKNOWN
    assert "the original faults on" in judgement.reason


def test_a_verdict_is_kept_for_the_pair_and_all_it_depends_on(tmp_path: Path) -> None:
    store = LocalStore(str(tmp_path), 1 << 20)
    prover = Recorder(PROVED)
    one = gate(prover, store)
    assert one.judge_texts(ORIGINAL, RIGHT, SIGNATURE) == PROVED
    # The same again: from the store, though no driver could be built.
    broken = replace(one, compiler="/no/compiler")
    assert broken.judge_texts(ORIGINAL, RIGHT, SIGNATURE) == PROVED
    assert prover.asked == ["f"]
    for other in (
        replace(one, prover=Recorder(UNKNOWN, version="2")),
        replace(one, prover=None),
        replace(one, seed=1, prover=Recorder(UNKNOWN)),
        replace(one, pairs=4000, prover=Recorder(UNKNOWN)),
    ):
        assert other.judge_texts(ORIGINAL, RIGHT, SIGNATURE).verdict is Verdict.TESTED
    assert prover.asked == ["f"]
    one.judge_texts(ORIGINAL, RIGHT, parse_prototype("int f(unsigned x)"))
    one.judge_texts(RIGHT, ORIGINAL, SIGNATURE)
    assert prover.asked == ["f", "f", "f"]
    assert count_entries(store)["verdict"] == 7
    assert damaged_entries(store) == []
    store.close()


def test_what_is_wrong_with_the_machine_is_not_remembered(tmp_path: Path) -> None:
    store = LocalStore(str(tmp_path), 1 << 20)
    broken = replace(gate(store=store), compiler="/no/compiler")
    judgement = broken.judge_texts(ORIGINAL, RIGHT, SIGNATURE)
    assert judgement.verdict is Verdict.UNKNOWN
    assert "/no/compiler" in judgement.reason
    assert gate(store=store).judge_texts(ORIGINAL, RIGHT, SIGNATURE).verdict is Verdict.TESTED
    store.close()


def test_a_damaged_entry_is_no_verdict(tmp_path: Path) -> None:
    store = LocalStore(str(tmp_path), 1 << 20)
    assert gate(Recorder(PROVED), store).judge_texts(ORIGINAL, RIGHT, SIGNATURE) == PROVED
    ((name, data),) = store.rows()
    store.put({name: data[:-1] + b"?"})
    prover = Recorder(UNKNOWN)
    assert gate(prover, store).judge_texts(ORIGINAL, RIGHT, SIGNATURE).verdict is Verdict.TESTED
    store.close()


def test_verdicts_are_in_no_pack(tmp_path: Path) -> None:
    store = LocalStore(str(tmp_path / "cache"), 1 << 20)
    gate(Recorder(PROVED), store).judge_texts(ORIGINAL, RIGHT, SIGNATURE)
    assert export_entries(store, str(tmp_path / "pack")) == 0
    assert import_entries(store, str(tmp_path / "pack"), lambda rows, _: rows) == 0
    store.close()


def test_only_what_is_proved_passes_unless_the_setting_says_otherwise() -> None:
    tested = Judgement(Verdict.TESTED, "driver")
    refuted = Judgement(Verdict.REFUTED, "driver", "differs")
    admitted = {
        admit: [one for one in (PROVED, tested, UNKNOWN, refuted) if is_admitted(one, admit)]
        for admit in ("proved", "tested")
    }
    assert admitted == {"proved": [PROVED], "tested": [PROVED, tested]}


def test_two_variables_are_two_however_equal_they_begin() -> None:
    def adds_to(name: str) -> str:
        return unit("f", f"\tincl\t{name}(%rip)\n\tret\n") + (
            "\t.local a\n\t.comm a,4,4\n\t.local b\n\t.comm b,4,4\n"
        )

    judgement = gate().judge_texts(adds_to("a"), adds_to("b"), parse_prototype("void f(void)"))
    assert judgement.verdict is Verdict.REFUTED
    assert "variables b" in judgement.reason
