"""The limits a worker runs under, and what its end means."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from dataclasses import dataclass

from cr1cc.records import Failure

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
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
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    space = _address_space() + limits.memory
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard != resource.RLIM_INFINITY:
        space = min(space, hard)
    resource.setrlimit(resource.RLIMIT_AS, (space, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def die_with(parent: int) -> None:
    """End this process when `parent`, which forked it, ends. A fork does not inherit that."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the kernel was asked
        os._exit(1)


def start_clock(limits: Limits) -> None:
    """Give the candidate that begins now its processor time; SIGPROF ends the worker."""
    signal.setitimer(signal.ITIMER_PROF, limits.cpu_seconds)


def failure_of(status: int, peak_rss: int, limits: Limits) -> Failure:
    """What the wait status and the peak resident bytes of a dead worker mean."""
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGPROF:
        return Failure.TIMED_OUT
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) == OUT_OF_MEMORY:
        return Failure.MEMORY
    # A refused allocation ends libLLVM by abort(): tell it from a crash by the peak.
    if peak_rss > limits.memory * 3 // 4:
        return Failure.MEMORY
    return Failure.CRASHED


def _address_space() -> int:
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[0]) * resource.getpagesize()
