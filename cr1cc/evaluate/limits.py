"""The limits a worker runs under, and what its end means."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass

from cr1cc.records import Failure
from cr1cc.util.confine import die_with, limit_memory, silence

OUT_OF_MEMORY = 71  # exit status of a worker whose Python had no memory left


@dataclass(frozen=True)
class Limits:
    """Processor seconds of one candidate, bytes of address space of a worker beyond
    what the process that forks it has. Both only serve to reject what is hung."""

    cpu_seconds: float = 60.0
    memory: int = 2 << 30


def enter_worker(limits: Limits, parent: int) -> None:
    """Make a freshly forked child of `parent` a worker: limited, silent, and dead with it."""
    die_with(parent)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    # What ends the parent ends us. Were we first, that would look like a candidate's crash.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    silence()
    limit_memory(limits.memory)


def start_clock(limits: Limits) -> None:
    """Give the candidate that begins now its processor time; SIGPROF ends the worker."""
    signal.setitimer(signal.ITIMER_PROF, limits.cpu_seconds)


def failure_of(status: int, grown: int, limits: Limits) -> Failure:
    """What the wait status of a dead worker means, and the most resident bytes that it had
    beyond what it had when it was forked."""
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGPROF:
        return Failure.TIMED_OUT
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) == OUT_OF_MEMORY:
        return Failure.MEMORY
    # A refused allocation ends libLLVM by abort(): tell it from a crash by the peak.
    if grown > limits.memory * 3 // 4:
        return Failure.MEMORY
    return Failure.CRASHED
