"""What a process that works for another one does at its start: it is limited, silent, and
ends with that one."""

from __future__ import annotations

import os
import resource
import signal

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with(parent: int) -> None:
    """End this process when `parent`, which made it, ends. A fork does not inherit that."""
    import ctypes  # here, because a compile whose object is known starts no process

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the kernel was asked
        os._exit(1)


def silence() -> None:
    """Nobody reads what this process prints, and it has nothing to read."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)


def limit_memory(more: int) -> None:
    """Let the address space grow by so many bytes, and leave no core file."""
    space = _address_space() + more
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard != resource.RLIM_INFINITY:
        space = min(space, hard)
    resource.setrlimit(resource.RLIMIT_AS, (space, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_time(seconds: int) -> None:
    """Let this process, new as it is, take so many seconds of processor time, or what it is
    left by whoever started it if that is less."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    if hard != resource.RLIM_INFINITY:
        seconds = min(seconds, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))


def keep_only(*descriptors: int) -> None:
    """Keep no descriptor of the parent but these and the standard ones: a pipe of the build
    must end when the parent does."""
    low = 3
    for descriptor in sorted(descriptors):
        os.closerange(low, descriptor)
        low = descriptor + 1
    os.closerange(low, 1 << 16)


def anonymous() -> int:
    """Bytes of memory of this process that are of no file: a fork has them from the start."""
    return _pages(1) - _pages(2)


def _address_space() -> int:
    return _pages(0)


def _pages(field: int) -> int:
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[field]) * resource.getpagesize()
