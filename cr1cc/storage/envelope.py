"""How a value lies in the local store and in packs: checksummed, bound to its name.

    magic "CR1" · schema · form · 16 bytes blake2b(name, payload) · payload

`form` says whether the payload is plain or compressed by zlib. The checksum covers
the uncompressed payload and the name, so an entry under a wrong name is no entry.
"""

from __future__ import annotations

import hashlib
import zlib

from cr1cc.storage.keys import SCHEMA

_HEAD = b"CR1" + bytes([SCHEMA])
_PLAIN, _ZLIB = b"\0", b"\1"
_DIGEST = 16
_START = len(_HEAD) + 1 + _DIGEST
_WORTH_COMPRESSING = 256  # bytes
_LARGEST = 64 << 20  # bytes of payload; more can only be an attempt to fill the memory


def seal(name: str, payload: bytes) -> bytes:
    """The bytes to store under `name`."""
    form, body = _PLAIN, payload
    if len(payload) >= _WORTH_COMPRESSING:
        form, body = _ZLIB, zlib.compress(payload, 6)
    return _HEAD + form + _digest(name, payload) + body


def unseal(name: str, data: object) -> bytes | None:
    """The payload that was stored under `name`, None if that is not what `data` is."""
    if not isinstance(data, bytes) or len(data) < _START or not data.startswith(_HEAD):
        return None
    form, body = data[len(_HEAD) : len(_HEAD) + 1], data[_START:]
    if form == _ZLIB:
        unpacker = zlib.decompressobj()
        try:
            body = unpacker.decompress(body, _LARGEST)
        except zlib.error:
            return None
        if not unpacker.eof or unpacker.unused_data:
            return None
    elif form != _PLAIN:
        return None
    return body if _digest(name, body) == data[len(_HEAD) + 1 : _START] else None


def _digest(name: str, payload: bytes) -> bytes:
    return hashlib.blake2b(name.encode() + b"\0" + payload, digest_size=_DIGEST).digest()
