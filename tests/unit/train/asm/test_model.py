"""The model of assembly learns: a planted rule, what a reward asks for, and from where it was."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

torch = pytest.importorskip("torch", reason="PyTorch (extra train)")
pytest.importorskip("gguf", reason="gguf (extra train)")

# ruff: noqa: E402 - these need what was asked for above
from cr1cc.assembly.appraisal import Appraisal
from cr1cc.assembly.grammar import fits
from cr1cc.assembly.vocabulary import TOKENS, Goal, decode
from cr1cc.errors import UserError
from cr1cc.model.engine import Engine
from cr1cc.train.asm import export, rl, sft
from cr1cc.train.asm.lessons import LABELS, drawn, learnt, lessons
from cr1cc.train.asm.rollout import answers, correct, speed
from cr1cc.train.gguf_file import Shape

SHAPE = Shape(len(TOKENS), width=64, layers=2, heads=2, hidden=96, context=256)
PLAN = sft.Plan(steps=120, batch=32, rate=4e-3, warmup=10, every=20, shape=SHAPE)
OTHERS = ("addl", "subl", "andl", "orl", "cmpl", "xorl")


def quietly(steps: Iterable[int], _step: str, _total: int) -> Iterable[int]:
    return steps


def interrupted(steps: Iterable[int], _step: str, _total: int) -> Iterator[int]:
    """Between two checkpoints."""
    for step in steps:
        if step == 5:
            raise KeyboardInterrupt
        yield step


def rows() -> Iterator[dict[str, object]]:
    """A 0 is made by xor where flags are dead; nothing else becomes anything."""
    for first, (one, other), number in itertools.product(
        ("movl $0, %n0d", "movl $7, %n0d"), itertools.permutations(OTHERS, 2), (1, 2, 5)
    ):
        old = [first, f"{one} $3, %n1d", f"{other} ${number}, %n2d"]
        zero = "$0" in first
        new = ["xorl %n0d, %n0d", *old[1:]] if zero else old
        yield {
            "package": "own", "function": f"{one}_{other}", "old": old, "new": new,
            "live": ["n0d", "n1d", "n2d"], "bytes": [11, 8 if zero else 11],
            "cost": [3.5, 3.25 if zero else 3.5], "source": "rules" if zero else "none",
            "count": 1, "split": "held" if (one, other) == ("andl", "orl") else "train",
        }  # fmt: skip


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows()) + '{"torn'


@pytest.fixture
def folder(tmp_path: Path, labels: str) -> Path:
    (tmp_path / LABELS).write_text(labels)
    return tmp_path


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory, labels: str) -> Path:
    """Where a planted rule was learnt."""
    place = tmp_path_factory.mktemp("taught")
    (place / LABELS).write_text(labels)
    sft.train(place, PLAN, quietly)
    return place


def test_lessons_are_of_one_side_and_some_only_say_what_is_best(folder: Path) -> None:
    learning, checked = learnt(folder)
    assert not {one.old for one in learning} & {one.old for one in checked}
    held = list(lessons(folder, "held"))
    assert held
    assert not {one.old for one in held} & {one.old for one in (*learning, *checked)}
    some = drawn(learning, 400, Random(1))
    assert 0.15 < sum(not one.better for one in some) / 400 < 0.35
    assert {one.goal for one in some} == set(Goal)


def test_a_planted_rule_is_learnt_and_holds_for_windows_never_seen(taught: Path) -> None:
    network, facts = sft.best(taught)
    curves = [json.loads(line) for line in (taught / "asm-sft.jsonl").read_text().splitlines()]
    assert curves[-1]["loss"] < curves[0]["loss"] / 3
    assert facts["best_step"] <= PLAN.steps
    held = list(lessons(taught, "held"))
    found, _ = answers(network, held, 4, torch.Generator().manual_seed(1))
    right = 0
    for lesson, some in zip(held, found, strict=True):
        said = [decode(one.tokens[1:], lesson.old) for one in some]
        right += lesson.new in said
        assert all(fits(lesson.start().scope, one.tokens[1:]) for one in some)
    assert right >= 0.8 * len(held)


def test_an_interrupted_training_ends_like_one_that_was_not(folder: Path, tmp_path: Path) -> None:
    plan = replace(PLAN, steps=8, every=2)
    sft.train(folder, plan, quietly)
    whole, _ = sft.best(folder)
    (folder / "asm-sft.pt").unlink()
    with pytest.raises(KeyboardInterrupt):
        sft.train(folder, plan, interrupted)
    sft.train(folder, plan, quietly)
    again, _ = sft.best(folder)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


@pytest.mark.parametrize("reward", ["correct", "speed"])
def test_rewards_make_what_is_better_more_probable(reward: str, folder: Path, taught: Path) -> None:
    pytest.importorskip("triton", reason="the package triton-library (extra prove)")
    state = torch.load(taught / "asm-sft.pt", weights_only=True)
    torch.save(state, folder / "asm-sft.pt")
    plan = rl.Plan(reward, steps=6, batch=4, group=6, rate=1e-3, every=2)
    with pytest.raises(KeyboardInterrupt):
        rl.train(folder, plan, interrupted)
    found = rl.train(folder, plan, quietly)
    curves = folder / f"rl-asm-{reward}.jsonl"
    steps = [json.loads(line) for line in curves.read_text().splitlines()]
    assert [row["step"] for row in steps] == [1, 2, 3, 4, 5, 6]
    assert found["reward"] > 0
    assert steps[-1]["others"]["proved"] > 0
    assert (folder / "verdicts.jsonl").exists()
    network, facts = rl.trained(folder, f"asm-{reward}")
    assert facts["step"] == 6
    assert network.shape == SHAPE


def test_rewards_order_what_is_wrong_right_and_better() -> None:
    bad, wrong = Appraisal(False, 0.0), Appraisal(False, 0.5, (4, 2), (2, 1))
    same, better = Appraisal(True, 1.0, (4, 4), (2, 2)), Appraisal(True, 1.0, (4, 2), (2, 1))
    worse = Appraisal(True, 1.0, (4, 6), (2, 3))
    for goal in Goal:
        assert [correct(one, goal) for one in (bad, wrong, same, better)] == [-1, 0.5, 1, 3.5]
        assert [speed(one, goal) for one in (bad, wrong, same, better)] == [0, 0, 1, 2]
        assert correct(worse, goal) < correct(same, goal)
        assert 0 < speed(worse, goal) < 1


def test_llama_cpp_computes_what_pytorch_computes(taught: Path) -> None:
    path = taught / "assembly.gguf"
    found = export.export(taught, sft.NAME, path)
    assert found.places > 20
    assert found.divergence < 1e-2
    with closing(Engine(str(path))) as engine:
        assert engine.facts()["words"] == str(len(TOKENS))


def test_without_labels_or_training_there_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cr1 train asm labels"):
        sft.train(tmp_path, PLAN, quietly)
    with pytest.raises(UserError, match="cr1 train asm sft"):
        sft.best(tmp_path)
    with pytest.raises(UserError, match="cr1 train asm rl"):
        rl.trained(tmp_path, "asm-speed")


def test_the_plan_that_is_trained_is_one_that_llama_cpp_takes() -> None:
    assert not sft.SHAPE.problem(export.VOCABULARY)
    assert os.path.basename(export.SHIPPED).endswith(".gguf")
