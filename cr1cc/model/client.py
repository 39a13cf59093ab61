"""The compile's end of a model: ask the resident process, or a process of our own.

Both give the same answers. What the end of a resident worker means cannot be known from
here, so the request is made again of a process of our own; if that one ends or is silent,
the model cannot be used.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Mapping
from typing import Any

from cr1cc.errors import ModelError, ModelSilenceError
from cr1cc.model.question import AnyQuestion, Sample
from cr1cc.util import process
from cr1cc.util.messages import Resident, read_message, write_message

_PROGRAM = "from cr1cc.model.server import main; main()"
_SILENCE = 60  # wall seconds without an answer that are too many
_ENDED = "ended"


class _LostError(Exception):
    """The other end is gone or silent; the text says which."""


class _Link:
    """A way to a model process, which is a child of ours if it has a `pid`."""

    def __init__(self, requests: int, replies: int, pid: int = 0) -> None:
        self._requests = requests
        self._replies = replies
        self._pid = pid

    def request(self, patience: int, name: str, *arguments: object) -> Any:
        """Raises _LostError, and ModelError for what was refused."""
        try:
            write_message(self._requests, (name, arguments))
            if not select.select([self._replies], [], [], patience)[0]:
                raise _LostError(f"does not answer within {patience} seconds")
            reply = read_message(self._replies)
        except OSError:
            raise _LostError(_ENDED) from None
        if reply is None:
            raise _LostError(_ENDED)
        if isinstance(reply, ModelError):
            raise reply
        return reply

    def close(self) -> str:
        """End the process, whatever it is doing; how it ended if it had by itself."""
        for descriptor in {self._requests, self._replies}:
            os.close(descriptor)
        if not self._pid:
            return ""
        os.kill(self._pid, signal.SIGKILL)  # does nothing to one that is ending
        _, status = os.waitpid(self._pid, 0)
        code = os.waitstatus_to_exitcode(status)
        return f" by signal {-code}" if code < 0 else f" with status {code}"


class ModelClient:
    """A model, wherever it runs. A context manager; a process starts on first use."""

    def __init__(
        self, path: str, environ: Mapping[str, str], resident: Resident | None = None
    ) -> None:
        """`resident`: where a worker comes from as long as it gives any."""
        self.path = path
        self.environ = environ
        self.resident = resident
        self._link: _Link | None = None
        self._is_own = False

    def facts(self) -> dict[str, str]:
        """What the model says of itself. Raises ModelError."""
        facts: dict[str, str] = self._request(_SILENCE, "facts")
        return facts

    def sample(self, question: AnyQuestion) -> list[Sample]:
        """Distinct ways to go on, most probable first. Raises ModelError, and its kind
        ModelSilenceError if there is no answer in time."""
        samples: list[Sample] = self._request(question.patience, "sample", question)
        return samples

    def _request(self, patience: int, name: str, *arguments: object) -> Any:
        try:
            if self._link is None:
                self._link = self._open()
            return self._link.request(patience, name, *arguments)
        except _LostError as error:
            ended = self.close()
            if self._is_own:
                if str(error) == _ENDED:
                    raise ModelError(f"the model process {error}{ended}") from None
                raise ModelSilenceError(f"the model process {error}") from None
            assert self.resident is not None
            self.resident.lost(f"the resident model process {error}")
            return self._request(patience, name, *arguments)

    def _open(self) -> _Link:
        connection = self.resident.connect() if self.resident else None
        self._is_own = connection is None
        return _spawn(self.path, self.environ) if connection is None else _Link(*[connection] * 2)

    def close(self) -> str:
        link, self._link = self._link, None
        return link.close() if link else ""

    def __enter__(self) -> ModelClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _spawn(path: str, environ: Mapping[str, str]) -> _Link:
    """Raises ModelError if no process can be started."""
    request_read, requests = os.pipe()
    replies, reply_write = os.pipe()
    try:
        pid = process.start_python(
            _PROGRAM,
            [path, str(os.getpid())],
            environ,
            stdin=request_read,
            stdout=reply_write,
        )
    except OSError as error:
        os.close(requests)
        os.close(replies)
        raise ModelError(f"the model process cannot be started: {error.strerror}") from None
    finally:
        os.close(request_read)
        os.close(reply_write)
    return _Link(requests, replies, pid)
