"""Decisions to store, and stores to put them in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cr1cc.config import Config
from cr1cc.outcome import Outcome
from cr1cc.records import Answer, Decision, FunctionChange, Recipe, Turn
from cr1cc.storage.keys import Basis, KeyContext
from cr1cc.storage.store import DecisionStore


@pytest.fixture
def context() -> KeyContext:
    return KeyContext("clang 19", "x86_64-pc-linux-gnu", ("-fPIC",), Basis("7", "coreset 1", 32, 6))


@pytest.fixture
def better() -> Decision:
    return Decision(
        answer=Answer.BETTER,
        outcome=Outcome.SMALLER,
        recipe=Recipe(("@size", "module(mergefunc)"), ("-disable-lsr",)),
        tails=(("f", "dce"), ("g", "gvn,instcombine")),
        proposer="coreset",
        evaluations=32,
        bytes_before=1000,
        bytes_after=900,
        ic_before=200,
        ic_after=180,
        evidence="measured",
        functions=(FunctionChange("f", 100, 50, "dce", "search"), FunctionChange("h", 7, 7)),
        trace=(
            Turn(Turn.MEASURED, Recipe(("@size",), ("-disable-lsr",)), 1000, None),
            Turn(Turn.ANSWERED, Recipe(("@size", "module(mergefunc)")), 1000, 900),
        ),
        machine="of another kind",
    )


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(cache_dir=str(tmp_path / "store"), packs=False)


@pytest.fixture
def open_store(config: Config) -> Callable[[], DecisionStore]:
    return lambda: DecisionStore(config)
