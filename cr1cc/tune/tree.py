"""The files that builds write, kept by content, so that two builds can run in turn."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterable, Mapping

from cr1cc.util.atomic import replaced

_IGNORED = {".git", ".hg", ".svn", "__pycache__"}

State = Mapping[str, str]  # by path, the digest of what the file holds
_Stamp = tuple[int, int, int]


class Tree:
    """The regular files under `folder`; copies of their contents lie in `store`."""

    def __init__(self, folder: str, store: str, ignored: Iterable[str]) -> None:
        self.folder = folder
        self.store = store
        self.ignored = set(ignored)  # paths of files
        self.managed: list[str] = []
        self._known: dict[str, tuple[_Stamp, str]] = {}

    def open(self) -> None:
        """Make the store, unless it is there. Raises OSError."""
        os.makedirs(self.store, exist_ok=True)

    def stamps(self) -> dict[str, _Stamp]:
        """What shows that a file was written, of every file."""
        found = {}
        for directory, folders, files in os.walk(self.folder):
            folders[:] = [name for name in folders if name not in _IGNORED]
            for name in files:
                path = os.path.join(directory, name)
                if path not in self.ignored and (stamp := _stamp(path)) is not None:
                    found[path] = stamp
        return found

    def manage(self, before: Mapping[str, _Stamp], besides: Iterable[str]) -> None:
        """From now on the files that were written since `before`, and those in `besides`, are
        what a state consists of."""
        after = self.stamps()
        written = {path for path, stamp in after.items() if before.get(path) != stamp}
        self.managed = sorted(written | {path for path in besides if os.path.isfile(path)})

    def state(self) -> State:
        """What the managed files hold now; their contents are kept."""
        return {path: digest for path in self.managed if (digest := self._keep(path))}

    def activate(self, state: State) -> None:
        """Make the managed files what they were in `state`. Raises OSError.

        What is replaced looks freshly written, in the order in which it was: a build system
        sees that a library is newer than the tests that were linked with another one.
        """
        current = self.state()
        changed = [path for path, digest in state.items() if current.get(path) != digest]
        for path in sorted(changed, key=lambda path: _written(self._blob(state[path]))):
            blob = self._blob(state[path])
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with replaced(path) as temporary:
                shutil.copy(blob, temporary)
                now = time.time_ns()
                os.utime(temporary, ns=(now, now))
        for path in current.keys() - state.keys():
            os.unlink(path)

    def remove(self) -> None:
        """Forget all contents."""
        shutil.rmtree(self.store, ignore_errors=True)

    def _keep(self, path: str) -> str:
        stamp = _stamp(path)
        if stamp is None:
            return ""
        known = self._known.get(path)
        if known is not None and known[0] == stamp:
            return known[1]
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
        mode = os.stat(path).st_mode & 0o777
        digest = f"{digest}-{mode:o}"
        blob = self._blob(digest)
        if not os.path.exists(blob):
            with replaced(blob) as temporary:
                shutil.copy2(path, temporary)
        self._known[path] = stamp, digest
        return digest

    def _blob(self, digest: str) -> str:
        return os.path.join(self.store, digest)


def _written(path: str) -> int:
    return os.stat(path).st_mtime_ns


def _stamp(path: str) -> _Stamp | None:
    try:
        status = os.lstat(path)
    except OSError:
        return None
    if not os.path.isfile(path) or os.path.islink(path):
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
