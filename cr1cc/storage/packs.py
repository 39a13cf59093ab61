"""Portable decision packs: sorted, checksummed files that are looked up without parsing.

    magic "CR1PACK" · version        8 bytes
    number of entries                4 bytes, big endian like all numbers here
    length of the blob               8
    digest                          32  blake2b of index and blob
    check                            8  blake2b of the header up to here
    index: per entry, sorted        33  shelf code (1), key (20), offset in the blob (8), length (4)
    blob: the entries as in the local store (`envelope`)

A lookup reads the header and the index; whether an entry is intact, its own
checksum says, so the whole file is hashed only by `verify`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
from bisect import bisect_left
from collections.abc import Iterator, Mapping

from cr1cc.errors import StorageError
from cr1cc.storage import envelope
from cr1cc.storage.keys import KEY_BYTES, Shelf, split_name
from cr1cc.util.atomic import replace_file

SUFFIX = ".pack"

_MAGIC = b"CR1PACK\x01"
_HEADER = struct.Struct(">8sIQ32s")
_CHECK = 8
_START = _HEADER.size + _CHECK
_ROW = struct.Struct(f">B{KEY_BYTES}sQI")
_NAME = 1 + KEY_BYTES  # bytes of a row that it is sorted by


class Pack:
    """One pack file, open for lookups. Use as a context manager or `close` it."""

    def __init__(self, path: str) -> None:
        """Raises StorageError if the file cannot be read or is no intact pack."""
        self.path = path
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise StorageError(f"{path}: {error.strerror}") from error
        try:
            self._read_head()
        except (OSError, struct.error) as error:
            self.close()
            raise StorageError(f"{path}: cannot be read as a pack") from error
        except StorageError:
            self.close()
            raise

    def __enter__(self) -> Pack:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back."""
        with contextlib.suppress(OSError):
            os.close(self._file)
        self._file = -1

    def __len__(self) -> int:
        return self._count

    def find(self, name: str) -> bytes | None:
        """The payload stored under `name`; None if there is none.

        Raises StorageError if the entry is damaged.
        """
        wanted = _row_name(name)
        index = self._index
        row = bisect_left(
            range(self._count),
            wanted,
            key=lambda i: index[i * _ROW.size : i * _ROW.size + _NAME],
        )
        if row == self._count or not index.startswith(wanted, row * _ROW.size):
            return None
        return self._payload(name, row)

    def items(self) -> Iterator[tuple[str, bytes]]:
        """All names and payloads, sorted. Raises StorageError at a damaged entry."""
        shelves = {shelf.code: shelf for shelf in Shelf}
        for row in range(self._count):
            code, key, _, _ = _ROW.unpack_from(self._index, row * _ROW.size)
            if code not in shelves:
                raise StorageError(f"{self.path}: entry {row} is of an unknown kind")
            name = shelves[code].name_of(key.hex())
            yield name, self._payload(name, row)

    def verify(self) -> None:
        """Read everything. Raises StorageError at the first thing that is wrong."""
        total = hashlib.blake2b(self._index, digest_size=32)
        offset = self._blob
        while chunk := self._read(offset, 1 << 20):
            total.update(chunk)
            offset += len(chunk)
        if total.hexdigest() != self.digest:
            raise StorageError(f"{self.path}: its digest does not match its contents")
        names = [name for name, _ in self.items()]
        if names != sorted(set(names), key=_row_name):
            raise StorageError(f"{self.path}: its entries are not sorted")

    def _read_head(self) -> None:
        head = self._read(0, _START)
        magic, count, length, digest = _HEADER.unpack_from(head)
        self._count: int = count
        if magic != _MAGIC or _check(head[: _HEADER.size]) != head[_HEADER.size :]:
            raise StorageError(f"{self.path}: not a pack of this version")
        self.digest: str = digest.hex()
        self._blob = _START + self._count * _ROW.size
        if os.fstat(self._file).st_size != self._blob + length:
            raise StorageError(f"{self.path}: has not the length that it says")
        self._index = self._read(_START, self._blob - _START)

    def _payload(self, name: str, row: int) -> bytes:
        _, _, offset, length = _ROW.unpack_from(self._index, row * _ROW.size)
        try:
            payload = envelope.unseal(name, self._read(self._blob + offset, length))
        except (OSError, OverflowError, MemoryError) as error:
            raise StorageError(f"{self.path}: {name} cannot be read") from error
        if payload is None:
            raise StorageError(f"{self.path}: {name} is damaged")
        return payload

    def _read(self, offset: int, length: int) -> bytes:
        parts = []
        while length > 0 and (part := os.pread(self._file, min(length, 1 << 26), offset)):
            parts.append(part)
            offset += len(part)
            length -= len(part)
        return b"".join(parts)


class PackSet:
    """All packs of one folder, looked up as one. Never raises."""

    def __init__(self, directory: str | None) -> None:
        """`directory` None: no packs at all, and an empty digest."""
        self.packs: list[Pack] = []
        self.problems: dict[str, int] = {}
        for path in pack_files(directory) if directory is not None else ():
            try:
                self.packs.append(Pack(path))
            except StorageError:
                self._count("a pack is damaged")
        # A pack without entries decides nothing, so it must not change any key.
        digests = sorted(pack.digest for pack in self.packs if len(pack))
        text = "".join(digests).encode()
        self.digest = hashlib.blake2b(text, digest_size=16).hexdigest() if digests else ""

    def find(self, name: str) -> bytes | None:
        """The payload of the first pack that has an intact entry of that name."""
        for pack in self.packs:
            try:
                if (payload := pack.find(name)) is not None:
                    return payload
            except StorageError:
                self._count("an entry of a pack is damaged")
        return None

    def close(self) -> None:
        """Close all files."""
        for pack in self.packs:
            pack.close()
        self.packs = []

    def _count(self, problem: str) -> None:
        self.problems[problem] = self.problems.get(problem, 0) + 1


def pack_files(directory: str) -> list[str]:
    """The paths of all packs in a folder, sorted; none if it cannot be read."""
    try:
        names = sorted(name for name in os.listdir(directory) if name.endswith(SUFFIX))
    except OSError:
        return []
    return [os.path.join(directory, name) for name in names]


def write_pack(path: str, entries: Mapping[str, bytes]) -> None:
    """Write a pack of `entries` (payloads by name). Equal entries give equal bytes.

    Raises OSError, and ValueError for something that is not a name.
    """
    index, blob = bytearray(), bytearray()
    for name in sorted(entries, key=_row_name):
        data = envelope.seal(name, entries[name])
        row = _row_name(name)
        index += _ROW.pack(row[0], row[1:], len(blob), len(data))
        blob += data
    digest = hashlib.blake2b(index + blob, digest_size=32).digest()
    head = _HEADER.pack(_MAGIC, len(entries), len(blob), digest)
    replace_file(path, head + _check(head) + bytes(index) + bytes(blob))


def _row_name(name: str) -> bytes:
    shelf, key = split_name(name)
    return bytes([shelf.code]) + bytes.fromhex(key)


def _check(head: bytes) -> bytes:
    return hashlib.blake2b(head, digest_size=_CHECK).digest()
