"""Labels of windows as lessons, and lessons as examples of what to say.

FOLDER/labels.jsonl has a row for each window (`cr1 train asm labels`). A window is a lesson for a
goal if its label is better by that goal, or if nothing better was found and it stays as it is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any

from cr1cc.assembly.grammar import State, fits, scope
from cr1cc.assembly.names import example_names
from cr1cc.assembly.vocabulary import IDS, Goal, encode, prompt
from cr1cc.errors import AsmError, UserError
from cr1cc.model.vocabulary import END
from cr1cc.train.asm.work import is_guarding
from cr1cc.train.trajectories import Branch, Example

LABELS = "labels.jsonl"
_CHECKED = 16  # one of so many windows only says which weights are best
_AS_THEY_ARE = 0.25  # share of lessons of windows that nothing better is known for


@dataclass(frozen=True)
class Lesson:
    """A window in the normal form and what it shall become: itself if nothing is better. `count`:
    how often it occurs in the corpus."""

    package: str
    function: str
    old: tuple[str, ...]
    live: tuple[str, ...]
    new: tuple[str, ...]
    goal: Goal
    count: int = 1

    @property
    def better(self) -> bool:
        return self.new != self.old

    @cached_property
    def prompt(self) -> tuple[int, ...]:
        return tuple(prompt(self.old, self.live, self.goal))

    @cached_property
    def answer(self) -> tuple[int, ...]:
        return (*encode(self.new, self.old), IDS[END])

    def start(self) -> State:
        """What may be said of the window; made anew, as it is large."""
        return State(scope(self.old, example_names(self.old)))

    @property
    def checked(self) -> bool:
        """Whether it is not learnt from: decided by the window alone."""
        text = json.dumps([self.old, self.live])
        return not hashlib.blake2b(text.encode()).digest()[0] % _CHECKED


def learnt(folder: Path) -> tuple[list[Lesson], list[Lesson]]:
    """Lessons to learn from, and those that say which weights are best; of no package that is
    held out. Raises UserError if there are none."""
    found = list(lessons(folder))
    if not any(one.better for one in found):
        raise UserError(f"{folder}: no labels; `cr1 train asm labels` makes them")
    return [one for one in found if not one.checked], [one for one in found if one.checked]


def lessons(folder: Path, split: str = "train") -> Iterator[Lesson]:
    """What the labels say that can be said in tokens; the line that an interruption tore says
    nothing."""
    log = folder / LABELS
    for line in log.read_text().splitlines() if log.exists() else ():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if row["split"] == split and not is_guarding(row["old"]):
            yield from _of_row(row)


def _of_row(row: dict[str, Any]) -> Iterator[Lesson]:
    old, new, live = (tuple(row[name]) for name in ("old", "new", "live"))
    package, function, count = row["package"], row["function"], row.get("count", 1)
    found = [
        Lesson(package, function, old, live, new, goal, count)
        for goal in Goal
        if new == old or row[goal.value][1] < row[goal.value][0]
    ]
    try:
        if found and fits(found[0].start().scope, found[0].answer):
            yield from (one for one in found if one.prompt)
    except AsmError:
        return


def drawn(some: Sequence[Lesson], count: int, rng: Random) -> list[Lesson]:
    """`count` lessons at random, of which few keep their window as it is."""
    better = [one for one in some if one.better]
    same = [one for one in some if not one.better] or better
    return [rng.choice(same if rng.random() < _AS_THEY_ARE else better) for _ in range(count)]


def example(lesson: Lesson, answer: Sequence[int] | None = None) -> Example:
    """A lesson as tokens; with another answer if one is given."""
    *before, turn = lesson.prompt
    said = lesson.answer if answer is None else tuple(answer)
    return Example(tuple(before), (Branch((turn, *said), (False, *(True for _ in said))),))
