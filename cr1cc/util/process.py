"""Start a program and wait for it, with `posix_spawn` and nothing else.

On the path of every compile, so `subprocess` and its imports stay out. The
child inherits every descriptor that is inheritable (a jobserver's pipe among
them); descriptors that Python opened are close-on-exec.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence

# Python ignores these at its own start; an ignored signal would stay ignored in
# the child, which then sees EPIPE where a compiler expects to be ended quietly.
_DEFAULTED = (signal.SIGPIPE, signal.SIGXFSZ)

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # what asks a process to end

_GRACE = 2.0  # seconds that an interrupted child has to remove its half-written files

_LOOK = 0.5  # seconds until a signal is seen that came at the worst moment

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

_children: set[int] = set()  # those that are waited for


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    stdin: int | None = None,
    stdout: int | None = None,
    stderr: int | None = None,
) -> int:
    """Run `argv` (its first word is a path, not searched) and wait for its end.

    `stdin`, `stdout` and `stderr` are descriptors for the child, None: ours.
    When we are interrupted (Ctrl-C) the child is waited for, or ended if it does not
    end by itself, before the interruption goes on: it has files to clean up.
    Returns the exit status, or minus the signal that ended the child.
    Raises OSError when the program cannot be started.
    """
    pid = _spawn(argv, env, {0: stdin, 1: stdout, 2: stderr})
    try:
        _await_end(pid)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except BaseException:
        _finish(pid)
        raise
    finally:
        _children.discard(pid)


def finish_children() -> None:
    """Wait for the programs that `run` waits for, or end those that do not end."""
    for pid in _children:
        _finish(pid)


def capture(
    argv: Sequence[str],
    env: Mapping[str, str],
    *,
    stdin: int | None = None,
    seconds: int | None = None,
) -> tuple[int, bytes, bytes]:
    """Run `argv`; returns the status as `run` does, standard output and standard error.

    `seconds` of processor time is what the program, and each that it starts, may take; with
    it, a program that cannot be started is status 126 or 127, as in a shell.
    Raises OSError when the program cannot be started.
    """
    # Files in memory instead of pipes: nothing to pump, so nothing can deadlock.
    out = os.memfd_create("stdout")
    try:
        err = os.memfd_create("stderr")
        try:
            command = argv if seconds is None else _limited(argv, seconds)
            status = run(command, env=env, stdin=stdin, stdout=out, stderr=err)
            return status, _contents(out), _contents(err)
        finally:
            os.close(err)
    finally:
        os.close(out)


def _limited(argv: Sequence[str], seconds: int) -> list[str]:
    """`argv` as a command whose program gets this limit before it can start another one.

    Never by a limit of our own that it inherits: we may have taken more already.
    """
    import resource  # here, because a passed-through command limits nothing

    ours = resource.getrlimit(resource.RLIMIT_CPU)[0]
    wanted = seconds if ours == resource.RLIM_INFINITY else min(seconds, ours)
    return ["/bin/sh", "-c", f'ulimit -S -t {wanted}; exec "$@"', "sh", *argv]


def _spawn(
    argv: Sequence[str], env: Mapping[str, str], descriptors: Mapping[int, int | None]
) -> int:
    """Start `argv` and return its process id at once."""
    moves = {target: fd for target, fd in descriptors.items() if fd is not None}
    # A descriptor that is itself 0, 1 or 2 could be overwritten before it is copied.
    safe = {target: _above_standard(fd) for target, fd in moves.items()}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)  # no child that nobody knows of
    try:
        actions = [(os.POSIX_SPAWN_DUP2, fd, target) for target, fd in safe.items()]
        pid = os.posix_spawn(
            argv[0], list(argv), env,
            file_actions=actions, setsigdef=_DEFAULTED, setsigmask=mask,
        )  # fmt: skip
        _children.add(pid)
        return pid
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for target, fd in safe.items():
            if fd != moves[target]:
                os.close(fd)


def start_python(
    program: str,
    arguments: Sequence[str],
    env: Mapping[str, str],
    *,
    stdin: int | None = None,
    stdout: int | None = None,
    keep: int | None = None,
    session: bool = False,
) -> int:
    """Start `program` (Python text, which finds this package) and return its process id.

    It has the standard streams given here, None: /dev/null, the descriptor `keep`, and no
    other one: a pipe that it kept open, as those of make's jobserver, would never end.
    `session`: it gets one of its own. Raises OSError.
    """
    # Without `-P` modules would be looked for in the folder that is being built.
    words = [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {_ROOT!r}); {program}"]
    inherited = [n for n in map(int, os.listdir("/proc/self/fd")) if n > 2 and _inheritable(n)]
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    given = (null if stdin is None else stdin, null if stdout is None else stdout, null)
    streams = [_above_standard(descriptor) for descriptor in given]
    if keep is not None:
        os.set_inheritable(keep, True)
    try:
        return os.posix_spawn(
            sys.executable,
            [*words, *arguments],
            dict(env),
            file_actions=[
                *((os.POSIX_SPAWN_DUP2, fd, target) for target, fd in enumerate(streams)),
                *((os.POSIX_SPAWN_CLOSE, descriptor) for descriptor in inherited),
            ],
            setsid=session,
        )
    finally:
        for descriptor in {null, *streams} - {stdin, stdout}:
            os.close(descriptor)


def _inheritable(descriptor: int) -> bool:
    try:
        return os.get_inheritable(descriptor)
    except OSError:  # the one that listed the folder
        return False


def _await_end(pid: int) -> None:
    """Return when the child has ended, without reaping it.

    Python runs a handler when a system call ends: a signal that came just before a
    blocking one began would not be seen until the child ends. So no call blocks for long.
    """
    import select  # here, because a passed-through command starts no child

    try:
        descriptor = os.pidfd_open(pid)
    except OSError:  # a kernel or a sandbox without it: waiting is all there is
        return
    try:
        while not select.select([descriptor], [], [], _LOOK)[0]:
            pass
    finally:
        os.close(descriptor)


def _finish(pid: int) -> None:
    # The terminal sent the signal to the child as well; a second one at once could end it
    # in the middle of its clean-up, so it gets time first.
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + _GRACE
        while time.monotonic() < deadline:
            if _reaped(pid):
                return
            time.sleep(0.005)
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
    _reaped(pid, block=True)


def _reaped(pid: int, *, block: bool = False) -> bool:
    try:
        return os.waitpid(pid, 0 if block else os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


def memory_file(data: bytes) -> int:
    """A descriptor of a file in memory that holds `data`, at its beginning. Close it."""
    fd = os.memfd_create("data")
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _contents(fd: int) -> bytes:
    return os.pread(fd, os.fstat(fd).st_size, 0)


def _above_standard(fd: int) -> int:
    """`fd`, or a copy of it that is not one of the three standard descriptors."""
    spare: list[int] = []
    copy = fd
    while copy <= 2:
        copy = os.dup(fd)
        spare.append(copy)
    for other in spare[:-1]:
        os.close(other)
    return copy
