"""What is compared: names, numbers, and clear words about what is neither."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from cr1cc.bench.contenders import Timed, Twice, contenders
from cr1cc.bench.results import Protocol
from cr1cc.config import Config
from cr1cc.errors import Cr1Error, ModelError, UserError
from cr1cc.policy.interface import Measure
from cr1cc.policy.proposers import PROPOSERS, Circumstances
from cr1cc.records import Failure, Level, ModuleInfo, Proposal, Recipe, Request, Score, Turn


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


def test_a_file_behind_the_name_is_its_model(around: Circumstances, tmp_path: Path) -> None:
    missing = tmp_path / "other.gguf"
    with pytest.raises(ModelError, match=r"other\.gguf"):
        contenders([f"model@{missing}:4"], 16, around, print)


def test_thinking_is_what_is_not_measuring() -> None:
    def slow(recipes: Sequence[Recipe]) -> list[Score | Failure]:
        time.sleep(0.2)
        return [Failure.CRASHED for _ in recipes]

    class Asks(Twice):
        def propose(self, request: Request, measure: Measure) -> Proposal:
            measure([Recipe(("@size",))])
            time.sleep(0.05)
            return super().propose(request, measure)

    info = ModuleInfo("a", "x86_64-pc-linux-gnu", 100, (1,) * 56, 4, False)
    timed = Timed(Asks())
    timed.propose(Request(info, Level.OZ, 19, "X86", 1), slow)
    assert 0.04 < timed.thinking < 0.2


def test_the_protocol_is_looked_at_again() -> None:
    good, strange = Recipe(("@size",)), Recipe(("@size", "no-such-pass"))
    turns = (
        Turn(Turn.MEASURED, good, 9, 9), Turn(Turn.MEASURED, strange, 9, None),
        Turn(Turn.SEARCHED, good, 9, 8), Turn(Turn.ANSWERED, good, 9, 8),
    )  # fmt: skip

    class Talks(Twice):
        def propose(self, request: Request, measure: Measure) -> Proposal:
            return Proposal((good, strange), (), turns)

    class Breaks(Twice):
        def propose(self, request: Request, measure: Measure) -> Proposal:
            raise ModelError("silent")

    info = ModuleInfo("a", "x86_64-pc-linux-gnu", 100, (1,) * 56, 4, False)
    request = Request(info, Level.OZ, 19, "X86", 1)
    talks, breaks = Timed(Talks()), Timed(Breaks())
    talks.propose(request, lambda _: ())
    assert talks.protocol == Protocol(measured=2, searched=1, malformed=1)
    assert breaks.propose(request, lambda _: ()) == Proposal()
    assert breaks.protocol == Protocol(failed=True)


def test_twice_is_the_size_pipeline_once_more() -> None:
    info = ModuleInfo("a", "x86_64-pc-linux-gnu", 100, (1,) * 56, 4, False)
    proposal = Twice().propose(Request(info, Level.OZ, 19, "X86", 1), lambda _: ())
    assert proposal.recipes == (Recipe(("@size", "@size")),)
