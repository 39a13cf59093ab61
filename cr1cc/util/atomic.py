"""Replace a file as a whole or not at all."""

from __future__ import annotations

import os

from cr1cc.util import ending


def replace_file(path: str, data: bytes, mode: int = 0o666) -> None:
    """Write `data` beside `path` and rename it over: readers see the old or the new file.

    `mode` is the new file's mode, less the umask. Raises OSError; nothing is left then.
    """
    temporary = f"{path}.cr1-{os.getpid()}.tmp"
    with ending.removed(temporary):
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
        finally:
            os.close(descriptor)
        os.rename(temporary, path)
