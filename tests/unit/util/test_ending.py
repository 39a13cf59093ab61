"""Ended by a signal, wherever Python is at that moment."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cr1cc.util.process import ENDING

_PROGRAM = """
import sys, time
from cr1cc.util import ending, process

class Dying:
    def __del__(self):  # an exception that is raised here goes nowhere
        alone()

def with_child():
    process.run(["/bin/sh", "-c", "echo $$; exec sleep 60"], env={"PATH": "/bin"})

def alone():
    print(0, flush=True)
    time.sleep(60)

def in_destructor():
    Dying()

ending.handle_signals()
with ending.removed(sys.argv[2]):
    open(sys.argv[2], "w").close()
    globals()[sys.argv[1]]()
print("went on")
"""


@pytest.mark.parametrize("where", ["alone", "in_destructor", "with_child"])
@pytest.mark.parametrize("number", ENDING)
def test_a_signal_ends_everything_quietly(
    tmp_path: Path, where: str, number: signal.Signals
) -> None:
    file = tmp_path / "half"
    program = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, where, str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert program.stdout is not None
    child = int(program.stdout.readline())
    assert file.exists()
    program.send_signal(number)
    out, err = program.communicate(timeout=30)
    assert (program.returncode, out, err) == (-number, b"", b"")
    assert not file.exists()
    assert not child or not Path(f"/proc/{child}").exists()


def test_an_ignored_signal_stays_ignored(tmp_path: Path) -> None:
    script = f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n{_PROGRAM}"
    script = script.replace("time.sleep(60)", "time.sleep(0.3)")
    program = subprocess.Popen(
        [sys.executable, "-c", script, "alone", str(tmp_path / "half")], stdout=subprocess.PIPE
    )
    assert program.stdout is not None
    program.stdout.readline()
    program.send_signal(signal.SIGINT)
    out, _ = program.communicate(timeout=30)
    assert (program.returncode, out) == (0, b"went on\n")
