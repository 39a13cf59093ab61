"""The model of assembly at work, with random weights: what it says can always be put in place."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("llama_cpp", reason="the package llama-cpp-python")
pytest.importorskip("gguf", reason="gguf (extra train)")


from cr1cc.asm.graph import Graph
from cr1cc.assembly.normal import Normal
from cr1cc.assembly.propose import Proposer
from cr1cc.assembly.vocabulary import TOKENS, VERSION, Goal
from cr1cc.errors import ModelError
from cr1cc.rewrite.engine import code_of
from cr1cc.train.gguf_file import Vocabulary
from tests.models import SMALL, random_model
from tests.unit.assembly.test_grammar import assembles
from tests.unit.assembly.test_normal import DATA, compiled, normal

VOCABULARY = Vocabulary(TOKENS, VERSION)
SHAPE = replace(SMALL, vocabulary=len(TOKENS), context=256)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "assembly.gguf"
    return random_model(path, SHAPE, vocabulary=VOCABULARY)


@pytest.fixture
def proposer(model: Path) -> Iterator[Proposer]:
    with Proposer(str(model), os.environ, Goal.SIZE, samples=4) as one:
        yield one


def test_equal_windows_get_equal_proposals_that_are_others(proposer: Proposer) -> None:
    window = normal("movl $0, %ecx; addl %esi, %ecx; cmpl $1000, %edx; je .L3", "ecx", "zf")
    other = normal("movl $0, %esi; addl %ebx, %esi; cmpl $2222, %edx; je .L7", "esi", "zf")
    found = proposer.propose(window)
    assert 0 < len(found) <= 4
    assert window.lines not in found
    assert proposer.propose(other) == found
    assert len(set(found)) == len(found)


def test_what_the_model_has_no_tokens_for_gets_no_proposals(proposer: Proposer) -> None:
    assert proposer.propose(normal("mulsd %xmm1, %xmm0; movl $1, %eax", "eax")) == []
    assert proposer.propose(Normal(("frobl %eax",), (), {})) == []


def test_proposals_for_a_function_assemble(proposer: Proposer, tmp_path: Path) -> None:
    unit = compiled(DATA, "gcc", "-Os", tmp_path)
    functions = Graph(unit).functions[:8]
    found = [one for f in functions for one in proposer.proposals(code_of(unit, f))]
    assert len(found) > 20
    assert all(one.by == "model" and one.old for one in found)
    assembles([[new.text for new in one.new] for one in found])


def test_another_model_or_none_is_one_clear_error(tmp_path: Path) -> None:
    pytest.importorskip("numpy")
    other = random_model(tmp_path / "recipes.gguf")
    with pytest.raises(ModelError, match="vocabulary of assembly"):
        Proposer(str(other), os.environ, Goal.SIZE)
    with pytest.raises(ModelError, match="No such file"):
        Proposer(str(tmp_path / "none.gguf"), os.environ, Goal.SIZE)


def test_what_proposals_depend_on_is_said(model: Path) -> None:
    with Proposer(str(model), os.environ, Goal.SIZE) as one:
        first = one.version
    with Proposer(str(model), os.environ, Goal.SPEED) as one:
        assert one.version != first
