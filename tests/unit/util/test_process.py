"""Starting programs."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from cr1cc.util import process
from cr1cc.util.process import capture, run

ENV = {"PATH": "/usr/bin:/bin"}


def shell(text: str) -> list[str]:
    return ["/bin/sh", "-c", text]


def test_the_exit_status_and_the_signal_are_told_apart() -> None:
    assert run(shell("exit 7"), env=ENV) == 7
    assert run(shell("kill -9 $$"), env=ENV) == -9


def test_both_outputs_are_captured_apart_whatever_their_size() -> None:
    text = "head -c 300000 /dev/zero; head -c 200000 /dev/zero >&2; exit 3"
    status, out, err = capture(shell(text), ENV)
    assert (status, len(out), len(err)) == (3, 300000, 200000)


def test_the_child_has_exactly_the_environment_it_is_given() -> None:
    assert capture(["/usr/bin/env"], {"ONLY": "this"})[1] == b"ONLY=this\n"


def test_sigpipe_is_default_in_the_child() -> None:
    assert signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN
    assert run(shell("kill -PIPE $$; exit 0"), env=ENV) == -signal.SIGPIPE


def test_an_inheritable_descriptor_reaches_the_child_and_others_do_not() -> None:
    reading, writing = os.pipe()
    try:
        os.set_inheritable(writing, True)
        assert run(shell(f"echo token > /proc/self/fd/{writing}"), env=ENV) == 0
        assert os.read(reading, 100) == b"token\n"
        seen = capture(["/bin/ls", "/proc/self/fd"], ENV)[1].decode().split()
        assert str(writing) in seen
        assert str(reading) not in seen
    finally:
        os.close(reading)
        os.close(writing)


def test_outputs_can_be_exchanged() -> None:
    # In a child, because our own standard output is the test runner's.
    program = (
        "import sys; from cr1cc.util.process import run; import os;"
        "run(['/bin/sh', '-c', 'echo out; echo err >&2'], env=os.environ, stdout=2, stderr=1)"
    )
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    assert capture([sys.executable, "-c", program], environ) == (0, b"err\n", b"out\n")


def test_no_descriptor_is_left_open() -> None:
    before = os.listdir("/proc/self/fd")
    capture(shell("exit 0"), ENV)
    assert os.listdir("/proc/self/fd") == before


def test_a_program_that_is_not_there_is_an_oserror() -> None:
    with pytest.raises(FileNotFoundError):
        run(["/no/such/program"], env=ENV)


def test_processor_time_is_limited_for_the_program_and_what_it_starts() -> None:
    status, out, _ = capture(
        shell("ulimit -t; sh -c 'ulimit -t; while :; do :; done'"), ENV, seconds=1
    )
    assert out.split() == [b"1", b"1"]
    assert status in (-signal.SIGXCPU, 128 + signal.SIGXCPU)


def test_a_limit_for_a_program_is_none_for_us_who_may_have_taken_more() -> None:
    text = (
        "import os, time\n"
        "from cr1cc.util.process import capture\n"
        "while time.process_time() < 1.2: pass\n"
        "for _ in range(50): assert capture(['/bin/true'], os.environ, seconds=1)[0] == 0\n"
        "assert capture(['/bin/sleep', '1.5'], os.environ, seconds=1)[0] == 0\n"
    )
    assert run([sys.executable, "-c", text], env=os.environ) == 0


def test_an_interruption_ends_the_child_before_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_GRACE", 0.1)
    main = threading.main_thread().ident
    assert main is not None
    threading.Timer(0.2, signal.pthread_kill, (main, signal.SIGINT)).start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run(shell(f"echo $$ > {tmp_path}/pid; exec /bin/sleep 30"), env=ENV)
    assert time.monotonic() - start < 10
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_signal_just_before_the_wait_is_seen_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As if it had come after the last bytecode before a system call that blocks."""
    monkeypatch.setattr(process, "_GRACE", 0.1)
    seen = []

    def late(number: int, _frame: object) -> None:
        seen.append(time.monotonic())
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGUSR1, late)
    real = os.pidfd_open

    def signalled(pid: int) -> int:
        # Blocked until the wait has begun for good: the handler runs when that looks up.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
        os.kill(os.getpid(), signal.SIGUSR1)
        threading.Timer(0.2, signal.pthread_sigmask, (signal.SIG_UNBLOCK, {signal.SIGUSR1})).start()
        return real(pid)

    monkeypatch.setattr(os, "pidfd_open", signalled)
    start = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            run(shell("exec /bin/sleep 20"), env=ENV)
    finally:
        signal.signal(signal.SIGUSR1, before)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})
    assert time.monotonic() - start < 10
