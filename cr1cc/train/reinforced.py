"""The loop of reinforcement learning: steps, looks at what is not learnt from, curves, checkpoints.

rl-NAME.pt      where the training stands (a run can be taken up again) and its best weights
rl-NAME.jsonl   the curves: a line for each step

What is learnt from and the random numbers of a step follow from its number, so an interrupted run
sees what an uninterrupted one sees.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any, Protocol

from cr1cc.errors import UserError
from cr1cc.train import checkpoint
from cr1cc.train.algorithm import Algorithm
from cr1cc.train.gguf_file import Shape
from cr1cc.train.learning import learn
from cr1cc.train.network import Network
from cr1cc.train.pytorch import Tensor, device, nn, torch
from cr1cc.train.rollout import Batch

Note = Callable[[Iterable[int], str, int], Iterable[int]]


class Plan(checkpoint.Plan, Protocol):
    """How to train. `epochs`: how often a batch is learnt from."""

    @property
    def epochs(self) -> int: ...


class Course(Protocol):
    """What is learnt from."""

    def collect(self, network: Network, rng: Random, generator: torch.Generator) -> Batch:
        """The answers of a step, with their rewards. Both give random numbers of this step."""
        ...

    def look(self, network: Network) -> tuple[float, Any]:
        """How good the network is where it does not learn, not below 0, and what the curves show
        of it."""
        ...


def train(
    folder: Path, plan: Plan, beginning: Callable[[], Network],
    algorithm: Callable[[Shape], Algorithm], course: Course, note: Note,
) -> dict[str, float]:  # fmt: skip
    """Train to the end of the plan; the means over the last steps. `beginning`: makes the network
    that training begins with, `note` shows progress. Raises UserError if the checkpoint is of
    another plan."""
    torch.manual_seed(plan.seed)
    run = _Run(folder, plan, beginning(), algorithm)
    path = run.path.with_suffix(".jsonl")
    with checkpoint.curves(path, run.done) as curves:
        if not run.done:
            run.keep(0, course)
        for step in note(range(run.done, plan.steps), run.name, plan.steps - run.done):
            start = time.perf_counter()
            rng = Random(f"{plan.seed} {step}")
            generator = torch.Generator().manual_seed(rng.getrandbits(63))
            batch = course.collect(run.drawer(), rng, generator)
            row: dict[str, Any] = {"step": step + 1, **run.learn(batch)}
            row["seconds"] = round(time.perf_counter() - start, 3)
            if (step + 1) % plan.every == 0 or step + 1 == plan.steps:
                row["others"] = run.keep(step + 1, course)
                run.save(step + 1)
            curves.write(json.dumps(row) + "\n")
            curves.flush()
    return _recent(path)


def trained(
    folder: Path, name: str, made_by: str, *, last: bool = False
) -> tuple[Network, dict[str, Any]]:
    """The best weights of a run or its last ones, and what is known of it. Raises UserError, which
    says what makes them."""
    path = folder / f"rl-{name}.pt"
    if not path.exists():
        raise UserError(f"{path}: not there; `{made_by}` makes it")
    state = torch.load(path, map_location="cpu", weights_only=True)
    network = Network(Shape(**state["shape"]))
    network.load_state_dict(state["network" if last else "best"])
    return network.eval(), {name: state[name] for name in ("plan", "best_step", "step")}


class _Run:
    """The network in training, what it began as, and where it stands."""

    def __init__(
        self, folder: Path, plan: Plan, beginning: Network,
        algorithm: Callable[[Shape], Algorithm],
    ) -> None:  # fmt: skip
        self.plan = plan
        self.name = f"rl-{plan.name}"
        self.path = folder / f"{self.name}.pt"
        self.device = device()
        self.reference = beginning.to(self.device)
        self.network = copy.deepcopy(self.reference).train()
        self.algorithm = algorithm(self.network.shape)
        self.extra = nn.ParameterList(self.algorithm.parameters()).to(self.device)
        self.optimiser = torch.optim.AdamW(
            [*self.network.parameters(), *self.extra], lr=plan.rate, weight_decay=0.0
        )
        state = checkpoint.resume(self.path, asdict(plan), {"step": 0})
        self.done: int = state["step"]
        # Where it does not learn: a step is no better by what it earned where it learnt.
        self.saved: float = state.get("saved", 0.0)
        self.best: dict[str, Tensor] = state.get("best", {})
        self.best_step: int = state.get("best_step", 0)
        if self.done:
            self.network.load_state_dict(state["network"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.extra.load_state_dict(state["extra"])

    def drawer(self) -> Network:
        """The network as it is now, on the processor: answers are drawn token by token, each with
        a mask that is made there."""
        copied: Network = copy.deepcopy(self.network).cpu()
        return copied

    def learn(self, batch: Batch) -> dict[str, float]:
        """Learn from a batch; the figures of the step."""
        return learn(
            self.network, self.reference, self.algorithm, self.optimiser, batch.to(self.device),
            self.plan.epochs,
        )  # fmt: skip

    def keep(self, step: int, course: Course) -> Any:
        """What is known of the network as it is now; keep the weights if they are the best."""
        saved, shown = course.look(self.drawer())
        if saved >= self.saved:
            self.saved, self.best_step = saved, step
            self.best = checkpoint.weights(self.network)
        return shown

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
