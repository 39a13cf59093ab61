"""The compile's end: reach the resident process, or start one for the next compile.

Nothing here waits for long, and nothing that goes wrong is an error: the caller makes a
worker of its own then.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from cr1cc.errors import ResidentError
from cr1cc.resident.place import Place, Service, place_for
from cr1cc.util.process import start_python

_PATIENCE = 0.5  # seconds for an answer: a stopped or swamped process costs no more
IDLE = 120.0  # seconds after which a resident process without work ends
_PROGRAM = "from cr1cc.resident.server import main; main()"


class Resident:
    """The resident process for one service, as one compile sees it."""

    def __init__(self, service: Service, environ: Mapping[str, str]) -> None:
        self.service = service
        self.environ = environ
        self.problem = ""  # why it could not be used, if it could not
        self._given_up = False

    def lost(self, reason: str) -> None:
        """A worker is gone, and so, as far as this compile goes, is the process."""
        self.problem = reason
        self._given_up = True

    def connect(self) -> int | None:
        """A descriptor connected to a fresh worker; None, then and from now on, where there
        is none. The first time that happens, a process is started for later compiles."""
        if self._given_up:
            return None
        try:
            place = place_for(self.service, self.environ)
            try:
                return connect(place)
            except (FileNotFoundError, ConnectionRefusedError):
                start(place, self.service, self.environ)
        except (OSError, ResidentError) as error:
            self.problem = str(error)
        self._given_up = True
        return None


def connect(place: Place) -> int:
    """A descriptor connected to a fresh worker. Raises OSError or ResidentError."""
    import socket  # here, because a compile whose object is known needs none

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_PATIENCE)
        connection.connect(place.socket)
        if not connection.recv(1):
            raise ResidentError("the resident process turned us away")
        connection.settimeout(None)
        return connection.detach()


def start(place: Place, service: Service, environ: Mapping[str, str], idle: float = IDLE) -> bool:
    """Start a resident process unless there is one; at most one starts however many try.

    The lock is taken here and inherited, so it is held from now until that process ends.
    """
    import fcntl

    lock = os.open(place.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.truncate(lock, 0)  # what the one before said of itself
        arguments = [service.kind, service.path, place.base, str(lock), str(idle)]
        start_python(_PROGRAM, arguments, environ, keep=lock, session=True)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True
