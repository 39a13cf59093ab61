"""The local store: bytes by name in diskcache, whatever state its files are in.

The only module that imports diskcache, and only when something is written:
lookups go through `lookup`. Writers take turns by a lock file, so they never
wait for each other inside SQLite. Nothing here raises.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from cr1cc.storage.lookup import DATABASE, DamagedError, Reader

LOCK = "lock"
ASIDE = f"{DATABASE}.damaged"  # the last database that had to be replaced

_PATIENCE = 2.0  # seconds to wait for other writers

_SETTINGS = {
    "cull_limit": 0,  # `cull` once after a batch instead of a little with every value
    "eviction_policy": "least-recently-used",
    "sqlite_journal_mode": "wal",
    # After a power failure a cache may be damaged (it is then replaced), but never
    # does a compile wait for a disk.
    "sqlite_synchronous": 0,
    "sqlite_mmap_size": 0,  # a database cut short under a mapping would be a SIGBUS
    "statistics": 0,
    "tag_index": 0,
}


class LocalStore:
    """Values by name in `directory`, not much more than `size_limit` bytes of them.

    `problems` counts by reason what could not be done.
    """

    def __init__(self, directory: str, size_limit: int) -> None:
        self.directory = directory
        self.size_limit = size_limit
        self.problems: dict[str, int] = {}
        self._reader: Reader | None = None
        self._absent = False

    def close(self) -> None:
        """Close the files. A later call opens them again."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def get(self, names: Sequence[str]) -> dict[str, bytes]:
        """The values under those names; empty ones stand for what is no value."""
        found: dict[str, bytes] = {}
        with self._tolerant():
            if (reader := self._open()) is not None:
                found = reader.get(names)
        return found

    def put(self, items: Mapping[str, bytes]) -> bool:
        """Store all of `items` or none; says whether they are stored."""
        stored = False
        with self._tolerant(), self._writing() as cache:
            with cache.transact():
                for name, value in items.items():
                    cache.set(name, value)
            stored = True
            self._absent = False
            cache.cull()
        return stored

    def remove(self, names: Iterable[str]) -> None:
        """Forget what is stored under those names."""
        with self._tolerant(), self._writing() as cache, cache.transact():
            for name in names:
                cache.delete(name)

    def clear(self) -> None:
        """Remove all values, and what is left of a database that was damaged."""
        with self._tolerant(), self._writing() as cache:
            cache.clear()
        with self._tolerant(), contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(self.directory, ASIDE))

    def rows(self) -> Iterator[tuple[str, bytes]]:
        """All names and values."""
        with self._tolerant():
            if (reader := self._open()) is not None:
                yield from reader.rows()

    def check(self) -> str:
        """What SQLite says about the file: "ok", or what is wrong with it."""
        word = ""
        with self._tolerant():
            reader = self._open()
            word = reader.check() if reader is not None else "ok"
        return word or next(reversed(self.problems))

    def size(self) -> int:
        """Bytes that the database takes on disk."""
        total = 0
        for name in _files(DATABASE):
            with contextlib.suppress(OSError):
                total += os.stat(os.path.join(self.directory, name)).st_size
        return total

    def writable(self) -> bool:
        """Whether values could be stored."""
        before = sum(self.problems.values())
        with self._tolerant(), self._writing():
            pass
        return sum(self.problems.values()) == before

    def _open(self) -> Reader | None:
        if self._reader is None and not self._absent:
            try:
                self._reader = Reader(self.directory)
            except (FileNotFoundError, NotADirectoryError):
                self._absent = True
        return self._reader

    @contextlib.contextmanager
    def _tolerant(self) -> Iterator[None]:
        """Whatever goes wrong inside is counted; a damaged database is put aside."""
        try:
            yield
        except DamagedError:
            self._count("the database was damaged and replaced")
            self._put_aside()
        except Exception as error:  # the promise: whatever it is, the compile goes on
            self._count(_reason(error))

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Any]:
        with self._locked():
            import diskcache

            cache = None
            try:
                cache = _disk_cache(self.directory, self.size_limit)
                yield cache
            except (OSError, sqlite3.OperationalError):
                raise
            except diskcache.Timeout as error:
                raise TimeoutError("other writers hold the lock") from error
            except Exception as error:
                # Whatever diskcache makes of tables and settings that are not its own.
                raise DamagedError(str(error)) from error
            finally:
                if cache is not None:
                    with contextlib.suppress(sqlite3.Error):
                        cache.close()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        os.makedirs(self.directory, 0o700, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        lock = os.open(os.path.join(self.directory, LOCK), flags, 0o600)
        try:
            _wait_for(lock)
            yield
        finally:
            os.close(lock)

    def _put_aside(self) -> None:
        """Rename the damaged database away, so that the next writer makes a new one."""
        self.close()
        try:
            with self._locked():
                for name in _files(DATABASE)[1:]:
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(os.path.join(self.directory, name))
                database = os.path.join(self.directory, DATABASE)
                if _still_damaged(self.directory):
                    os.rename(database, os.path.join(self.directory, ASIDE))
        except OSError as error:
            self._count(_reason(error))

    def _count(self, problem: str) -> None:
        self.problems[problem] = self.problems.get(problem, 0) + 1


def _files(database: str) -> tuple[str, ...]:
    return database, f"{database}-wal", f"{database}-shm"


def _wait_for(lock: int) -> None:
    """Take the lock. Raises TimeoutError when others do not let go of it in time."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TimeoutError("other writers hold the lock") from None
            time.sleep(0.005)


def _disk_cache(directory: str, size_limit: int) -> Any:
    """A diskcache over `directory` that holds bytes in its database and nothing else."""
    import diskcache

    class BytesDisk(diskcache.Disk):  # type: ignore[misc, unused-ignore]
        """Keys are text, values are bytes in the table: no files, and no pickle.

        diskcache unpickles what a table says is a pickle, and deletes the files
        that a table names; a table may have been written by somebody else.
        """

        def __init__(self, directory: str, **_: object) -> None:
            super().__init__(directory, min_file_size=1 << 62)

        def put(self, key: str) -> tuple[str, bool]:
            return key, True

        def get(self, key: object, raw: object) -> object:
            return key

        def store(self, value: bytes, *_: object, **__: object) -> tuple[object, ...]:
            return 0, diskcache.core.MODE_RAW, None, sqlite3.Binary(value)

        def fetch(self, *_: object) -> bytes:
            return b""  # values are read by `lookup` only

        def remove(self, file_path: object) -> None:
            """There are no files."""

    class Cache(diskcache.Cache):  # type: ignore[misc, unused-ignore]
        # While it starts, diskcache waits 0 seconds in SQLite and then retries for a
        # minute. A compile has no minute: SQLite waits, and nothing is retried.
        _timeout = property(lambda self: _PATIENCE, lambda self, value: None)
        _sql_retry = property(lambda self: self._sql)

    mask = os.umask(0o077)
    try:
        return Cache(directory, disk=BytesDisk, size_limit=size_limit, **_SETTINGS)
    finally:
        os.umask(mask)


def _still_damaged(directory: str) -> bool:
    """Whether the database is bad now: another process may have replaced it meanwhile."""
    try:
        reader = Reader(directory)
        try:
            if reader.check() != "ok":
                return True
            reader.get(["probe"])
        finally:
            reader.close()
    except FileNotFoundError:
        return False
    except (DamagedError, sqlite3.Error):
        return True
    # Tables that SQLite likes and diskcache does not.
    try:
        _disk_cache(directory, 1 << 30).close()
    except OSError:
        return False
    except Exception:
        return True
    return False


_REASONS = (
    ("full", "the disk is full"),
    ("too large", "the disk is full"),
    ("readonly", "it cannot be written"),
    ("read-only", "it cannot be written"),
    ("unable to open", "it cannot be opened"),
    ("locked", "it is locked by others"),
    ("lock", "it is locked by others"),
)


def _reason(error: Exception) -> str:
    """One of few sentences for the counters, not a text with paths in it."""
    text = (str(getattr(error, "strerror", "") or "") or str(error)).lower()
    for word, reason in _REASONS:
        if word in text:
            return reason
    if isinstance(error, PermissionError):
        return "it cannot be written"
    return text or type(error).__name__
