"""What is labelled, in which order, and on which side it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from cr1cc.errors import UserError
from cr1cc.rewrite.windows import GUARD
from cr1cc.train.asm.corpus import Key, rows_of, windows_file
from cr1cc.train.asm.twins import twins
from cr1cc.train.packages import HELD_OUT

Note = Callable[[Iterable[Any], str, int], Iterable[Any]]

EFFORT = 40_000  # instructions run in the search of one window
RULED = 30_000  # windows that rules come to first
_EVERY = 5  # which of the windows is one that is held out


@dataclass(frozen=True)
class Plan:
    """`windows`: how many, None for all; `ruled`: of them so many are given to the rules before
    any is searched; `effort` of the search of each."""

    windows: int | None = None
    ruled: int = RULED
    effort: int = EFFORT


class Item(NamedTuple):
    """A window to label. `guess`: what another build has, with the source of that;
    `searched`: not by rules alone."""

    package: str
    function: str
    key: Key
    times: int
    split: str
    guess: tuple[str, ...] | None = None
    source: str = ""
    searched: bool = True


def work(folder: Path, plan: Plan, note: Note) -> Iterator[Item]:
    """All windows to label, in their order. Raises UserError without a corpus."""
    packages = _packages(folder)
    pairs = [(package, twin) for package in packages for twin in twins(folder, package, note)]
    learnt = {twin.old for package, twin in pairs if split_of(package) == "train"}
    found = counted(folder, packages, learnt)
    for package, twin in pairs:
        key = twin.old, twin.live
        split = "train" if key[0] in learnt else "held"
        yield Item(package, twin.function, key, 1, split, twin.new, twin.source)
    sides = {side: _in_turn(item for item in found.values() if item.split == side)
             for side in ("train", "held")}  # fmt: skip
    windows = list(islice(_mixed(sides["train"], sides["held"]), plan.windows))
    yield from (item._replace(searched=False) for item in windows[: plan.ruled])
    yield from windows


def held_out(folder: Path, learnt: set[tuple[str, ...]]) -> list[Item]:
    """The windows of packages that are held out which occur in no other one and not in `learnt`,
    each size in turn and the most frequent first. Raises UserError without a corpus."""
    found = counted(folder, _packages(folder), set(learnt)).values()
    return _in_turn(one for one in found if one.split == "held" and not is_guarding(one.key[0]))


def is_guarding(lines: Iterable[str]) -> bool:
    """Whether a window reads the stack's guard: what clears it behind that has to stay, though
    nothing reads it."""
    return any(GUARD in line for line in lines)


def _packages(folder: Path) -> list[str]:
    """Those of the corpus; what is held out comes last. Raises UserError without any."""
    found = sorted((path.stem for path in (folder / "windows").glob("*.jsonl")), key=_held_last)
    if not found:
        raise UserError(f"{folder}: no corpus; `cr1 train asm corpus` makes one")
    return found


def counted(folder: Path, packages: Sequence[str], learnt: set[tuple[str, ...]]) -> dict[Key, Item]:
    """All windows of packages with their counts over all, each on one side: what occurs in a
    package that is learnt from, or is in `learnt`, is never held out, whatever is live behind
    it. Extends `learnt`. Packages that are held out come last."""
    found: dict[Key, Item] = {}
    for package in packages:
        for row in rows_of(windows_file(folder, package)):
            key: Key = tuple(row["old"]), tuple(row["live"])
            if split_of(package) == "train":
                learnt.add(key[0])
            side = "train" if key[0] in learnt else "held"
            known = found.get(key)
            found[key] = (
                known._replace(times=known.times + row["count"])
                if known
                else Item(package, row["function"], key, row["count"], side)
            )
    return found


def split_of(package: str) -> str:
    """The side of a package."""
    return "held" if any(package == one.name for one in HELD_OUT) else "train"


def _held_last(package: str) -> tuple[bool, str]:
    return split_of(package) == "held", package


def _in_turn(items: Iterable[Item]) -> list[Item]:
    """The most frequent first, each size in turn: short windows are frequent, and long ones leave
    more to find."""
    groups: dict[int, list[Item]] = {}
    for item in sorted(items, key=lambda item: (-item.times, item.key)):
        groups.setdefault(len(item.key[0]), []).append(item)
    columns = zip_longest(*(groups[size] for size in sorted(groups)))
    return [item for column in columns for item in column if item is not None]


def _mixed(train: Sequence[Item], held: Sequence[Item]) -> Iterator[Item]:
    """Both in their order, every so many of the second kind."""
    left = iter(held)
    for number, item in enumerate(train, 1):
        yield item
        if number % (_EVERY - 1) == 0:
            yield from (one for one in [next(left, None)] if one is not None)
    yield from left
