"""Which resident processes there are: for `cr1 daemon` and `cr1 doctor`."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass

from cr1cc.resident.place import Place, private_folder

_PATIENCE = 5.0  # seconds for a process to end


@dataclass(frozen=True)
class Running:
    """A resident process that holds its lock."""

    place: Place
    pid: int  # 0: it has just been started and has not said it yet


def running(environ: Mapping[str, str]) -> list[Running]:
    """All of this user's, of other versions too. Raises ResidentError."""
    folder = private_folder(environ)
    names = sorted(name[:-5] for name in os.listdir(folder) if name.endswith(".lock"))
    places = [Place(os.path.join(folder, name)) for name in names]
    return [Running(place, _pid(place)) for place in places if _held(place)]


def stop(process: Running) -> bool:
    """End it and its workers; whether it is gone within a few seconds."""
    deadline = time.monotonic() + _PATIENCE
    while _held(process.place):
        if time.monotonic() > deadline:
            return False
        if pid := _pid(process.place):  # 0 while it is being started
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


def _pid(place: Place) -> int:
    with contextlib.suppress(OSError, ValueError), open(place.lock, encoding="ascii") as file:
        return int(file.read())
    return 0
