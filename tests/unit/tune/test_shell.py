"""Commands of the user: how they end, what they take, that nothing of them is left."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from cr1cc.tune.shell import Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(str(tmp_path), os.environ)


def test_status_output_and_words(shell: Shell, tmp_path: Path) -> None:
    ran = shell.run("pwd; echo problem >&2; exit 3")
    assert (ran.status, ran.words) == (3, "problem")
    assert ran.ending == "status 3: problem"
    assert ran.output == shell.run(f"echo {tmp_path}").output != shell.run("echo other").output


def test_its_processor_time_counts_that_of_children(shell: Shell) -> None:
    loop = "i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done"
    ran = shell.run(f"sh -c '{loop}' & wait")
    assert ran.seconds > 0.005
    assert shell.run("sleep 0.2").seconds < 0.1


def test_a_command_that_does_not_end_is_ended(shell: Shell) -> None:
    assert shell.run("while :; do :; done", processor=1).status == -signal.SIGKILL
    assert shell.run("sleep 1000 & sleep 1000", wall=0.3).status == -signal.SIGKILL


def test_nothing_that_it_started_goes_on(shell: Shell, tmp_path: Path) -> None:
    shell.run("sleep 1000 & echo $! > child")
    child = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return
        if state == "Z":
            return
        time.sleep(0.05)
    pytest.fail("it goes on")


def test_a_setting_of_the_environment_is_for_one_command(shell: Shell) -> None:
    assert shell.run('test "$NAME" = x', environ={"NAME": "x"}).status == 0
    assert shell.run('test -z "$NAME"').status == 0
