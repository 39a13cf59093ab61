"""Supervised training: the model learns to say what the labels say (stage 1).

FOLDER/NAME.pt      where the training stands (a run can be taken up again) and its best weights
FOLDER/NAME.jsonl   the curves: step, loss on what is learnt, loss on other packages, and what
                    conversations save there, played against the labels (`simulate.py`)

NAME is sft, sft-opcodes with that view of the modules (`lessons.py`), sft-200 if only so many
lessons are learnt from.

Every step's examples are drawn anew from the labels by a generator seeded with the step, so a
run that was interrupted sees what an uninterrupted one sees.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from cr1cc.errors import UserError
from cr1cc.model.vocabulary import FIRST_NAME, TOKENS
from cr1cc.train import checkpoint, simulate
from cr1cc.train.gguf_file import Shape
from cr1cc.train.learning import adam, descend, schedule
from cr1cc.train.lessons import VIEWS, learnt
from cr1cc.train.network import Network
from cr1cc.train.packing import Packed, pack
from cr1cc.train.pytorch import Tensor, functional, torch
from cr1cc.train.trajectories import Example, Lesson, example, split

SHAPE = Shape(vocabulary=len(TOKENS), width=128, layers=4, heads=4, hidden=384, context=1024)

_ADDED = 40.0  # weight of the share of the baseline that a choice adds

# Packages of the corpus that only say when to stop: the weights that are best on them are kept.
# They have no code in common with others, as those that include Gnulib have.
VALIDATION = (
    "cmocka", "dosfstools", "gdbm", "jansson", "jbigkit", "lcms2", "leveldb", "lhasa", "libexif",
    "libyaml", "mawk", "mujs", "nlopt", "popt", "speex", "uchardet", "units",
)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """How to train. A module in a batch is told in `branches` ways."""

    steps: int = 2000
    batch: int = 16
    branches: int = 4
    rate: float = 2e-3
    warmup: int = 100
    decay: float = 0.1
    every: int = 100  # steps between two looks at the other packages
    seed: int = 1
    view: str = VIEWS[0]
    lessons: int = 0  # learn from so many, drawn with the seed; 0: from all
    shape: Shape = field(default=SHAPE)

    @property
    def name(self) -> str:
        words = ["sft", *([self.view] if self.view != VIEWS[0] else [])]
        return "-".join(words + ([str(self.lessons)] if self.lessons else []))


def train(
    folder: Path, plan: Plan, note: Callable[[Iterable[int], str, int], Iterable[int]]
) -> dict[str, float]:
    """Train to the end of the plan; the best figures. `note` shows progress.

    Raises UserError if there are no labels or the checkpoint is of another plan.
    """
    learning, others = split(learnt(folder, plan.view), VALIDATION)
    if plan.lessons:
        learning = Random(plan.seed).sample(learning, min(plan.lessons, len(learning)))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(plan.seed)
    network = Network(plan.shape).to(device)
    optimiser = adam(network, plan.rate, plan.decay)
    beginning = {"step": 0, "loss": math.inf, "saved": 0.0, "best_step": 0, "best": {}}
    state = checkpoint.resume(folder / f"{plan.name}.pt", asdict(plan), beginning)
    if state["step"]:
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
    check = [pack(batch) for batch in _checks(others or learning, plan)]
    with (folder / f"{plan.name}.jsonl").open("a" if state["step"] else "w") as curves:
        losses: list[float] = []
        for step in note(range(state["step"], plan.steps), plan.name, plan.steps - state["step"]):
            losses.append(_step(network, optimiser, learning, plan, step, device))
            if (step + 1) % plan.every and step + 1 != plan.steps:
                continue
            loss = _validate(network, check, device)
            saved = simulate.by_metric(network, others)
            mean = sum(map(sum, saved.values()))
            if mean > state["saved"] or not saved:
                best_ = checkpoint.weights(network)
                state.update(loss=loss, saved=mean, best_step=step + 1, best=best_)
            row = {
                "step": step + 1, "loss": sum(losses) / len(losses), "validation": loss,
                "saved": saved,
            }  # fmt: skip
            curves.write(json.dumps(row) + "\n")
            curves.flush()
            losses = []
            state.update(
                step=step + 1, network=checkpoint.weights(network),
                optimiser=optimiser.state_dict(),
            )  # fmt: skip
            checkpoint.save(state, folder / f"{plan.name}.pt")
    return {"loss": state["loss"], "saved": state["saved"], "step": state["best_step"]}


def best(folder: Path, name: str = "sft") -> tuple[Network, dict[str, Any]]:
    """The best weights of a training and what is known of it. Raises UserError."""
    path = folder / f"{name}.pt"
    if not path.exists():
        raise UserError(f"{path}: not there; `cr1 train sft` makes it")
    state = torch.load(path, map_location="cpu", weights_only=True)
    if not state["best"]:
        raise UserError(f"{path}: nothing was trained yet")
    network = Network(Shape(**state["plan"]["shape"]))
    network.load_state_dict(state["best"])
    return network.eval(), {name: state[name] for name in ("plan", "best_step", "loss")}


def _step(
    network: Network, optimiser: torch.optim.Optimizer, learning: Sequence[Lesson], plan: Plan,
    step: int, device: str,
) -> float:  # fmt: skip
    rng = Random(f"{plan.seed} {step}")
    chosen = rng.choices(learning, k=plan.batch)
    batch = pack([example(lesson, plan.branches, rng) for lesson in chosen]).to(device)
    loss = _loss(network, batch)
    descend(network, optimiser, loss, plan.rate * schedule(step, plan.steps, plan.warmup))
    return float(loss.detach())


def _loss(network: Network, batch: Packed) -> Tensor:
    """Mean over what is learnt of minus the logarithm of its probability; less the mean over
    choices among names of what the one that is drawn is expected to add."""
    logits = network(batch.tokens, batch.positions, batch.seen)
    loss = functional.cross_entropy(logits[batch.learnt], batch.targets[batch.learnt])
    if not len(batch.chosen):
        return loss
    chances = logits[batch.chosen[:, 0], batch.chosen[:, 1]].softmax(-1)[:, FIRST_NAME:]
    return loss - _ADDED * (chances * batch.adds).sum(-1).mean()


@torch.no_grad()
def _validate(network: Network, check: Sequence[Packed], device: str) -> float:
    network.eval()
    losses = [float(_loss(network, batch.to(device))) for batch in check]
    network.train()
    return sum(losses) / len(losses)


def _checks(others: Sequence[Lesson], plan: Plan) -> list[list[Example]]:
    told = [example(lesson, plan.branches, Random(i)) for i, lesson in enumerate(others)]
    return [told[i : i + plan.batch] for i in range(0, len(told), plan.batch)]
