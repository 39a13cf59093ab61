"""Read what diskcache has written, without loading diskcache.

A rebuild in which everything is known only reads, and `import diskcache` costs
more than all of its lookups. So this speaks SQL to diskcache's own table
(`Cache(key, raw, access_time, value)`, unchanged since diskcache 4).
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence

DATABASE = "cache.db"

_PATIENCE = 1.0  # seconds to wait for a lock; readers meet one only while a log is recovered
_BATCH = 500  # names in one query; SQLite takes at least 999 parameters
_ESCAPED = {*b"%?#", *range(0x80, 0x100)}  # in a path that is given as a URI
_FRESH = 3600.0  # seconds in which a second use of an entry is not noted again


class DamagedError(Exception):
    """The database is not one, or not diskcache's."""


class Reader:
    """An open database. Methods raise DamagedError and sqlite3.OperationalError."""

    def __init__(self, directory: str) -> None:
        """Raises FileNotFoundError if there is no database yet."""
        path = os.path.join(directory, DATABASE)
        os.stat(path)
        with _translated():
            self._connection = _open(path)

    def close(self) -> None:
        """Give the connection back."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()

    def get(self, names: Sequence[str]) -> dict[str, bytes]:
        """The values under those names, as they lie there; absent ones are left out."""
        found: dict[str, bytes] = {}
        stale: list[str] = []
        limit = time.time() - _FRESH
        with _translated():
            for start in range(0, len(names), _BATCH):
                batch = names[start : start + _BATCH]
                query = (
                    "SELECT key, value, access_time FROM Cache WHERE raw = 1 AND key IN "
                    f"({','.join('?' * len(batch))})"
                )
                for name, value, used in self._connection.execute(query, batch):
                    found[name] = value if isinstance(value, bytes) else b""
                    if not isinstance(used, float) or used < limit:
                        stale.append(name)
        if stale:
            self._note_use(stale)
        return found

    def rows(self) -> Iterator[tuple[str, bytes]]:
        """All names and values."""
        with _translated():
            query = "SELECT key, value FROM Cache WHERE raw = 1"
            for name, value in self._connection.execute(query):
                if isinstance(name, str):
                    yield name, value if isinstance(value, bytes) else b""

    def check(self) -> str:
        """SQLite's own word on the file: "ok", or what is wrong."""
        with _translated():
            return str(self._connection.execute("PRAGMA quick_check(1)").fetchone()[0])

    def _note_use(self, names: list[str]) -> None:
        """For the eviction of what was used least recently. Not worth waiting or failing."""
        with contextlib.suppress(sqlite3.Error):
            self._connection.execute("PRAGMA busy_timeout = 0")
            self._connection.execute("BEGIN IMMEDIATE")
            update = "UPDATE Cache SET access_time = ? WHERE raw = 1 AND key = ?"
            now = time.time()
            self._connection.executemany(update, [(now, name) for name in names])
            self._connection.execute("COMMIT")


def _open(path: str) -> sqlite3.Connection:
    escaped = "".join(
        f"%{byte:02x}" if byte in _ESCAPED else chr(byte) for byte in os.fsencode(path)
    )
    try:
        return _connect(f"file:{escaped}?mode=rw")
    except sqlite3.OperationalError:
        # A log beside the database cannot be made in a directory that is read-only.
        # There nobody writes, so the file may be read as it is.
        if os.access(os.path.dirname(path), os.W_OK):
            raise
        return _connect(f"file:{escaped}?immutable=1")


def _connect(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, timeout=_PATIENCE, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if "no such" in str(error):
            raise DamagedError(str(error)) from error
        raise
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise DamagedError(str(error)) from error
