"""The synergy graph: which pass does more good because another one ran before it.

An edge from A to B weighs what B removes behind A beyond what it removes alone, as a share of
the instructions, mean over the modules of the corpus (mined by `cr1 train synergy`). Random
walks on it are the strangers of the search (Compiler-R1, arXiv:2506.15701, section 3).
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cache
from random import Random

from cr1cc.errors import ToolchainError
from cr1cc.passes.pipeline import nest
from cr1cc.passes.rows import forms_for
from cr1cc.passes.table import passes_for

DATA = os.path.join(os.path.dirname(__file__), "synergy.json")
_JUMP = 0.15  # a step that follows no edge


@dataclass(frozen=True)
class Graph:
    """`alone`: what a pass removes by itself; `edges`: from pass to pass. Weights are shares."""

    alone: dict[str, float]
    edges: dict[str, dict[str, float]]

    def walk(self, rng: Random, major: int, length: int) -> str:
        """A pipeline of `length` passes that hold for this LLVM."""
        vetted = {text for row in passes_for(major) for text in forms_for(row, major)}
        nodes = sorted(vetted)
        passes = [_drawn(rng, _within(self.alone, vetted)) or rng.choice(nodes)]
        while len(passes) < length:
            edges = _within(self.edges.get(passes[-1], {}), vetted)
            following = None if rng.random() < _JUMP else _drawn(rng, edges)
            passes.append(following or rng.choice(nodes))
        return nest(passes)


def _within(weights: dict[str, float], names: set[str]) -> dict[str, float]:
    return {name: weight for name, weight in weights.items() if name in names and weight > 0}


def _drawn(rng: Random, weights: dict[str, float]) -> str | None:
    return rng.choices(list(weights), list(weights.values()))[0] if weights else None


@cache
def graph(path: str = DATA) -> Graph:
    """The shipped graph. Raises ToolchainError if it cannot be read."""
    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
        return Graph(dict(data["alone"]), {name: dict(row) for name, row in data["edges"].items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ToolchainError(f"{path}: no synergy graph: {error}") from None
