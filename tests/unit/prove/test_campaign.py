"""The campaign for the soundness of proofs: it finds nothing, and would find a mistake."""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import pytest

pytest.importorskip("triton")
pytest.importorskip("z3")
pytest.importorskip("bitwuzla")

from cr1cc.errors import GateError
from cr1cc.gate.body import Body, assembled
from cr1cc.gate.prototype import parse_prototype
from cr1cc.gate.signature import Signature
from cr1cc.gate.verdict import Judgement, Verdict
from tests.fuzz_prove import Campaign, Journal
from tests.mutations import WAYS, broken, kept
from tests.random_c import Source, compiled
from tests.unit.gate.cases import unit

Change = Callable[[str, random.Random], str]
GCC = shutil.which("gcc")
pytestmark = pytest.mark.skipif(GCC is None, reason="no gcc")


def campaign() -> Campaign:
    assert GCC
    return Campaign(20_000, GCC)


def credulous(original: Body, new: Body, signature: Signature) -> Judgement:
    return Judgement(Verdict.PROVED, "proof")


def test_a_wrong_proof_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    run = campaign()
    monkeypatch.setattr(run, "_prover", credulous)
    bodies = [unit("f", f"\tleal\t{number}(%rdi), %eax\n\tret\n") for number in (1, 2)]
    run.judge("broken", bodies[0], bodies[1], parse_prototype("int f(int x)"), 0)
    assert run.counts["MISTAKES"] == 1


@pytest.mark.parametrize("change", [broken, kept, *dict.fromkeys(WAYS)])
def test_changes_of_many_functions_are_assembly(change: Change) -> None:
    changed = [(text, change(text, random.Random(seed))) for seed, text in enumerate(texts())]
    different = [new for text, new in changed if new != text]
    assert different
    assert sum(is_assembly(new) for new in different) >= len(different) * 3 / 4


@lru_cache
def texts() -> list[str]:
    return [text for seed in range(12) for text in compiled(Source(seed).function()[1], ["gcc"])]


def is_assembly(text: str) -> bool:
    try:
        assembled(text, os.environ)
    except GateError:
        return False
    return True


def test_functions_differ() -> None:
    assert len({Source(seed).function()[1] for seed in range(20)}) == 20


def test_a_campaign_that_was_ended_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    Journal(path).add("1 12 100", Counter({"kept proved": 3}))
    path.write_text(path.read_text() + '{"2 12 100": {"kept pro')
    journal = Journal(path)
    assert journal.known == {"1 12 100": {"kept proved": 3}}
    journal.add("2 12 100", Counter({"kept proved": 1}))
    assert Journal(path).known.keys() == {"1 12 100", "2 12 100"}


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_the_campaign_finds_no_mistake(seed: int) -> None:
    run = campaign()
    for number in range(6):
        run.function(100 * seed + number, 12)
    assert run.counts["MISTAKES"] == 0
    assert run.counts["proved, equal"] > 10
    assert run.counts["refuted, shown"] > 5
    assert run.counts["kept proved"] > 5
