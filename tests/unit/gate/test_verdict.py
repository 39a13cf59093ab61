"""Judgements and inputs: their order, and text that reads back."""

from __future__ import annotations

import pytest

from cr1cc.errors import GateError
from cr1cc.gate.inputs import Address, Buffer, Input, format_input, parse_input
from cr1cc.gate.prototype import parse_prototype
from cr1cc.gate.verdict import Judgement, Verdict, format_judgement, parse_judgement, weakest

JUDGEMENTS = [
    Judgement(Verdict.PROVED, "proof", evidence=(("bitwuzla", "412"), ("z3", "19"))),
    Judgement(Verdict.TESTED, "driver", evidence=(("pairs", "1000000"), ("seed", "0"))),
    Judgement(Verdict.UNKNOWN, "driver", "every input faults: 'quoted' \"twice\" a=b"),
    Judgement(Verdict.REFUTED, "driver", "returns 1, not 0", "f(x=0x1, p=A+0) A=00]"),
    Judgement(Verdict.REFUTED, "static checks", "writes %rbx without restoring it"),
]


@pytest.mark.parametrize("judgement", JUDGEMENTS)
def test_the_text_of_a_judgement_reads_back(judgement: Judgement) -> None:
    text = format_judgement(judgement)
    assert "\n" not in text
    assert parse_judgement(text) == judgement
    assert str(judgement).startswith(f"{judgement.verdict.word} by the {judgement.by}")


@pytest.mark.parametrize(
    "text", ["", "Proved by=proof", "likely by=me", "refuted by=driver", "proved reason=x by=proof",
             "proved  by=proof", "proved by='a", "proved by=proof Key=1"]
)  # fmt: skip
def test_other_text_is_no_judgement(text: str) -> None:
    with pytest.raises(ValueError, match=r"judgement|verdict|reason|evidence|quotation"):
        parse_judgement(text)


def test_the_order_is_that_of_trust_and_the_weakest_counts() -> None:
    words = [verdict.word for verdict in sorted(Verdict)]
    assert words == ["refuted", "unknown", "tested", "proved"]
    assert weakest(JUDGEMENTS) is JUDGEMENTS[3]


def test_a_rejection_without_a_reason_and_two_lines_are_refused() -> None:
    for verdict in (Verdict.REFUTED, Verdict.UNKNOWN):
        with pytest.raises(ValueError, match="has a reason"):
            Judgement(verdict, "driver")
    with pytest.raises(ValueError, match="one line"):
        Judgement(Verdict.PROVED, "proof", "a\nb")


SIGNATURE = parse_prototype("int f(int x, const char *p, double y)")
GIVEN = Input(
    (0xFFFFFFFF80000000, Address(1, 3), 0x7FF8000000000000),
    (Buffer(b"", True), Buffer(b"\1\2\3" + b"\0" * 40 + b"\xff", False, True)),
)


def test_the_text_of_an_input_reads_back() -> None:
    text = format_input(SIGNATURE, GIVEN)
    assert text == (
        "f(x=0xffffffff80000000, p=B+3, y=0x7ff8000000000000) A=] B=const:[010203(00*40)ff"
    )
    assert parse_input(SIGNATURE, text) == GIVEN
    plain = parse_prototype("void f(void)")
    assert parse_input(plain, format_input(plain, Input(()))) == Input(())


@pytest.mark.parametrize(
    "text",
    ["", "g(x=0x1, p=A+0, y=0x0) A=]", "f(x=0x1, p=A+0)", "f(x=1, p=A+0, y=0x0) A=]",
     "f(x=0x1, p=A+1, y=0x0) A=]", "f(x=0x1, p=B+0, y=0x0) A=]", "f(x=0x1, p=A+0, y=0x0) A=[]",
     "f(x=0x1, p=A+0, y=0x0) B=]", "f(x=0x1, p=A+0, y=0x0) A=(00*9999999)]",
     "f(x=0x1, p=A+0, y=0x0) A=0]"],
)  # fmt: skip
def test_other_text_is_no_input(text: str) -> None:
    with pytest.raises(GateError, match="input"):
        parse_input(SIGNATURE, text)
