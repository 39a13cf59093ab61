"""Where a training stands, on disk: written whole, taken up again if it is of the same plan."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol, TextIO

from cr1cc.errors import UserError
from cr1cc.train.pytorch import Tensor, nn, torch
from cr1cc.util.atomic import replace_file


class Plan(Protocol):
    """How to train; a dataclass. `name` is that of the files, `every` steps are between two
    looks at what is not learnt from."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def name(self) -> str: ...
    @property
    def steps(self) -> int: ...
    @property
    def rate(self) -> float: ...
    @property
    def every(self) -> int: ...
    @property
    def seed(self) -> int: ...


def resume(path: Path, plan: Mapping[str, Any], beginning: Mapping[str, Any]) -> dict[str, Any]:
    """What was saved, or `beginning` of this plan. Raises UserError if it is of a plan that
    differs in more than its steps."""
    if not path.exists():
        return {"plan": dict(plan), **beginning}
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    if {**state["plan"], "steps": 0} != {**plan, "steps": 0}:
        raise UserError(f"{path}: begun with other settings; remove it to begin anew")
    return {**state, "plan": dict(plan)}


def curves(path: Path, done: int) -> TextIO:
    """The file of curves to go on with; what it says of later steps than `done` is dropped."""
    lines = path.read_text().splitlines(keepends=True) if done and path.exists() else []
    whole = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= done]
    replace_file(str(path), "".join(whole).encode())
    return path.open("a")


def weights(network: nn.Module) -> dict[str, Tensor]:
    """A copy that training does not touch."""
    return {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}


def save(state: Mapping[str, Any], path: Path) -> None:
    fresh = path.with_suffix(".new")
    torch.save(dict(state), fresh)
    os.replace(fresh, path)
