"""Messages between processes of this program: an 8-byte length and a pickle.

Both ends are the same program; nothing that comes from a disk is unpickled.
"""

from __future__ import annotations

import os
import pickle
import struct
from typing import Any, Protocol

_LENGTH = struct.Struct("<Q")


class Resident(Protocol):
    """Where processes to talk to may come from (`cr1cc.resident.client`)."""

    def connect(self) -> int | None:
        """A descriptor connected to a fresh worker, None where there is none."""
        ...

    def lost(self, reason: str) -> None:
        """One of its workers is gone: nothing is asked of it any more."""
        ...


def write_message(descriptor: int, message: Any) -> None:
    """Raises OSError."""
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    view = memoryview(_LENGTH.pack(len(data)) + data)
    while view:
        view = view[os.write(descriptor, view) :]


def read_message(descriptor: int) -> Any:
    """One message, None at the end of the pipe. Raises OSError."""
    header = _read_exactly(descriptor, _LENGTH.size)
    if header is None:
        return None
    data = _read_exactly(descriptor, _LENGTH.unpack(header)[0])
    return None if data is None else pickle.loads(data)


def _read_exactly(descriptor: int, length: int) -> bytes | None:
    chunks = bytearray()
    while len(chunks) < length:
        chunk = os.read(descriptor, length - len(chunks))
        if not chunk:
            return None
        chunks += chunk
    return bytes(chunks)
