"""The campaign for the soundness of proofs: it finds nothing, and would find a mistake."""

from __future__ import annotations

import random
import shutil

import pytest

pytest.importorskip("triton")
pytest.importorskip("z3")
pytest.importorskip("bitwuzla")

from cr1cc.gate.body import Body
from cr1cc.gate.prototype import parse_prototype
from cr1cc.gate.signature import Signature
from cr1cc.gate.verdict import Judgement, Verdict
from tests.fuzz_prove import Campaign, Source, compiled, mutated
from tests.unit.gate.cases import unit

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
    run.judge("mutation", bodies[0], bodies[1], parse_prototype("int f(int x)"), 0)
    assert run.counts["MISTAKES"] == 1


def test_functions_differ_and_mutations_change_them() -> None:
    functions = {Source(seed).function()[1] for seed in range(20)}
    assert len(functions) == 20
    text = compiled(Source(1).function()[1])[0]
    assert sum(mutated(text, random.Random(seed)) != text for seed in range(20)) >= 10


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_the_campaign_finds_no_mistake(seed: int) -> None:
    run = campaign()
    source = random.Random(seed)
    for number in range(8):
        prototype, text = Source(100 * seed + number).function()
        signature = parse_prototype(prototype)
        builds = compiled(text)
        for new in builds[1:4]:
            run.judge("compilers", builds[0], new, signature, seed)
        for _ in range(8):
            original = source.choice(builds)
            run.judge("mutation", original, mutated(original, source), signature, seed)
    assert run.counts["MISTAKES"] == 0
    assert run.counts["compilers proved"] > 5
    assert run.counts["mutation refuted"] > 5
