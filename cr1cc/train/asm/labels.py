"""Labels of the model of assembly: for windows of the corpus the best that was proved.

FOLDER/labels.jsonl     a row a line: "package", "function", "old", "new", "live", "bytes", "cost",
                        "source", "count", "split" (docs/training.md says what they are)
FOLDER/labels.progress  what is done of which plan, so that a run can be taken up again

First come small functions as other builds have them, then what rules find, for that is quick. Then
windows are searched, each size in turn and the most frequent first; every fifth one is of the
packages that are held out. Of windows for which nothing better is found one in three has a row,
with the source "none".
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cr1cc.assembly.appraisal import Appraiser, Ask
from cr1cc.assembly.bench import Bench
from cr1cc.assembly.problem import Problem
from cr1cc.assembly.ruled import ruled
from cr1cc.assembly.score import Score, score
from cr1cc.assembly.search import guesses
from cr1cc.errors import AsmError
from cr1cc.train.asm.corpus import Key, rows_of
from cr1cc.train.asm.work import Item, Plan, is_guarding, work
from cr1cc.util.atomic import replace_file

Note = Callable[[Iterable[Any], str, int], Iterable[Any]]
Row = dict[str, Any]

_PROGRESS = "labels.progress"
_NONE = 3  # one in so many without a better one is kept


def label(folder: Path, plan: Plan, note: Note) -> Iterator[Row]:
    """Label what is not yet; yields new rows as they are written. Raises UserError without a
    corpus, ProofError without the extra `prove`."""
    items = list(work(folder, plan, note))
    mark = hashlib.blake2b(repr((plan, items)).encode(), digest_size=8).hexdigest()
    log, progress = folder / "labels.jsonl", folder / _PROGRESS
    known = {_key(row) for row in rows(log, mend=True)}
    done = _done(progress, mark)
    worker = Labeller(os.environ, plan.effort)
    with log.open("a") as file:
        for number in note(range(done, len(items)), "labels", len(items) - done):
            item = items[number]
            row = None if (item.key in known) else worker.row(item)
            if row is not None:
                known.add(item.key)
                file.write(json.dumps(row) + "\n")
                file.flush()
                yield row
            replace_file(str(progress), f"{mark} {number + 1}\n".encode())


def rows(log: Path, *, mend: bool = False) -> list[Row]:
    """The rows of a file of labels; what an interruption tore is left out, and with `mend` cut
    off. Raises UserError for other damage."""
    if not log.exists():
        return []
    text = log.read_text()
    whole = text[: text.rfind("\n") + 1]
    if mend and whole != text:
        replace_file(str(log), whole.encode())
    return list(rows_of(log, whole))


class Labeller:
    """Finds the best of one window after the other."""

    def __init__(self, env: Mapping[str, str], effort: int) -> None:
        self._bench, self._appraiser, self._effort = Bench(env), Appraiser(env), effort

    def row(self, item: Item) -> Row | None:
        """The label of a window, None if it has none to keep."""
        if is_guarding(item.key[0]):
            return None
        try:
            problem = Problem(*item.key)
            if not item.searched and next(ruled(problem), None) is None:
                return None
            old = score(self._bench, problem, problem.lines)
        except AsmError:  # more registers than there are, or no form of the assembler
            return None
        best: tuple[Score, tuple[str, ...], str] = (old, problem.lines, "none")
        for source, news in self._sources(problem, item, old):
            found = self._first_proved(problem, news)
            if found is not None and found[0].rank(old) < best[0].rank(old):
                best = (*found, source)
        kept = item.searched and not item.guess and _is_kept(item.key)
        if best[2] == "none" and not kept:
            return None
        return _row(item, old, *best)

    def _sources(
        self, problem: Problem, item: Item, old: Score
    ) -> Iterator[tuple[str, list[tuple[Score, tuple[str, ...]]]]]:
        if item.guess is not None:
            yield item.source, self._scored(problem, [item.guess], old)
        yield "rules", self._scored(problem, ruled(problem), old)
        if item.searched:
            yield "search", guesses(self._bench, problem, self._effort)

    def _scored(
        self, problem: Problem, news: Iterable[tuple[str, ...]], old: Score
    ) -> list[tuple[Score, tuple[str, ...]]]:
        found = []
        for lines in news:
            try:
                one = score(self._bench, problem, lines)
            except AsmError:
                continue
            if one.beats(old):
                found.append((one, lines))
        return sorted(found, key=lambda one: (one[0].rank(old), one[1]))

    def _first_proved(
        self, problem: Problem, news: Sequence[tuple[Score, tuple[str, ...]]]
    ) -> tuple[Score, tuple[str, ...]] | None:
        for one in news:
            if self._appraiser.appraise([Ask(problem.lines, problem.live, one[1])])[0].proved:
                return one
        return None


def _row(item: Item, old: Score, new: Score, lines: tuple[str, ...], source: str) -> Row:
    return {
        "package": item.package,
        "function": item.function,
        "old": item.key[0],
        "new": lines,
        "live": item.key[1],
        "bytes": [old.bytes, new.bytes],
        "cost": [old.cost, new.cost],
        "source": source,
        "count": item.times,
        "split": item.split,
    }


def _is_kept(key: Key) -> bool:
    return int(hashlib.blake2b(repr(key).encode(), digest_size=4).hexdigest(), 16) % _NONE == 0


def _key(row: Row) -> Key:
    return tuple(row["old"]), tuple(row["live"])


def _done(progress: Path, mark: str) -> int:
    """How many items of this plan are done."""
    try:
        known, _, number = progress.read_text().partition(" ")
        return int(number) if known == mark else 0
    except (OSError, ValueError):
        return 0


def progress_of(folder: Path) -> int:
    """How many steps of its plan the last run has done, of which a window may take two."""
    try:
        return int((folder / _PROGRESS).read_text().partition(" ")[2])
    except (OSError, ValueError):
        return 0
