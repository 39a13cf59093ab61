"""Training: a network that learns, curves, a run that goes on, and the file that comes of it."""

from __future__ import annotations

import json
from ast import literal_eval
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

torch = pytest.importorskip("torch", reason="PyTorch (extra train)")
pytest.importorskip("gguf", reason="gguf (extra train)")

# ruff: noqa: E402 - these need what was asked for above
from cr1cc.errors import ModelError, UserError
from cr1cc.model import SHIPPED
from cr1cc.model.engine import Engine
from cr1cc.model.vocabulary import TOKENS
from cr1cc.train import export, sft
from cr1cc.train.gguf_file import Shape, facts_of
from cr1cc.train.network import Network
from cr1cc.train.sft import Plan, best, pack, train
from cr1cc.train.trajectories import example
from tests.unit.train.test_trajectories import ROW, lesson

SHAPE = Shape(len(TOKENS), width=64, layers=2, heads=2, hidden=96, context=512)
PLAN = Plan(steps=12, batch=4, branches=4, warmup=2, every=4, shape=SHAPE)


def quietly(steps: Iterable[int], _step: str, _total: int) -> Iterable[int]:
    return steps


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [{**ROW, "package": name} for name in ("bc", "sed", "bc")]
    lines = [json.dumps({"key": str(n), "row": row}) for n, row in enumerate(rows)]
    (tmp_path / "label-bytes.jsonl").write_text("\n".join(lines) + "\n{torn")
    return tmp_path


def test_branches_are_computed_as_if_each_stood_alone() -> None:
    torch.manual_seed(1)
    network = Network(SHAPE).eval()
    told = example(lesson(), 4, Random(3))
    together = pack([told])
    logits = network(together.tokens, together.positions, together.seen)[0]
    at = len(told.prompt)
    for branch in told.branches:
        tokens = torch.tensor([[*told.prompt, *branch.tokens]])
        length = tokens.shape[1]
        seen = torch.ones(1, length, length, dtype=torch.bool).tril()
        alone = network(tokens, torch.arange(length)[None], seen)[0, len(told.prompt) :]
        assert torch.allclose(logits[at : at + len(branch.tokens)], alone, atol=1e-4)
        at += len(branch.tokens)


def test_what_comes_next_is_learnt_and_only_where_the_model_speaks() -> None:
    told = example(lesson(), 4, Random(3))
    packed = pack([told])
    at = len(told.prompt)
    for branch in told.branches:
        for n in range(len(branch.tokens) - 1):
            assert bool(packed.learnt[0, at + n]) == branch.learnt[n + 1]
            assert int(packed.targets[0, at + n]) == branch.tokens[n + 1]
        assert not packed.learnt[0, at + len(branch.tokens) - 1]
        at += len(branch.tokens)
    assert not packed.learnt[0, : len(told.prompt)].any()


def test_training_lowers_the_loss_and_draws_curves(folder: Path) -> None:
    found = train(folder, PLAN, quietly)
    rows = [json.loads(line) for line in (folder / "sft.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [4, 8, 12]
    assert rows[-1]["loss"] < rows[0]["loss"]
    assert found["loss"] == min(row["validation"] for row in rows)


def test_an_interrupted_run_ends_like_one_that_was_not(folder: Path, tmp_path: Path) -> None:
    train(folder, PLAN, quietly)
    whole, _ = best(folder)

    def interrupted(steps: Iterable[int], _step: str, _total: int) -> Iterable[int]:
        for step in steps:
            if step == 6:
                raise KeyboardInterrupt
            yield step

    (folder / "sft.pt").unlink()
    with pytest.raises(KeyboardInterrupt):
        train(folder, PLAN, interrupted)
    train(folder, PLAN, quietly)
    again, _ = best(folder)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


def test_a_training_with_another_view_has_its_own_files(folder: Path) -> None:
    train(folder, PLAN, quietly)
    train(folder, replace(PLAN, view="opcodes"), quietly)
    first, facts = best(folder)
    other, others = best(folder, "sft-opcodes")
    assert [facts["plan"]["view"], others["plan"]["view"]] == ["features", "opcodes"]
    assert not torch.equal(first.token_embd.weight, other.token_embd.weight)


def test_a_checkpoint_of_another_plan_is_not_gone_on_with(folder: Path) -> None:
    train(folder, PLAN, quietly)
    with pytest.raises(UserError, match="other settings"):
        train(folder, Plan(steps=12, batch=5, shape=SHAPE), quietly)


def test_without_labels_or_training_there_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no labels"):
        train(tmp_path, PLAN, quietly)
    with pytest.raises(UserError, match="cr1 train sft"):
        best(tmp_path)


def test_llama_cpp_computes_what_pytorch_computes(folder: Path) -> None:
    train(folder, PLAN, quietly)
    network, facts = best(folder)
    path = folder / "model.gguf"
    found = export.export(network, path, {"steps": str(facts["best_step"])})
    assert found.places == 32
    assert found.divergence < 1e-3
    assert path.stat().st_size < 1 << 20
    with closing(Engine(str(path))) as engine:
        assert engine.facts()["words"] == str(len(TOKENS))


def _random(seed: int) -> Network:
    """Far enough from uniform that two of them differ."""
    torch.manual_seed(seed)
    network = Network(SHAPE)
    with torch.no_grad():
        network.token_embd.weight.mul_(5)
    return network


def test_a_file_of_another_network_is_told_apart(folder: Path) -> None:
    path = folder / "model.gguf"
    same = export.export(_random(1), path, {})
    other = export.parity(_random(2), path, [[1, 2, 3, 4], [5, 6, 7]])
    assert same.divergence < 1e-3 < 1e-1 < other.divergence


def test_a_file_that_says_something_else_is_not_exported(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "parity", lambda *_: export.Parity(1, 0.5, 1.0, 1.0))
    with pytest.raises(ModelError, match=r"differ by 0\.5"):
        export.export(_random(1), folder / "model.gguf", {})
    assert not [path for path in folder.iterdir() if "gguf" in path.name]


def test_the_model_that_ships_is_what_pytorch_computes() -> None:
    shape = Shape(**literal_eval(facts_of(SHIPPED)["plan"])["shape"])
    found = export.parity_of(Path(SHIPPED), shape)
    assert found.divergence < 1e-3
    assert found.agreeing == 1


def test_the_plan_that_ships_is_one_that_llama_cpp_takes() -> None:
    assert not sft.SHAPE.problem()
