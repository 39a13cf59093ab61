"""Where a resident process is met: a private folder, and names that carry all versions.

    FOLDER/NAME.sock   where it listens
    FOLDER/NAME.lock   held by it as long as it lives; its process id is in there
    FOLDER/NAME.log    what it had to say

NAME is a digest of this program's code and of what the process has loaded, so a compile
never talks to a resident process that would do anything else than it does itself.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cr1cc.errors import ResidentError
from cr1cc.util.remembered import stamp

_LONGEST = 100  # bytes of a socket's path: sockaddr_un has 108
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@dataclass(frozen=True)
class Place:
    """One meeting point. `base` is the path without ending."""

    base: str

    @property
    def socket(self) -> str:
        return self.base + ".sock"

    @property
    def lock(self) -> str:
        return self.base + ".lock"

    @property
    def log(self) -> str:
        return self.base + ".log"


@dataclass(frozen=True)
class Service:
    """What a resident process is to have loaded."""

    kind: str  # a row in `kinds.KINDS`
    path: str
    files: tuple[str, ...]  # that its answers depend on


def place_for(service: Service, environ: Mapping[str, str]) -> Place:
    """Raises ResidentError if the folder is not private, OSError if a file is missing."""
    versions = (service.kind, service.path, _code(), *map(stamp, service.files))
    name = hashlib.blake2b(
        repr(versions).encode(errors="surrogateescape"), digest_size=8
    ).hexdigest()
    return Place(os.path.join(private_folder(environ), name))


def private_folder(environ: Mapping[str, str]) -> str:
    """A folder that only this user can enter; made if it is not there.

    Raises ResidentError if it belongs to another user, is open to others or no folder.
    """
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(runtime) and len(runtime) < _LONGEST - 40:
        folder = os.path.join(runtime, "cr1cc")
    else:
        folder = os.path.join("/tmp", f"cr1cc-{os.getuid()}")
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise ResidentError(f"{folder}: {error.strerror}") from None
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode):
        raise ResidentError(f"{folder}: not a folder")
    if found.st_uid != os.getuid():
        raise ResidentError(f"{folder}: belongs to another user")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise ResidentError(f"{folder}: open to other users")
    return folder


def _code() -> tuple[object, ...]:
    return (sys.version, *sorted(_files(_PACKAGE)))


def _files(folder: str) -> Iterator[tuple[str, int, int]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if entry.name != "__pycache__":
                    yield from _files(entry.path)
            elif entry.name.endswith(".py"):
                found = entry.stat()
                yield entry.path, found.st_size, found.st_mtime_ns
