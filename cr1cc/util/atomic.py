"""Replace a file as a whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from cr1cc.util import ending


@contextlib.contextmanager
def replaced(path: str) -> Iterator[str]:
    """A path beside `path` to write to; renamed over it in the end unless something failed:
    readers see the old or the new file, and nothing else is left. Raises OSError."""
    temporary = f"{path}.cr1-{os.getpid()}.tmp"
    with ending.removed(temporary):
        yield temporary
        os.rename(temporary, path)


def replace_file(path: str, data: bytes, mode: int = 0o666) -> None:
    """Make `data` all that `path` holds. `mode` is the new file's mode, less the umask.

    Raises OSError; nothing is left then.
    """
    with replaced(path) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
        finally:
            os.close(descriptor)
