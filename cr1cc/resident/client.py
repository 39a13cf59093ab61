"""The compile's end: reach the resident process, or start one for the next compile.

Nothing here waits for long, and nothing that goes wrong is an error: the caller forks a
worker of its own then.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from cr1cc.errors import ResidentError
from cr1cc.resident.place import Place, place_for

_PATIENCE = 0.5  # seconds for an answer: a stopped or swamped process costs no more
IDLE = 120.0  # seconds after which a resident process without work ends
_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Not `-m`: that would look for modules in the folder that is being built.
_PROGRAM = (
    f"import sys; sys.path.insert(0, {_ROOT!r}); from cr1cc.resident.server import main; main()"
)


class Resident:
    """The resident process for one libLLVM, as one compile sees it."""

    def __init__(self, libllvm: str, environ: Mapping[str, str]) -> None:
        self.libllvm = libllvm
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
            place = place_for(self.libllvm, self.environ)
            try:
                return connect(place)
            except (FileNotFoundError, ConnectionRefusedError):
                start(place, self.libllvm, self.environ)
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


def start(place: Place, libllvm: str, environ: Mapping[str, str], idle: float = IDLE) -> bool:
    """Start a resident process unless there is one; at most one starts however many try.

    The lock is taken here and inherited, so it is held from now until that process ends.
    """
    import fcntl

    lock = os.open(place.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.truncate(lock, 0)  # the process id of the one before
        _spawn([libllvm, place.base, str(lock), str(idle)], lock, environ)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True


def _spawn(arguments: list[str], lock: int, environ: Mapping[str, str]) -> None:
    """In a session of its own, and with no descriptor of the build but the lock: a pipe
    that a process keeps open, as those of make's jobserver, never ends."""
    inherited = [n for n in map(int, os.listdir("/proc/self/fd")) if n > 2 and _inheritable(n)]
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    os.set_inheritable(lock, True)
    try:
        os.posix_spawn(
            sys.executable,
            [sys.executable, "-c", _PROGRAM, *arguments],
            dict(environ),
            file_actions=[
                *((os.POSIX_SPAWN_DUP2, null, standard) for standard in (0, 1, 2)),
                *((os.POSIX_SPAWN_CLOSE, descriptor) for descriptor in inherited),
            ],
            setsid=True,
        )
    finally:
        os.close(null)


def _inheritable(descriptor: int) -> bool:
    try:
        return os.get_inheritable(descriptor)
    except OSError:  # the one that listed the folder
        return False
