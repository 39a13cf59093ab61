"""What is compared: names, numbers, and clear words about what is neither."""

from __future__ import annotations

from pathlib import Path

import pytest

from cr1cc.bench.contenders import Twice, contenders
from cr1cc.config import Config
from cr1cc.errors import Cr1Error, UserError
from cr1cc.policy.proposers import PROPOSERS, Circumstances
from cr1cc.records import Level, ModuleInfo, Recipe, Request


@pytest.fixture
def around(tmp_path: Path) -> Circumstances:
    config = Config(model=str(tmp_path / "none.gguf"), cache_dir=str(tmp_path))
    return Circumstances(config, {})


def test_a_number_behind_the_name_is_its_own_budget(around: Circumstances) -> None:
    words = ["coreset", "coreset:100", "search:4400", "twice", "coreset"]
    found = contenders(words, 16, around, print)
    assert [(one.name, one.proposer.name, one.candidates) for one in found] == [
        ("coreset", "coreset", 16),
        ("coreset:100", "coreset", 100),
        ("search:4400", "search", 4400),
        ("twice", "twice", 16),
    ]


def test_without_names_all_that_can_be_used(around: Circumstances) -> None:
    notes: list[str] = []
    found = contenders([], 4, around, notes.append)
    assert {one.name for one in found} == set(PROPOSERS) - {"model", "agent"}
    assert len(notes) == 2


@pytest.mark.parametrize(
    ("word", "said"),
    [("best", "no proposer"), ("coreset:0", "from 1"), ("coreset:x", "from 1"),
     ("coreset:-1", "from 1"), ("coreset:999999999999", "from 1"), (":5", "no proposer")],
)  # fmt: skip
def test_what_is_no_contender(word: str, said: str, around: Circumstances) -> None:
    with pytest.raises(UserError, match=said):
        contenders([word], 4, around, print)
    with pytest.raises(Cr1Error):
        contenders(["model"], 4, around, print)


def test_twice_is_the_size_pipeline_once_more() -> None:
    info = ModuleInfo("a", "x86_64-pc-linux-gnu", 100, (1,) * 56, 4, False)
    proposal = Twice().propose(Request(info, Level.OZ, 19, "X86", 1), lambda _: ())
    assert proposal.recipes == (Recipe(("@size", "@size")),)
