"""Progress bars for long work: on a terminal only, and on standard error only."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

Item = TypeVar("Item")


def track(iterable: Iterable[Item], description: str, total: int | None = None) -> Iterator[Item]:
    """The items of `iterable`, with a bar while they are worked on.

    `total` is their number where `len` cannot tell; unknown: a bar without an end.
    """
    if not sys.stderr.isatty():
        yield from iterable
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    if total is None:
        total = len(iterable) if isinstance(iterable, Sized) else None
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True
    ) as bar:
        yield from bar.track(iterable, total=total, description=description)
