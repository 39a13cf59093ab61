"""What a resident process may serve: what it loads, and what a worker forked from it does.

A row's name is in the name of the place (`place.py`), so compiles meet what they look for.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any, NamedTuple

from cr1cc.llvm.library import Library
from cr1cc.util.confine import die_with, keep_only
from cr1cc.util.messages import read_message


class Kind(NamedTuple):
    """One kind of resident process. Modules that its workers need are loaded by `load`."""

    load: Callable[[str], Any]  # what is at a path, once; raises Cr1Error or OSError
    # The life of one worker: what was loaded, the connection, the process that forked it.
    work: Callable[[Any, int, int], None]


def _load_library(path: str) -> Any:
    import cr1cc.evaluate.worker  # noqa: F401

    library = Library(path)
    library.load()
    return library


def _evaluate(library: Any, connection: int, parent: int) -> None:
    from cr1cc.evaluate.channel import serve

    beginning = read_message(connection)
    if beginning is not None:
        subject, limits = beginning
        serve(library, subject, limits, connection, connection, parent)


def _load_model(path: str) -> Any:
    from cr1cc.model.server import load, warm

    loaded = load(path)
    warm(loaded)
    return loaded


def _propose(loaded: Any, connection: int, parent: int) -> None:
    from cr1cc.model.server import serve

    die_with(parent)
    # What ends a build ends its compile, and that ends us.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    keep_only(connection)
    serve(loaded, connection, connection)


KINDS: dict[str, Kind] = {
    "llvm": Kind(_load_library, _evaluate),
    "model": Kind(_load_model, _propose),
}
