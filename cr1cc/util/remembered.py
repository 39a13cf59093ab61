"""An answer in a small file, believed as long as the files that it depends on are as they were.

What it takes to ask again (a process or two) is saved by every later compile. A file that
cannot be read or written, or that anybody has changed, costs that and nothing else.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from typing import Any

from cr1cc.util.atomic import replace_file

Stamp = tuple[str, int, int, int]

_DOUBT_SECONDS = 600  # how long an answer is believed that other things may have caused


def stamp(path: str) -> Stamp:
    """What changes when the file behind `path` does. Raises OSError."""
    status = os.stat(path)
    return os.path.realpath(path), status.st_ino, status.st_size, status.st_mtime_ns


def recall(file: str, version: int) -> Any:
    """The answer that is in `file` if it still holds, else None. Its form is to be checked."""
    try:
        with open(file, "rb") as stream:
            data = json.loads(stream.read())
        if data["format"] != version:
            return None
        if data["until"] is not None and not 0 <= data["until"] - time.time() <= _DOUBT_SECONDS:
            return None
        if any(list(stamp(path)) != known for path, known in data["files"]):
            return None
        return data["answer"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def remember(
    file: str,
    version: int,
    answer: Any,
    stamps: Iterable[tuple[str, Stamp]],
    *,
    doubtful: bool = False,
) -> None:
    """Keep `answer` as long as these paths have these stamps; a doubtful one not for long."""
    data = {
        "format": version,
        "until": time.time() + _DOUBT_SECONDS if doubtful else None,
        "files": list(stamps),
        "answer": answer,
    }
    try:
        os.makedirs(os.path.dirname(file), exist_ok=True)
        replace_file(file, json.dumps(data).encode())
    except (OSError, ValueError):
        return
