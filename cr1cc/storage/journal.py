"""One JSON line per command, appended by every compile and read by `cr1 stats` and `explain`.

A line is one `write` to a file opened for appending, so lines of many processes
do not mix. A full file is renamed to `journal.1` over the one before, so the
journal holds the last some ten thousand commands. Every passed-through command
comes here too, so even `json` is imported only where it is needed.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

FILE = "journal"
LIMIT = 8 << 20  # bytes of one of the two files
_PATIENCE = 50  # milliseconds that a rotation by another process is waited for


class Event(NamedTuple):
    """What became of one command."""

    outcome: str  # Outcome.counter
    detail: str = ""  # the option that is to blame, and the like
    source: str = ""  # absolute path
    output: str = ""  # absolute path
    key: str = ""  # of the module
    bytes_before: int = 0
    bytes_after: int = 0
    proposer: str = ""
    evaluations: int = 0
    hit: str = ""  # "object" or "module": the local store had it, "pack": a shipped pack
    store_problem: str = ""  # why the local store could not be used
    daemon_problem: str = ""  # why a resident process could not be used
    model_problem: str = ""  # why the model could not be used
    verdicts: str = ""  # on windows of its assembly: "proved=9 unknown=3"
    rewritten: int = 0  # functions with windows that were replaced
    milliseconds: float = 0.0
    time: float = 0.0  # seconds since 1970; 0: now, when it is appended
    command: str = ""  # of a replaced object: `joined` name, driver, folder and arguments


def append(directory: str, event: Event, *, limit: int = LIMIT) -> bool:
    """Add `event` to the journal in `directory`; False if that is not possible. Never raises."""
    try:
        line = _line(event)
        path = os.path.join(directory, FILE)
        descriptor = _open(directory, path)
        try:
            if os.write(descriptor, line) != len(line):
                return False
            if os.fstat(descriptor).st_size > limit:
                _rotate(directory, path, limit)
        finally:
            os.close(descriptor)
    except (OSError, ValueError, TypeError):
        return False
    return True


def writable(directory: str) -> bool:
    """Whether events can be recorded there."""
    try:
        os.close(_open(directory, os.path.join(directory, FILE)))
    except (OSError, ValueError):
        return False
    return True


def read(directory: str) -> Iterator[Event]:
    """The events that are still there, oldest first; torn and foreign lines are left out."""
    for name in (f"{FILE}.1", FILE):
        try:
            file = open(os.path.join(directory, name), "rb")  # noqa: SIM115
        except OSError:
            continue
        with file, contextlib.suppress(OSError):
            for line in file:
                if (event := _parse(line)) is not None:
                    yield event


def last(directory: str, path: str) -> Event | None:
    """The newest event whose source or output is `path`, absolute and normal."""
    found = None
    for event in read(directory):
        # A command names its files in its own way: `../src/a.c`.
        if path in (os.path.normpath(event.source), os.path.normpath(event.output)):
            found = event
    return found


def clear(directory: str) -> None:
    """Forget all events. Raises OSError."""
    for name in (FILE, f"{FILE}.1"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(directory, name))


def joined(words: Iterable[str]) -> str:
    """Words as one text that is plain in JSON, too; the inverse of `parted`."""
    return " ".join(word.replace("%", "%25").replace(" ", "%20") for word in words)


def parted(text: str) -> list[str]:
    """The words that `joined` made a text of."""
    return [word.replace("%20", " ").replace("%25", "%") for word in text.split(" ")]


def _line(event: Event) -> bytes:
    data = {name: getattr(event, name) for name in _TYPES}
    data["time"] = event.time or round(time.time(), 3)
    members = (f'"{name}":{_encode(value)}' for name, value in data.items() if value not in ("", 0))
    # The newline in front ends a line that a full disk has torn before.
    return f"\n{{{','.join(members)}}}\n".encode()


def _encode(value: str | int | float) -> str:
    """`value` as JSON."""
    if not isinstance(value, str):
        return repr(value)
    if value.isascii() and value.isprintable() and '"' not in value and "\\" not in value:
        return f'"{value}"'
    import json

    return json.dumps(value)


def _open(directory: str, path: str) -> int:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError:
        os.makedirs(directory, 0o700, exist_ok=True)
        return os.open(path, flags, 0o600)


def _rotate(directory: str, path: str, limit: int) -> None:
    """Rename the full journal away, once, however many processes find it full."""
    import fcntl

    lock = os.open(
        os.path.join(directory, f"{FILE}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
    )
    try:
        for _ in range(_PATIENCE):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:  # another one is at it
                time.sleep(0.001)
        else:
            return  # it sleeps over it: never hang on that
        # Another one may have renamed it meanwhile: then the file there is a small one.
        if os.stat(path).st_size > limit:
            os.rename(path, f"{path}.1")
    except FileNotFoundError:
        pass  # renamed in this very moment
    finally:
        os.close(lock)


_TYPES: dict[str, tuple[type, ...]] = {
    name: {str: (str,), int: (int,), float: (int, float)}[type(Event._field_defaults.get(name, ""))]
    for name in Event._fields
}


def _parse(line: bytes) -> Event | None:
    import json

    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or "outcome" not in data:
        return None
    known = {name: value for name, value in data.items() if name in _TYPES}
    for name, value in known.items():
        if not isinstance(value, _TYPES[name]) or isinstance(value, bool):
            return None
    return Event(**known)
