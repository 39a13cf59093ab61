"""The other end of a worker: requests, replies, and what a death means.

A worker is forked from this process, or from the resident process, which then is
at the other end of a socket. What a resident worker's end means cannot be known
from here, so such a request is asked again of a forked one.
"""

from __future__ import annotations

import os
import select
import signal
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

from cr1cc.errors import Cr1Error, EvaluationError
from cr1cc.evaluate.limits import OUT_OF_MEMORY, Limits, enter_worker, failure_of
from cr1cc.evaluate.worker import Subject, Worker
from cr1cc.llvm.library import Library
from cr1cc.records import Failure
from cr1cc.util.confine import anonymous, keep_only
from cr1cc.util.messages import read_message, write_message

_DONE = "done"
_SILENCE = 15 * 60  # wall seconds without a word: a worker that sleeps uses no processor time
_GRACE = 60.0  # the same for a resident worker, beyond the processor time of a candidate


class WorkerDiedError(EvaluationError):
    """The worker ended in the middle of a request."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"the worker {failure.value}")
        self.failure = failure


class LostError(EvaluationError):
    """The resident process, or its worker, ended or stopped in the middle of a request."""


class Channel(ABC):
    """What both kinds have in common."""

    def __init__(self, requests: int, replies: int, silence: float) -> None:
        """Descriptors, and the wall seconds without a word that are too many."""
        self._requests = requests
        self._replies = replies
        self._silence = silence

    @abstractmethod
    def close(self) -> None:
        """End the worker, whatever it is doing."""

    @abstractmethod
    def _ended(self) -> EvaluationError:
        """Clean up behind a worker that is gone; what that means."""

    @abstractmethod
    def _silent(self) -> EvaluationError:
        """The same for one that does not answer."""

    def request(self, name: str, *arguments: Any) -> Iterator[Any]:
        """Send one request; yields its replies.

        Raises WorkerDiedError or LostError, and EvaluationError for what was refused.
        """
        try:
            write_message(self._requests, (name, arguments))
        except (BrokenPipeError, ConnectionError):
            raise self._ended() from None
        while True:
            reply = self._read_reply()
            if reply == _DONE:
                return
            if isinstance(reply, Cr1Error):
                raise reply
            yield reply

    def _read_reply(self) -> Any:
        if not select.select([self._replies], [], [], self._silence)[0]:
            raise self._silent()
        try:
            message = read_message(self._replies)
        except ConnectionError:
            message = None
        if message is None:
            raise self._ended()
        return message


class Forked(Channel):
    """A worker forked from this process. It ends with `close` or with its parent."""

    def __init__(self, library: Library, subject: Subject, limits: Limits) -> None:
        library.load()  # once here, not in every worker
        self.limits = limits
        request_read, requests = os.pipe()
        replies, reply_write = os.pipe()
        super().__init__(requests, replies, _SILENCE)
        parent = os.getpid()
        self._inherited = anonymous()
        self._pid = os.fork()
        if self._pid == 0:
            serve(library, subject, limits, request_read, reply_write, parent)
        os.close(request_read)
        os.close(reply_write)

    def close(self) -> None:
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            self._reap()

    def _ended(self) -> EvaluationError:
        return WorkerDiedError(self._reap())

    def _silent(self) -> EvaluationError:
        self.close()
        return WorkerDiedError(Failure.TIMED_OUT)

    def _reap(self) -> Failure:
        if not self._pid:
            return Failure.CRASHED
        _, status, usage = os.wait4(self._pid, 0)
        self._pid = 0
        os.close(self._requests)
        os.close(self._replies)
        return failure_of(status, usage.ru_maxrss * 1024 - self._inherited, self.limits)


class Connected(Channel):
    """A worker that the resident process forked. It ends when the connection does."""

    def __init__(self, connection: int, subject: Subject, limits: Limits) -> None:
        """Raises LostError if it is gone already."""
        super().__init__(connection, connection, limits.cpu_seconds + _GRACE)
        try:
            write_message(connection, (subject, limits))
        except (BrokenPipeError, ConnectionError):
            raise self._ended() from None

    def close(self) -> None:
        if self._requests >= 0:
            os.close(self._requests)
            self._requests = self._replies = -1

    def _ended(self) -> EvaluationError:
        self.close()
        return LostError("the resident process is gone")

    def _silent(self) -> EvaluationError:
        self.close()
        return LostError("the resident process does not answer")


def serve(
    library: Library, subject: Subject, limits: Limits, requests: int, replies: int, parent: int
) -> None:
    """The whole life of the child. Never returns into the parent's code."""
    status = 1
    try:
        enter_worker(limits, parent)
        keep_only(requests, replies)
        worker: Worker | None = None
        while (message := read_message(requests)) is not None:
            name, arguments = message
            try:
                if worker is None:
                    worker = Worker(library, subject, limits)
                getattr(worker, name)(lambda reply: write_message(replies, reply), *arguments)
                write_message(replies, _DONE)
            except Cr1Error as error:
                write_message(replies, EvaluationError(str(error)))
            except MemoryError:  # nothing can be trusted to go on: the candidate pays
                os._exit(OUT_OF_MEMORY)
            except Exception as error:  # a defect of ours: it costs this request only
                write_message(replies, EvaluationError(f"{type(error).__name__}: {error}"))
        status = 0
    except BaseException:  # the parent reads the end of the pipe as a crash
        status = 70
    finally:
        os._exit(status)
