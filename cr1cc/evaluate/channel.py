"""The parent's end of a worker: fork, requests, replies, and what a death means."""

from __future__ import annotations

import os
import pickle
import select
import signal
import struct
from collections.abc import Iterator
from typing import Any

from cr1cc.errors import Cr1Error, EvaluationError
from cr1cc.evaluate.limits import OUT_OF_MEMORY, Limits, enter_worker, failure_of
from cr1cc.evaluate.worker import Subject, Worker
from cr1cc.llvm.library import Library
from cr1cc.records import Failure

_LENGTH = struct.Struct("<Q")
_DONE = "done"
_SILENCE = 15 * 60  # wall seconds without a word: a worker that sleeps uses no processor time


class WorkerDiedError(EvaluationError):
    """The worker ended in the middle of a request."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"the worker {failure.value}")
        self.failure = failure


class Channel:
    """A forked worker and the pipes to it. It ends with `close` or with its parent."""

    def __init__(self, library: Library, subject: Subject, limits: Limits) -> None:
        self.limits = limits
        request_read, self._requests = os.pipe()
        self._replies, reply_write = os.pipe()
        parent = os.getpid()
        self._pid = os.fork()
        if self._pid == 0:
            _serve(library, subject, limits, request_read, reply_write, parent)
        os.close(request_read)
        os.close(reply_write)

    def request(self, name: str, *arguments: Any) -> Iterator[Any]:
        """Send one request; yields its replies. Raises WorkerDiedError, EvaluationError."""
        try:
            _write(self._requests, (name, arguments))
        except BrokenPipeError:
            raise WorkerDiedError(self._reap()) from None
        while True:
            reply = self._read_reply()
            if reply == _DONE:
                return
            if isinstance(reply, Cr1Error):
                raise reply
            yield reply

    def close(self) -> None:
        """End the worker, whatever it is doing."""
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            self._reap()

    def _read_reply(self) -> Any:
        if not select.select([self._replies], [], [], _SILENCE)[0]:
            os.kill(self._pid, signal.SIGKILL)
            self._reap()
            raise WorkerDiedError(Failure.TIMED_OUT)
        message = _read(self._replies)
        if message is None:
            raise WorkerDiedError(self._reap())
        return message

    def _reap(self) -> Failure:
        if not self._pid:
            return Failure.CRASHED
        _, status, usage = os.wait4(self._pid, 0)
        self._pid = 0
        os.close(self._requests)
        os.close(self._replies)
        return failure_of(status, usage.ru_maxrss * 1024, self.limits)


def _serve(
    library: Library, subject: Subject, limits: Limits, requests: int, replies: int, parent: int
) -> None:
    """The whole life of the child. Never returns into the parent's code."""
    status = 1
    try:
        enter_worker(limits, parent)
        _close_others(requests, replies)
        worker: Worker | None = None
        while (message := _read(requests)) is not None:
            name, arguments = message
            try:
                if worker is None:
                    worker = Worker(library, subject, limits)
                getattr(worker, name)(lambda reply: _write(replies, reply), *arguments)
                _write(replies, _DONE)
            except Cr1Error as error:
                _write(replies, EvaluationError(str(error)))
            except MemoryError:  # nothing can be trusted to go on: the candidate pays
                os._exit(OUT_OF_MEMORY)
            except Exception as error:  # a defect of ours: it costs this request only
                _write(replies, EvaluationError(f"{type(error).__name__}: {error}"))
        status = 0
    except BaseException:  # the parent reads the end of the pipe as a crash
        status = 70
    finally:
        os._exit(status)


def _close_others(*keep: int) -> None:
    """Keep no descriptor of the parent: a pipe of the build must end when the parent does."""
    low = 3
    for descriptor in sorted(keep):
        os.closerange(low, descriptor)
        low = descriptor + 1
    os.closerange(low, 1 << 16)


def _write(descriptor: int, message: Any) -> None:
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    view = memoryview(_LENGTH.pack(len(data)) + data)
    while view:
        view = view[os.write(descriptor, view) :]


def _read(descriptor: int) -> Any:
    """One message, None at the end of the pipe. Both ends are the same program."""
    header = _read_exactly(descriptor, _LENGTH.size)
    if header is None:
        return None
    data = _read_exactly(descriptor, _LENGTH.unpack(header)[0])
    return None if data is None else pickle.loads(data)


def _read_exactly(descriptor: int, length: int) -> bytes | None:
    chunks = bytearray()
    while len(chunks) < length:
        chunk = os.read(descriptor, length - len(chunks))
        if not chunk:
            return None
        chunks += chunk
    return bytes(chunks)
