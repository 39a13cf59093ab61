"""The resident process itself, started with the arguments KIND PATH BASE LOCK IDLE.

It loads what is at PATH once (`kinds.py`) and never uses it. Every connection gets a forked
worker that speaks the same protocol as one that a compile makes, over the socket. LOCK is a
descriptor that holds the lock of this place; IDLE are the seconds without a connection after
which it ends.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import struct
import sys
import threading
import time
from typing import Any

from cr1cc.errors import Cr1Error
from cr1cc.resident.kinds import KINDS, Kind
from cr1cc.resident.place import Place
from cr1cc.util.process import ENDING

READY = b"+"  # the first byte that a client gets, from its worker
_LOG_LIMIT = 1 << 20  # bytes
_TICK = 1.0  # seconds between two looks at what has ended

# A build starts one compile for each job and a compile has two workers at most: more
# connections than that are none of one machine's builds, and are turned away.
_WORKERS = 8 * (os.cpu_count() or 1)


class Server:
    """Accepts connections until nobody came for `idle` seconds, or a signal ends it."""

    def __init__(self, place: Place, kind: Kind, loaded: Any, idle: float) -> None:
        """Raises OSError if the socket cannot be made."""
        self.place = place
        self.kind = kind
        self.loaded = loaded
        self.idle = idle
        self.children: set[int] = set()
        self.served = 0
        fresh = f"{place.socket}.new"
        with contextlib.suppress(FileNotFoundError):  # of one that was killed
            os.unlink(fresh)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self.listener.bind(fresh)
        self.listener.listen(128)
        os.rename(fresh, place.socket)  # who sees it can connect

    def run(self) -> None:
        last = time.monotonic()
        while self.children or time.monotonic() - last < self.idle:
            ready, _, _ = select.select([self.listener], [], [], _TICK)
            self._reap()
            if ready:
                last = time.monotonic()
                self._accept()
            elif self.children:
                last = time.monotonic()
        log(self.place, f"ends: idle, {self.served} workers served")

    def close(self) -> None:
        with contextlib.suppress(OSError):
            os.unlink(self.place.socket)

    def _accept(self) -> None:
        try:
            connection, _ = self.listener.accept()
        except OSError:
            return  # it went away again
        with connection:
            if _peer(connection) != os.getuid():
                log(self.place, "turned away: another user")
            elif len(self.children) >= _WORKERS:
                log(self.place, "turned away: too many workers")
            else:
                self._fork(connection)

    def _fork(self, connection: socket.socket) -> None:
        daemon = os.getpid()
        try:
            child = os.fork()
        except OSError as error:
            log(self.place, f"turned away: {error.strerror}")
            return
        if child == 0:
            try:
                for number in ENDING:
                    signal.signal(number, signal.SIG_DFL)
                self._work(connection.detach(), daemon)
            finally:
                os._exit(1)
        self.children.add(child)
        self.served += 1

    def _work(self, connection: int, daemon: int) -> None:
        """The life of one worker, which ends with the connection at the latest."""
        os.set_blocking(connection, True)
        os.write(connection, READY)
        threading.Thread(target=_end_with, args=(connection,), daemon=True).start()
        self.kind.work(self.loaded, connection, daemon)

    def _reap(self) -> None:
        for child in list(self.children):
            with contextlib.suppress(ChildProcessError):
                if os.waitpid(child, os.WNOHANG)[0] != child:
                    continue
            self.children.discard(child)


def log(place: Place, text: str) -> None:
    """One line, as far as the disk has room; the file is begun anew when it is long."""
    line = f"{time.strftime('%Y-%m-%d %H:%M:%S')} {os.getpid()} {text}\n".encode()
    with contextlib.suppress(OSError):
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(place.log, flags, 0o600)
        try:
            if os.fstat(descriptor).st_size > _LOG_LIMIT:
                os.ftruncate(descriptor, 0)
            os.write(descriptor, line)
        finally:
            os.close(descriptor)


def _end_with(connection: int) -> None:
    """A compile that ends leaves no worker behind, whatever that is doing."""
    poll = select.poll()
    poll.register(connection, select.POLLRDHUP)
    poll.poll()
    os._exit(0)


def _peer(connection: socket.socket) -> int:
    """The user id of the process at the other end."""
    size = struct.calcsize("3i")
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    return int(struct.unpack("3i", credentials)[1])


def main() -> None:
    kind, path, base, lock, idle = sys.argv[1:]
    os.set_inheritable(int(lock), False)
    os.chdir("/")  # no folder of a build is in use by us
    place = Place(base)
    try:
        loaded = KINDS[kind].load(path)
    except (Cr1Error, OSError) as error:
        log(place, f"cannot load {path}: {error}")
        sys.exit(1)
    server = Server(place, KINDS[kind], loaded, float(idle))

    def stop(number: int, _frame: object) -> None:
        log(place, f"ends: {signal.Signals(number).name}")
        server.close()
        os._exit(0)

    for number in ENDING:
        signal.signal(number, stop)
    gc.freeze()  # no worker has to collect what was loaded once, here
    os.pwrite(int(lock), f"{os.getpid()} {kind} {path}\n".encode(errors="surrogateescape"), 0)
    log(place, f"listens: {kind} {path}")
    try:
        server.run()
    finally:
        server.close()
