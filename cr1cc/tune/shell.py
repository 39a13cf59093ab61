"""The user's own commands: build, test, benchmark; timed, limited, ended as a whole."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.])")
_GRACE = 5  # seconds between being asked to end and being ended
_TAIL = 2000  # bytes of output that are kept for a message


@dataclass(frozen=True)
class Ran:
    """How a command ended. `seconds` are those of processors, of all its processes that were
    waited for; `wall` is what passed."""

    status: int
    seconds: float
    wall: float
    output: str  # digest of standard output
    words: str  # the last line that it wrote, for messages
    number: float | None  # the last number on standard output

    @property
    def ending(self) -> str:
        """How it ended, for people."""
        how = f"status {self.status}" if self.status >= 0 else f"signal {-self.status}"
        return f"{how}{': ' if self.words else ''}{self.words}"


class Shell:
    """Runs commands of the user in a folder."""

    def __init__(self, folder: str, environ: Mapping[str, str]) -> None:
        self.folder = folder
        self.environ = dict(environ)

    def run(
        self,
        command: str,
        *,
        processor: int = 0,
        wall: float = 0.0,
        environ: Mapping[str, str] = MappingProxyType({}),
    ) -> Ran:
        """Run `command` by /bin/sh. `processor` seconds are what each of its processes may
        take, `wall` seconds what may pass; 0: no limit. Standard input is empty."""
        limited = f"ulimit -t {processor}\n{command}" if processor else command
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            started = time.monotonic()
            child = subprocess.Popen(
                ["/bin/sh", "-c", limited], cwd=self.folder, env={**self.environ, **environ},
                stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True,
            )  # fmt: skip
            with _ended(child):
                descriptor = os.pidfd_open(child.pid)
                try:
                    select.select([descriptor], [], [], wall or None)
                finally:
                    os.close(descriptor)
                passed = time.monotonic() - started
                if wall and passed >= wall:
                    os.killpg(child.pid, signal.SIGKILL)
                _, status, usage = os.wait4(child.pid, 0)
                child.returncode = os.waitstatus_to_exitcode(status)
            return Ran(
                child.returncode, usage.ru_utime + usage.ru_stime, passed,
                _digest(out.fileno()), _last_line(err.fileno()) or _last_line(out.fileno()),
                _last_number(out.fileno()),
            )  # fmt: skip


@contextlib.contextmanager
def _ended(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """Whatever happens, nothing that the command started goes on."""
    try:
        yield
    finally:
        if child.returncode is None:  # interrupted: it gets time to remove what is half-written
            _signal(child.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_GRACE)
        _signal(child.pid, signal.SIGKILL)
        child.wait()


def _signal(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _digest(descriptor: int) -> str:
    found = hashlib.blake2b(digest_size=16)
    at = 0
    while block := os.pread(descriptor, 1 << 20, at):
        found.update(block)
        at += len(block)
    return found.hexdigest()


def _last_line(descriptor: int) -> str:
    lines = [line.strip() for line in _end(descriptor).splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""


def _last_number(descriptor: int) -> float | None:
    numbers = _NUMBER.findall(_end(descriptor))
    return float(numbers[-1]) if numbers else None


def _end(descriptor: int) -> str:
    size = os.fstat(descriptor).st_size
    return os.pread(descriptor, _TAIL, max(0, size - _TAIL)).decode(errors="replace")
