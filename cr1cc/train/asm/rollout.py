"""Rewritten windows drawn from a network, judged and rewarded.

Two rewards are compared, those of SuperCoder (arXiv:2505.11480) told of windows:

    correct   -1 for what does not assemble; the share of inputs for which it does the same, if it
              is not proved; else 1 and ALPHA times the share that it saves
    speed     0 for what is not proved, else what it was divided by what it is
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby

from cr1cc.assembly.appraisal import Appraisal, Appraiser, Ask
from cr1cc.assembly.vocabulary import Goal, decode
from cr1cc.train.asm.lessons import Lesson
from cr1cc.train.drawing import Drawn, draw
from cr1cc.train.network import Network
from cr1cc.train.packing import pack
from cr1cc.train.pytorch import Tensor, torch
from cr1cc.train.rollout import Batch
from cr1cc.train.trajectories import Branch, Example

ALPHA = 5.0


def correct(judged: Appraisal, goal: Goal) -> float:
    """Correctness-guided speedup."""
    if not judged.assembles:
        return -1.0
    return 1 + ALPHA * judged.saved(goal) if judged.proved else judged.agreeing


def speed(judged: Appraisal, goal: Goal) -> float:
    """Speedup only; of what disappears that of one that is a tenth."""
    return 1 / max(1 - judged.saved(goal), 0.1) if judged.proved else 0.0


Reward = Callable[[Appraisal, Goal], float]
REWARDS: dict[str, Reward] = {"correct": correct, "speed": speed}


def answers(
    network: Network, lessons: Sequence[Lesson], group: int, generator: torch.Generator
) -> tuple[list[list[Drawn]], Tensor]:
    """`group` answers for each lesson, and the table of masks. Prompts of one length are drawn
    for together."""
    order = sorted(range(len(lessons)), key=lambda at: len(lessons[at].prompt))
    found: list[list[Drawn]] = [[] for _ in lessons]
    masks: list[Tensor] = []
    count = 0
    for _, places in groupby(order, key=lambda at: len(lessons[at].prompt)):
        some = list(places)
        prompts = [lessons[at].prompt for at in some for _ in range(group)]
        starts = [start for at in some for start in [lessons[at].start()] * group]
        drawn, table = draw(network, prompts, starts, generator)
        for number, one in enumerate(drawn):
            moved = tuple(mask + count for mask in one.allowed)
            found[some[number // group]].append(Drawn(one.tokens, moved))
        masks.append(table)
        count += len(table)
    return found, torch.cat(masks)


def asked(lesson: Lesson, said: Sequence[int]) -> Ask:
    """What is to be judged of an answer, by its tokens behind the turn."""
    return Ask(lesson.old, lesson.live, decode(said, lesson.old))


def collect(
    network: Network, lessons: Sequence[Lesson], group: int, appraiser: Appraiser, reward: Reward,
    generator: torch.Generator,
) -> Batch:  # fmt: skip
    """Draw, judge and reward `group` answers for each lesson."""
    drawn, masks = answers(network, lessons, group, generator)
    pairs = [(lesson, one) for lesson, some in zip(lessons, drawn, strict=True) for one in some]
    judged = appraiser.appraise([asked(lesson, one.tokens[1:]) for lesson, one in pairs])
    rated = list(zip(judged, (lesson.goal for lesson, _ in pairs), strict=True))
    counts = torch.tensor([len(one.allowed) for _, one in pairs])
    return Batch(
        pack([_example(lesson, some) for lesson, some in zip(lessons, drawn, strict=True)]),
        masks[torch.tensor([number for _, one in pairs for number in one.allowed])],
        torch.arange(len(pairs)).repeat_interleave(counts),
        torch.arange(len(lessons)).repeat_interleave(group),
        torch.tensor([reward(one, goal) for one, goal in rated]),
        torch.tensor([one.saved(goal) for one, goal in rated]),
    )


def _example(lesson: Lesson, drawn: Sequence[Drawn]) -> Example:
    branches = tuple(Branch(one.tokens, (False, *(True for _ in one.allowed))) for one in drawn)
    return Example(lesson.prompt[:-1], branches)
