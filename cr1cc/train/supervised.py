"""The loop of supervised training: steps, looks at what is not learnt from, curves, checkpoints.

NAME.pt      where the training stands (a run can be taken up again) and its best weights
NAME.jsonl   the curves: a line for each look
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from cr1cc.errors import UserError
from cr1cc.train import checkpoint, pytorch
from cr1cc.train.gguf_file import Shape
from cr1cc.train.learning import adam, descend, schedule
from cr1cc.train.network import Network
from cr1cc.train.pytorch import Tensor, torch

Note = Callable[[Iterable[int], str, int], Iterable[int]]


class Plan(checkpoint.Plan, Protocol):
    """How to train: `warmup` in steps, `decay` of weights."""

    @property
    def warmup(self) -> int: ...
    @property
    def decay(self) -> float: ...
    @property
    def shape(self) -> Shape: ...


class Look(NamedTuple):
    """At what is not learnt from. `score`: above 0, more is better; None: nothing to score by,
    the last weights are kept. `shown`: for the curves."""

    loss: float
    score: float | None
    shown: dict[str, Any]


class Course(Protocol):
    """What is learnt."""

    def loss(self, network: Network, step: int, device: str) -> Tensor:
        """Of the examples of a step, which follow from its number."""
        ...

    def look(self, network: Network, device: str) -> Look: ...


def train(folder: Path, plan: Plan, course: Course, note: Note) -> dict[str, float]:
    """Train to the end of the plan; the best figures. `note` shows progress.

    Raises UserError if the checkpoint is of another plan.
    """
    device = pytorch.device()
    torch.manual_seed(plan.seed)
    network = Network(plan.shape).to(device)
    optimiser = adam(network, plan.rate, plan.decay)
    beginning = {"step": 0, "loss": math.inf, "saved": 0.0, "best_step": 0, "best": {}}
    path = folder / f"{plan.name}.pt"
    state = checkpoint.resume(path, asdict(plan), beginning)
    if state["step"]:
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
    with checkpoint.curves(path.with_suffix(".jsonl"), state["step"]) as curves:
        losses: list[float] = []
        for step in note(range(state["step"], plan.steps), plan.name, plan.steps - state["step"]):
            loss = course.loss(network, step, device)
            descend(network, optimiser, loss, plan.rate * schedule(step, plan.steps, plan.warmup))
            losses.append(float(loss.detach()))
            if (step + 1) % plan.every and step + 1 != plan.steps:
                continue
            seen = _look(network, course, device)
            if seen.score is None or seen.score > state["saved"]:
                best_ = checkpoint.weights(network)
                state.update(
                    loss=seen.loss, saved=seen.score or 0.0, best_step=step + 1, best=best_
                )
            row = {
                "step": step + 1, "loss": sum(losses) / len(losses), "validation": seen.loss,
                **seen.shown,
            }  # fmt: skip
            curves.write(json.dumps(row) + "\n")
            curves.flush()
            losses = []
            state.update(
                step=step + 1, network=checkpoint.weights(network),
                optimiser=optimiser.state_dict(),
            )  # fmt: skip
            checkpoint.save(state, path)
    return {"loss": state["loss"], "saved": state["saved"], "step": state["best_step"]}


def best(path: Path, made_by: str) -> tuple[Network, dict[str, Any]]:
    """The best weights of a training and what is known of it. Raises UserError, which says what
    makes them."""
    if not path.exists():
        raise UserError(f"{path}: not there; `{made_by}` makes it")
    state = torch.load(path, map_location="cpu", weights_only=True)
    if not state["best"]:
        raise UserError(f"{path}: nothing was trained yet")
    network = Network(Shape(**state["plan"]["shape"]))
    network.load_state_dict(state["best"])
    return network.eval(), {name: state[name] for name in ("plan", "best_step", "loss")}


def _look(network: Network, course: Course, device: str) -> Look:
    network.eval()
    with torch.no_grad():
        found = course.look(network, device)
    network.train()
    return found
