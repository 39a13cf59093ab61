"""Which resident processes there are: for `cr1 daemon` and `cr1 doctor`."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass

from cr1cc.errors import ResidentError
from cr1cc.resident.client import connect
from cr1cc.resident.place import Place, private_folder

_PATIENCE = 5.0  # seconds for a process to end


@dataclass(frozen=True)
class Running:
    """A resident process that holds its lock."""

    place: Place
    pid: int  # 0: it has just been started and has not said it yet
    kind: str = ""
    path: str = ""  # of what it has loaded


def running(environ: Mapping[str, str]) -> list[Running]:
    """All of this user's, of other versions too. Raises ResidentError."""
    folder = private_folder(environ)
    names = sorted(name[:-5] for name in os.listdir(folder) if name.endswith(".lock"))
    places = [Place(os.path.join(folder, name)) for name in names]
    return [_running(place) for place in places if _held(place)]


def answers(process: Running) -> bool:
    """Whether it gives a worker as soon as a compile would wait for one."""
    try:
        os.close(connect(process.place))
    except (OSError, ResidentError):
        return False
    return True


def stop(process: Running) -> bool:
    """End it and its workers; whether it is gone within a few seconds."""
    deadline = time.monotonic() + _PATIENCE
    while _held(process.place):
        if time.monotonic() > deadline:
            return False
        if pid := _running(process.place).pid:  # 0 while it is being started
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        time.sleep(0.02)
    return True


def memory(pid: int) -> int:
    """Resident bytes of a process that other processes do not share, 0 if it is gone."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            rows = [line.split() for line in file]
    except OSError:
        return 0
    private = {"Private_Clean:", "Private_Dirty:"}
    return sum(int(row[1]) * 1024 for row in rows if row[0] in private)


def _held(place: Place) -> bool:
    try:
        lock = os.open(place.lock, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _running(place: Place) -> Running:
    """What the process that holds the lock has written into it."""
    with contextlib.suppress(OSError, ValueError):
        with open(place.lock, encoding="utf-8", errors="surrogateescape") as file:
            pid, kind, path = file.read().rstrip("\n").split(" ", 2)
        return Running(place, int(pid), kind, path)
    return Running(place, 0)
