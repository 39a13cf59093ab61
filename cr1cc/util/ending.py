"""Ended by a signal: first clean up, then end by that very signal, so that make sees it.

A handler that raises would not do: Python drops an exception where it cannot pass it on
(in a destructor, in a callback of C), and the build would go on after Ctrl-C.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from typing import NoReturn

from cr1cc.util import process
from cr1cc.util.process import ENDING

_temporary: set[str] = set()  # files that must not outlive us


@contextlib.contextmanager
def removed(*paths: str) -> Iterator[None]:
    """Remove the files `paths`, as far as they are there, on the way out or when a signal
    ends us."""
    _temporary.update(paths)
    try:
        yield
    finally:
        for path in paths:
            _remove(path)
        _temporary.difference_update(paths)


def handle_signals() -> None:
    """From now on what asks this process to end does so by `end_by`."""
    for number in ENDING:
        if signal.getsignal(number) != signal.SIG_IGN:  # such as under nohup
            signal.signal(number, end_by)


def handle_no_more() -> None:
    """Undo `handle_signals`: another program takes over this process."""
    for number in ENDING:
        if signal.getsignal(number) is end_by:
            signal.signal(number, signal.SIG_DFL)


def end_by(number: int, _frame: object = None) -> NoReturn:
    """Finish children, remove temporary files and end by signal `number`."""
    for other in ENDING:
        signal.signal(other, signal.SIG_IGN)
    process.finish_children()
    for path in _temporary:
        _remove(path)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    os._exit(128 + number)


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(path)
