"""What is done to assembly, what for, and the report of it. Whoever looks at no windows loads no
more than this of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from cr1cc.gate.verdict import Judgement


class Objective(Enum):
    """What a rule is good for: each holds for what comes after it, too."""

    SPEED = "shorter and no slower"
    SIZE = "shorter, perhaps slower by little, as -Os"
    SMALLEST = "shorter at any price, as -Oz"


class Change(NamedTuple):
    """A window that was replaced. `saved` in bytes."""

    function: str
    by: str
    old: tuple[str, ...]
    new: tuple[str, ...]
    saved: int
    judgement: Judgement


@dataclass
class Report:
    """What was done to a unit. `refused`: by function windows that would be shorter and are not
    proved, as those who proposed them; `tried`: functions with windows that would be shorter;
    `left`: windows beyond the limit; `lasting`: whether it comes out so each time, as no prover
    crashed."""

    changes: list[Change] = field(default_factory=list)
    refused: dict[str, list[str]] = field(default_factory=dict)
    functions: int = 0
    tried: set[str] = field(default_factory=set)
    left: int = 0
    lasting: bool = True
