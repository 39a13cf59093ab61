"""Reinforcement learning (stage 2): the model learns from what its own recipes were measured to
save.

FOLDER/rl-NAME.pt      where the training stands (a run can be taken up again) and its best weights
FOLDER/rl-NAME.jsonl   the curves, a line a step: rewards, shares saved, divergence, seconds; at
                       times what conversations save on packages that are not learnt from

Begins with the best weights of the supervised stage, or with random ones. The modules and the
random numbers of a step follow from its number, so an interrupted run sees what an
uninterrupted one sees.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from cr1cc.errors import UserError
from cr1cc.train import checkpoint, simulate
from cr1cc.train.algorithm import Algorithm
from cr1cc.train.gguf_file import Shape
from cr1cc.train.grpo import Grpo
from cr1cc.train.learning import learn
from cr1cc.train.lessons import VIEWS, learnt
from cr1cc.train.network import Network
from cr1cc.train.ppo import Ppo
from cr1cc.train.pytorch import Tensor, nn, torch
from cr1cc.train.reinforce import Reinforce
from cr1cc.train.rollout import Batch, Reward, collect
from cr1cc.train.sft import SHAPE, VALIDATION, best
from cr1cc.train.tasks import Task
from cr1cc.train.trajectories import Lesson, split

ALGORITHMS: dict[str, Callable[[Shape], Algorithm]] = {
    "grpo": lambda shape: Grpo(),
    "ppo": lambda shape: Ppo(shape.width),
    "reinforce": lambda shape: Reinforce(),
}
_LARGEST = 4_000  # instructions of a module before optimisation: a step must not wait for one


@dataclass(frozen=True)
class Plan:
    """How to train. A step draws `group` answers for each of `batch` modules and learns from
    them `epochs` times."""

    algorithm: str = "grpo"
    turns: int = 7  # measurements of a conversation; 0: an answer is one recipe
    steps: int = 200
    batch: int = 16
    group: int = 8
    epochs: int = 2
    rate: float = 2e-4
    every: int = 10  # steps between two checkpoints
    seed: int = 1
    scratch: bool = False  # begin with random weights
    jobs: int = 2
    reward: Reward = field(default=Reward())
    shape: Shape = field(default=SHAPE)  # with random weights

    @property
    def name(self) -> str:
        """Of the run: the algorithm, and what is not as usual."""
        unusual = {
            "shot": not self.turns,
            "scratch": self.scratch,
            f"alpha{self.reward.alpha:g}": self.reward.alpha != Reward().alpha,
        }
        return "-".join([self.algorithm, *(word for word, is_so in unusual.items() if is_so)])


def train(
    folder: Path, task: Task, plan: Plan,
    note: Callable[[Iterable[int], str, int], Iterable[int]],
) -> dict[str, float]:  # fmt: skip
    """Train to the end of the plan; the means over the last steps. `note` shows progress.

    Raises UserError if there are no labels, no weights to begin with, or the checkpoint is of
    another plan.
    """
    learning, others = split(learnt(folder, VIEWS[0]), VALIDATION)
    small = [lesson for lesson in learning if _fits(lesson, plan.turns)]
    if not small:
        raise UserError(f"{folder}: no label is of a module that is small enough and known enough")
    run = _Run(folder, plan)
    with (
        (folder / f"{run.name}.jsonl").open("a" if run.done else "w") as curves,
        ProcessPoolExecutor(plan.jobs) as pool,
    ):
        if not run.done:
            run.keep(0, others)
        for step in note(range(run.done, plan.steps), run.name, plan.steps - run.done):
            start = time.perf_counter()
            rng = Random(f"{plan.seed} {step}")
            generator = torch.Generator().manual_seed(rng.getrandbits(63))
            chosen = rng.choices(small, k=plan.batch)
            batch = collect(
                run.network,
                task,
                folder,
                chosen,
                plan.group,
                plan.turns,
                plan.reward,
                pool,
                generator,
            )
            row: dict[str, Any] = {"step": step + 1, **run.learn(batch)}
            row["seconds"] = round(time.perf_counter() - start, 3)
            if (step + 1) % plan.every == 0 or step + 1 == plan.steps:
                row["others"] = run.keep(step + 1, others)
                run.save(step + 1)
            curves.write(json.dumps(row) + "\n")
            curves.flush()
    return _recent(folder / f"{run.name}.jsonl")


def _fits(lesson: Lesson, turns: int) -> bool:
    return len(lesson.named) > turns if turns else lesson.request.info.ic <= _LARGEST


def trained(folder: Path, name: str) -> tuple[Network, dict[str, Any]]:
    """The best weights of a run, and what is known of it. Raises UserError."""
    path = folder / f"rl-{name}.pt"
    if not path.exists():
        raise UserError(f"{path}: not there; `cr1 train rl` makes it")
    state = torch.load(path, map_location="cpu", weights_only=True)
    network = Network(Shape(**state["shape"]))
    network.load_state_dict(state["best"])
    return network.eval(), {name: state[name] for name in ("plan", "best_step", "step")}


class _Run:
    """The network in training, what it began as, and where it stands."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        torch.manual_seed(plan.seed)
        self.plan = plan
        self.name = f"rl-{plan.name}"
        self.path = folder / f"{self.name}.pt"
        self.reference = Network(plan.shape) if plan.scratch else best(folder)[0]
        self.network = copy.deepcopy(self.reference).train()
        self.algorithm = ALGORITHMS[plan.algorithm](self.network.shape)
        self.extra = nn.ParameterList(self.algorithm.parameters())
        self.optimiser = torch.optim.AdamW(
            [*self.network.parameters(), *self.extra], lr=plan.rate, weight_decay=0.0
        )
        state = checkpoint.resume(self.path, asdict(plan), {"step": 0})
        self.done: int = state["step"]
        # On other packages: a step is no better by what it earned where it learnt.
        self.saved: float = state.get("saved", 0.0)
        self.best: dict[str, Tensor] = state.get("best", {})
        self.best_step: int = state.get("best_step", 0)
        if self.done:
            self.network.load_state_dict(state["network"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.extra.load_state_dict(state["extra"])

    def learn(self, batch: Batch) -> dict[str, float]:
        """Learn from a batch; the figures of the step."""
        return learn(
            self.network, self.reference, self.algorithm, self.optimiser, batch, self.plan.epochs
        )

    def keep(self, step: int, others: Sequence[Lesson]) -> dict[str, list[float]]:
        """What conversations save on other packages now; keep the weights if that is most."""
        found = simulate.by_metric(self.network, others)
        saved = sum(map(sum, found.values()))
        if saved >= self.saved:
            self.saved, self.best_step = saved, step
            self.best = checkpoint.weights(self.network)
        return found

    def save(self, step: int) -> None:
        state = {
            "plan": asdict(self.plan), "step": step, "shape": asdict(self.network.shape),
            "network": checkpoint.weights(self.network), "optimiser": self.optimiser.state_dict(),
            "extra": self.extra.state_dict(), "best": self.best, "best_step": self.best_step,
            "saved": self.saved,
        }  # fmt: skip
        checkpoint.save(state, self.path)


def _recent(curves: Path) -> dict[str, float]:
    rows = [json.loads(line) for line in curves.read_text().splitlines()[-20:]]
    names = [name for name in rows[0] if name != "others"] if rows else []
    return {name: sum(row[name] for row in rows) / len(rows) for name in names}
