"""Reinforcement learning: what is drawn, what it is worth, and that it is learnt from."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="PyTorch (extra train)")
pytest.importorskip("gguf", reason="gguf (extra train)")

# ruff: noqa: E402 - these need what was asked for above
from cr1cc.errors import UserError
from cr1cc.model.vocabulary import ANSWER, IDS, TOKENS, decode_for
from cr1cc.passes.recipe import check_recipe
from cr1cc.records import Metric, Toolchain
from cr1cc.train import rl, simulate
from cr1cc.train.algorithm import Measured, divergence, per_answer
from cr1cc.train.gguf_file import Shape
from cr1cc.train.grpo import Grpo
from cr1cc.train.network import Network
from cr1cc.train.packing import pack
from cr1cc.train.ppo import Ppo
from cr1cc.train.reinforce import Reinforce
from cr1cc.train.rollout import Batch, Reward, collect, draw
from cr1cc.train.tasks import Task
from cr1cc.train.trajectories import Branch, Example
from tests.unit.train.test_trajectories import ROW, lesson, walker

SHAPE = Shape(len(TOKENS), width=32, layers=1, heads=2, hidden=32, context=256)
PLAN = rl.Plan(turns=0, steps=3, batch=2, group=3, every=1, jobs=1, scratch=True, shape=SHAPE)
PROGRAM = "int f(int *p, int n) { int s = 0; for (int i = 0; i < n; i++) s += p[i] * i; return s; }"


def quietly(steps: Iterable[int], _step: str, _total: int) -> Iterable[int]:
    return steps


def generator(seed: int = 1) -> object:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def network() -> Network:
    torch.manual_seed(1)
    return Network(SHAPE).eval()


def test_what_is_drawn_is_vetted_and_what_was_allowed_is_known(network: Network) -> None:
    told = [lesson(), replace(lesson(), request=replace(lesson().request, major=14))]
    answers, masks = draw(network, told, 4, generator())
    assert [len(some) for some in answers] == [4, 4]
    for one, some in zip(told, answers, strict=True):
        for answer in some:
            assert answer.tokens[0] == IDS[ANSWER]
            recipe = decode_for(answer.tokens[1:], one.request.major, "X86")
            check_recipe(recipe, one.request.major, "X86")
            assert len(answer.allowed) == len(answer.tokens) - 1
            assert all(
                masks[mask][token]
                for mask, token in zip(answer.allowed, answer.tokens[1:], strict=True)
            )
    again, _ = draw(network, told, 4, generator())
    assert again == answers
    other, _ = draw(network, told, 4, generator(2))
    assert other != answers


def test_rows_that_go_on_see_what_they_would_see_at_once(network: Network) -> None:
    tokens = torch.randint(0, len(TOKENS), (3, 12))
    length = tokens.shape[1]
    seen = torch.ones(3, length, length, dtype=torch.bool).tril()
    whole = network(tokens, torch.arange(length).expand(3, -1), seen)
    logits, past = network.follow(tokens[:, :7], 0, ())
    assert torch.allclose(logits, whole[:, 6], atol=1e-5)
    for at in range(7, length):
        logits, past = network.follow(tokens[:, at : at + 1], at, past)
        assert torch.allclose(logits, whole[:, at], atol=1e-5)


def test_the_reward_is_that_of_the_literature() -> None:
    reward = Reward()
    assert reward.of(True, 0.05) == pytest.approx(0.5 * 1.5 + 0.5 * 30 * 0.05)
    assert reward.of(False, 0.0) == 0
    assert reward.of(True, None) == reward.of(True, -5.0) < reward.of(True, -0.01)
    assert Reward(answer_weight=1, alpha=10).of(True, 0.1) == pytest.approx(1.75)


def test_a_conversation_measures_names_and_is_worth_the_best_of_them(network: Network) -> None:
    told = [walker(), walker()]
    batch = collect(network, None, None, told, 3, 5, Reward(), None, generator())
    assert batch.packed.learnt.sum() == 2 * 3 * 5 == len(batch.owner)
    said = batch.packed.targets[batch.packed.learnt].view(6, 5)
    for row, names in enumerate(said.tolist()):
        assert len(set(names)) == 5
        best = max(told[row // 3].named[name] for name in names)
        assert float(batch.saved[row]) == pytest.approx(best)
        assert float(batch.rewards[row]) == pytest.approx(Reward().of(True, best))
    assert batch.allowed[torch.arange(30), said.flatten()].all()
    assert (
        batch.allowed.sum(1).view(6, 5).tolist() == [[len(told[0].named) - n for n in range(5)]] * 6
    )
    old, _ = batch.logarithms(network)
    assert float(old.detach().exp().sum()) > 0


@pytest.mark.parametrize("name", rl.ALGORITHMS)
def test_conversations_become_better(name: str, network: Network) -> None:
    """Of one module, whose best recipe is the sixth of the coreset."""
    algorithm = rl.ALGORITHMS[name](SHAPE)
    network, told = network.train(), [walker()] * 4
    optimiser = torch.optim.Adam([*network.parameters(), *algorithm.parameters()], lr=6e-3)
    means = []
    for step in range(40):
        batch = collect(network, None, None, told, 8, 2, Reward(), None, generator(step))
        known = measured(batch, network)
        advantages = algorithm.advantages(batch, known)
        new, states = batch.logarithms(network)
        optimiser.zero_grad()
        algorithm.loss(batch, known, advantages, new, states).backward()
        optimiser.step()
        means.append(float(batch.saved.mean()))
    assert sum(means[-5:]) > 2 * sum(means[:5])


def batch_of(rewards: list[float], group: int, network: Network) -> Batch:
    """Answers of different lengths with these rewards; anything is allowed."""
    said = [range(40 + 9 * n, 43 + 9 * n + n % 3) for n in range(len(rewards))]
    branches = [Branch((IDS[ANSWER], *some), (False, *(True for _ in some))) for some in said]
    examples = [
        Example((2, 5, 7), tuple(branches[i : i + group])) for i in range(0, len(rewards), group)
    ]
    counts = torch.tensor([len(b.tokens) - 1 for b in branches])
    return Batch(
        pack(examples),
        torch.ones(int(counts.sum()), len(TOKENS), dtype=torch.bool),
        torch.arange(len(rewards)).repeat_interleave(counts),
        torch.arange(len(examples)).repeat_interleave(group),
        torch.tensor(rewards),
        torch.tensor(rewards),
    )


def measured(batch: Batch, network: Network) -> Measured:
    with torch.no_grad():
        old, states = batch.logarithms(network)
    return Measured(old, old.clone(), states)


def test_advantages_of_a_group_are_what_is_better_than_its_mean(network: Network) -> None:
    batch = batch_of([1.0, 2.0, 3.0, 5.0, 5.0, 5.0], 3, network)
    found = per_answer(Grpo().advantages(batch, measured(batch, network)), batch)
    assert found.tolist() == pytest.approx([-1, 0, 1, 0, 0, 0], abs=1e-3)


def test_advantages_of_a_batch_are_normalised_over_it(network: Network) -> None:
    batch = batch_of([1.0, 2.0, 3.0, 6.0], 2, network)
    found = Reinforce().advantages(batch, measured(batch, network))
    assert float(found.mean()) == pytest.approx(0, abs=1e-5)
    assert float(found.std()) == pytest.approx(1, abs=1e-3)
    assert per_answer(found, batch).argsort().tolist() == [0, 1, 2, 3]


def test_what_drifts_from_the_reference_is_worth_less(network: Network) -> None:
    batch = batch_of([1.0, 1.0], 2, network)
    known = measured(batch, network)
    drifted = known.reference - 3.0 * (batch.owner == 0)
    found = Reinforce(drift=0.1).advantages(batch, Measured(known.old, drifted, known.states))
    means = per_answer(found, batch)
    assert means[0] < means[1]
    assert float(divergence(known.old, drifted)[batch.owner == 0].min()) > 0
    assert float(divergence(known.old, known.reference).abs().max()) == 0


def test_a_critic_without_an_opinion_leaves_the_reward_of_the_end(network: Network) -> None:
    algorithm = Ppo(SHAPE.width, trace=1.0)
    torch.nn.init.zeros_(algorithm.critic.weight)
    torch.nn.init.zeros_(algorithm.critic.bias)
    batch = batch_of([1.0, 4.0], 2, network)
    found = algorithm.advantages(batch, measured(batch, network))
    assert found.tolist() == pytest.approx(batch.rewards[batch.owner].tolist())


@pytest.mark.parametrize("name", rl.ALGORITHMS)
def test_what_was_better_becomes_more_probable(name: str, network: Network) -> None:
    network = network.train()
    algorithm = rl.ALGORITHMS[name](SHAPE)
    batch = batch_of([0.0, 1.0, 0.5], 3, network)
    known = measured(batch, network)
    optimiser = torch.optim.SGD([*network.parameters(), *algorithm.parameters()], lr=0.05)
    advantages = algorithm.advantages(batch, known)
    for _ in range(8):
        new, states = batch.logarithms(network)
        optimiser.zero_grad()
        algorithm.loss(batch, known, advantages, new, states).backward()
        optimiser.step()
    after, _ = batch.logarithms(network)
    change = per_answer(after.detach() - known.old, batch)
    assert change[1] > change[0]


@pytest.fixture
def folder(tmp_path: Path, any_toolchain: Toolchain) -> Path:
    (tmp_path / "m.c").write_text(PROGRAM)
    for kind, level in (("packages", "-Oz"), ("paper", "-O0")):
        place = tmp_path / kind / "own"
        place.mkdir(parents=True)
        command = [any_toolchain.driver, level, "-Xclang", "-disable-llvm-passes", "-emit-llvm"]
        subprocess.run([*command, "-c", "m.c", "-o", place / "m.bc"], cwd=tmp_path, check=True)
    major = any_toolchain.major
    for metric in Metric:
        row = {**ROW, "package": "own", "module": "own/m.bc", "metric": metric.value,
               "major": major}  # fmt: skip
        lines = json.dumps({"key": "1", "row": row})
        (tmp_path / f"label-{metric.value}.jsonl").write_text(lines + "\n")
    return tmp_path


@pytest.mark.parametrize("name", rl.ALGORITHMS)
def test_a_run_measures_learns_and_goes_on_where_it_was(
    name: str, folder: Path, any_toolchain: Toolchain
) -> None:
    task = Task.of(any_toolchain)
    plan = replace(PLAN, algorithm=name)
    whole = rl.train(folder, task, plan, quietly)
    curves = folder / f"rl-{name}-shot-scratch.jsonl"
    rows = [json.loads(line) for line in curves.read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2, 3]
    assert all(0 <= row["saved"] <= row["best"] < 1 for row in rows)
    assert whole["reward"] == pytest.approx(sum(row["reward"] for row in rows) / 3)
    weights, facts = rl.trained(folder, f"{name}-shot-scratch")
    assert facts["step"] == 3
    (folder / f"rl-{name}-shot-scratch.pt").unlink()
    rl.train(folder, task, replace(plan, steps=1), quietly)
    rl.train(folder, task, plan, quietly)
    again = [json.loads(line) for line in curves.read_text().splitlines()]
    assert [row["reward"] for row in again] == [row["reward"] for row in rows]
    resumed, _ = rl.trained(folder, f"{name}-shot-scratch")
    for key, value in weights.state_dict().items():
        assert torch.allclose(value, resumed.state_dict()[key], atol=1e-5), key


def test_the_weights_that_save_most_on_other_packages_are_kept(
    folder: Path, any_toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch
) -> None:
    worth = iter([0.1, 0.3, 0.2, 0.2])  # at the beginning and behind each step
    monkeypatch.setattr(simulate, "by_metric", lambda network, lessons: {"bytes": [next(worth)]})
    rl.train(folder, Task.of(any_toolchain), PLAN, quietly)
    kept, facts = rl.trained(folder, "grpo-shot-scratch")
    assert (facts["best_step"], facts["step"]) == (1, 3)
    state = torch.load(folder / "rl-grpo-shot-scratch.pt", weights_only=True)
    name = "token_embd.weight"
    assert torch.equal(kept.state_dict()[name], state["best"][name])
    assert not torch.equal(state["network"][name], state["best"][name])
    curves = (folder / "rl-grpo-shot-scratch.jsonl").read_text().splitlines()
    assert [json.loads(line)["others"]["bytes"] for line in curves] == [[0.3], [0.2], [0.2]]


def test_a_run_of_another_plan_is_not_taken_up(folder: Path, any_toolchain: Toolchain) -> None:
    task = Task.of(any_toolchain)
    rl.train(folder, task, replace(PLAN, steps=1), quietly)
    with pytest.raises(UserError, match="other settings"):
        rl.train(folder, task, replace(PLAN, group=2), quietly)
    with pytest.raises(UserError, match="cr1 train sft"):
        rl.train(folder, task, replace(PLAN, scratch=False), quietly)
    with pytest.raises(UserError, match="cr1 train rl"):
        rl.trained(folder, "ppo")
