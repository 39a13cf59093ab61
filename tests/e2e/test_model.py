"""Compiles with the model: the same bytes wherever it runs, and the coreset's without it."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cr1cc.model import vocabulary
from cr1cc.records import Toolchain
from cr1cc.resident import survey
from tests.e2e.wrapped import PROGRAM, Wrapped, loadable
from tests.foreign import TEMPLATE, foreign_model
from tests.models import random_model

pytest.importorskip("llama_cpp", reason="the package llama-cpp-python is missing")

# What a random model of this seed says makes another object than the coreset does.
SEED = 1


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_model(tmp_path_factory.mktemp("model") / "random.gguf", seed=SEED)


@pytest.fixture
def wrapped(tmp_path: Path, any_toolchain: Toolchain, model: Path) -> Wrapped:
    """No cache, the model as proposer, one source."""
    found = Wrapped(
        tmp_path, any_toolchain, CR1_CACHE="false", CR1_PACKS="false",
        CR1_PROPOSER="model", CR1_MODEL=str(model), CR1_BUDGET="4",
    )  # fmt: skip
    found.write("a.c")
    return found


def compiled(wrapped: Wrapped, **settings: str) -> bytes:
    done = wrapped.cr1("-Oz", "-c", "a.c", **settings)
    assert (done.status, done.stdout, done.stderr) == (0, b"", b"")
    return wrapped.read("a.o")


def cr1(wrapped: Wrapped, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cr1cc.cli.main", *words],
        env=wrapped.environ(**settings), capture_output=True, text=True, cwd=wrapped.folder,
    )  # fmt: skip


def wait_for(condition: object, seconds: float = 30) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextlib.contextmanager
def killing(
    path: Path, *, pause: float = 0.0, number: signal.Signals = signal.SIGKILL
) -> Iterator[list[int]]:
    """Kill every model process of a compile for the model at `path`, at once or after a
    while; gives those that were killed."""
    killed: list[int] = []
    done = threading.Event()
    rng = random.Random(1)

    def kill() -> None:
        while not done.wait(0.005):
            for pid in _model_processes(path):
                if pid not in killed:
                    time.sleep(rng.uniform(0, pause))
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, number)
                        killed.append(pid)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield killed
    finally:
        done.set()
        killer.join()


def _model_processes(path: Path) -> list[int]:
    """Those that compiles have started, by the words they were started with."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{entry}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
                if os.fsencode(path) in words and b"cr1cc.model.server" in b" ".join(words):
                    found.append(int(entry))
    return found


def test_the_model_proposes_and_its_objects_repeat(wrapped: Wrapped) -> None:
    first = compiled(wrapped)
    event = wrapped.last()
    assert (event.model_problem, event.outcome) == ("", "smaller")
    assert compiled(wrapped) == first
    coreset = compiled(wrapped, CR1_PROPOSER="coreset")
    assert wrapped.last().key != event.key
    # With the cache: searched, then the decision, then the object is known.
    kept = {"CR1_CACHE": "true"}
    assert [compiled(wrapped, **kept) for _ in range(2)] == [first] * 2
    assert wrapped.last().hit == "object"
    assert compiled(wrapped, **kept, CR1_PROPOSER="coreset") == coreset
    assert wrapped.last().hit == ""


@pytest.mark.parametrize("proposer", ["model", "agent"])
@pytest.mark.parametrize("template", [TEMPLATE, None], ids=["template", "plain"])
def test_a_foreign_model_proposes_and_the_object_is_never_larger(
    template: str | None, proposer: str, wrapped: Wrapped
) -> None:
    path = foreign_model(wrapped.folder / "foreign.gguf", template=template)
    settings = {"CR1_MODEL": path.name, "CR1_PROPOSER": proposer}
    made = compiled(wrapped, **settings)
    event = wrapped.last()
    assert (event.proposer, event.model_problem) == (proposer, "")
    assert compiled(wrapped, **settings) == made
    assert wrapped.real("-Oz", "-c", "a.c", "-o", "real.o").status == 0
    assert loadable(made) <= loadable(wrapped.read("real.o"))


def test_a_foreign_model_is_resident_as_any_other(wrapped: Wrapped, runtime: Path) -> None:
    path = foreign_model(wrapped.folder / "foreign.gguf")
    first = compiled(wrapped, CR1_MODEL=path.name)
    assert compiled(wrapped, CR1_MODEL=path.name, CR1_DAEMON="true") == first  # starts both
    wait_for(lambda: len(list((runtime / "cr1cc").glob("*.sock"))) == 2)
    with killing(path) as killed:
        assert compiled(wrapped, CR1_MODEL=path.name, CR1_DAEMON="true") == first
        assert wrapped.last().model_problem == ""
    assert killed == []


def test_a_resident_model_changes_the_time_only(wrapped: Wrapped, runtime: Path) -> None:
    first = compiled(wrapped)
    assert compiled(wrapped, CR1_DAEMON="true") == first  # starts both
    wait_for(lambda: len(list((runtime / "cr1cc").glob("*.sock"))) == 2)
    found = {process.kind: process for process in survey.running(os.environ)}
    assert set(found) == {"llvm", "model"}
    with killing(Path(wrapped.settings["CR1_MODEL"])) as killed:
        assert compiled(wrapped, CR1_DAEMON="true") == first
        assert wrapped.last().model_problem == ""
    assert killed == []  # no process of its own was started
    for number in (signal.SIGSTOP, signal.SIGKILL):
        os.kill(found["model"].pid, number)
        assert compiled(wrapped, CR1_DAEMON="true") == first
        event = wrapped.last()
        assert (event.proposer, event.model_problem) == ("model", "")


def test_the_daemon_command_looks_after_both(wrapped: Wrapped, runtime: Path) -> None:
    started = cr1(wrapped, "daemon", "start").stdout.splitlines()
    assert [line.split(":")[0] for line in started] == ["started", "started"]
    rows = json.loads(cr1(wrapped, "daemon", "status", "--json").stdout)
    paths = {row["kind"]: row["path"] for row in rows}
    assert paths["model"] == wrapped.settings["CR1_MODEL"]
    assert all(0 < row["memory"] < 200 << 20 for row in rows)
    assert cr1(wrapped, "daemon", "status").stdout.count("\n") == 3
    assert cr1(wrapped, "daemon", "logs").stdout.count("listens: ") == 2
    other = cr1(wrapped, "daemon", "start", CR1_MODEL="/nowhere")
    assert other.stdout.startswith("runs already")
    assert "left out: the model: /nowhere: No such file" in other.stderr
    assert cr1(wrapped, "daemon", "stop").stdout.count("stopped: ") == 2


def test_a_model_that_ends_in_the_middle_leaves_the_coresets_decision(
    wrapped: Wrapped, model: Path
) -> None:
    with_model = compiled(wrapped)
    coreset = compiled(wrapped, CR1_PROPOSER="coreset")
    assert with_model != coreset
    with killing(model) as killed:
        assert compiled(wrapped, CR1_CACHE="true") == coreset
    assert killed
    event = wrapped.last()
    assert (event.proposer, event.hit) == ("coreset", "")
    assert event.model_problem == "the model process ended by signal 9"
    # What was stored is the coreset's, and nothing is under the model's keys.
    assert compiled(wrapped, CR1_CACHE="true", CR1_PROPOSER="coreset") == coreset
    assert wrapped.last().hit == "object"
    assert compiled(wrapped, CR1_CACHE="true") == with_model
    assert (wrapped.last().hit, wrapped.last().model_problem) == ("", "")
    assert "the model could not be used 1 times" in cr1(wrapped, "stats").stdout


def test_a_model_that_is_silent_is_waited_for_once(wrapped: Wrapped, model: Path) -> None:
    with_model = compiled(wrapped)
    coreset = compiled(wrapped, CR1_PROPOSER="coreset")
    command = wrapped.command("-Oz", "-c", "a.c")
    impatient = "from cr1cc.model.question import Question; Question.patience = 1; "
    impatient += "import runpy; runpy.run_module('cr1cc.wrapper', run_name='__main__')"
    with killing(model, number=signal.SIGSTOP) as stopped:
        subprocess.run(
            [command[0], "-c", impatient, *command[3:]], cwd=wrapped.folder, check=True,
            env=wrapped.environ(),
        )  # fmt: skip
    assert stopped
    assert wrapped.last().model_problem == "the model process does not answer within 1 seconds"
    assert wrapped.read("a.o") == coreset
    with killing(model) as killed:  # any one that this compile would start
        assert compiled(wrapped) == coreset
    assert killed == []
    assert "does not answer" in wrapped.last().model_problem
    report = cr1(wrapped, "doctor")
    assert "does not answer within 1 seconds" in report.stdout
    model.touch()
    assert compiled(wrapped) == with_model


def test_a_decision_of_another_machine_is_unknown(wrapped: Wrapped) -> None:
    kept = {"CR1_CACHE": "true"}
    first = compiled(wrapped, **kept)
    (place,) = (Path(os.environ["XDG_CACHE_HOME"]) / "cr1cc").glob("model-*.json")
    known = json.loads(place.read_text())
    known["answer"]["engine"] += " of another build"
    place.write_text(json.dumps(known))
    assert compiled(wrapped, **kept) == first
    assert wrapped.last().hit == ""
    assert compiled(wrapped, **kept) == first
    assert wrapped.last().hit == "object"
    # What is carried to another machine on purpose holds there.
    pack = str(wrapped.folder / "out.pack")
    assert cr1(wrapped, "cache", "export", pack).returncode == 0
    assert cr1(wrapped, "cache", "clear").returncode == 0
    assert cr1(wrapped, "cache", "import", pack).returncode == 0
    assert compiled(wrapped, **kept) == first
    assert wrapped.last().hit == "module"


def test_warnings_are_printed_once_if_the_model_ends(wrapped: Wrapped, model: Path) -> None:
    wrapped.write("a.c", PROGRAM + "int twice(void) { int unused; return 2; }\n")
    arguments = ("-Oz", "-Wall", "-c", "a.c")
    expected = wrapped.real(*arguments)
    assert b"unused" in expected.stderr
    wrapped.cr1(*arguments)
    with killing(model) as killed:
        assert wrapped.cr1(*arguments) == expected
    assert killed


def test_model_processes_that_are_killed_at_random_never_harm(
    wrapped: Wrapped, model: Path, runtime: Path
) -> None:
    with_model = compiled(wrapped)
    coreset = compiled(wrapped, CR1_PROPOSER="coreset")
    with killing(model, pause=0.8):
        for _ in range(6):
            made = compiled(wrapped)
            assert made == (coreset if wrapped.last().model_problem else with_model)


BAD = {
    "missing": (lambda data: None, "No such file"),
    "empty": (lambda data: b"", "not a GGUF file"),
    "truncated": (lambda data: data[: len(data) * 2 // 3], "llama.cpp cannot read it"),
    "random": (lambda data: b"GGUF" + random.Random(1).randbytes(5000), "odel"),
    "vocabulary": (lambda data: data.replace(vocabulary.VERSION.encode(), b"0" * 16), "another"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_model_leaves_the_coresets_object_and_says_why(
    kind: str, wrapped: Wrapped, model: Path
) -> None:
    damage, complaint = BAD[kind]
    path = wrapped.folder / "bad.gguf"
    data = damage(model.read_bytes())
    if data is not None:
        path.write_bytes(data)
    coreset = compiled(wrapped, CR1_PROPOSER="coreset")
    key = wrapped.last().key
    settings = {"CR1_MODEL": "bad.gguf"}
    assert compiled(wrapped, **settings) == coreset
    event = wrapped.last()
    assert (event.key, event.proposer) == (key, "coreset")
    if kind != "random":
        assert complaint in event.model_problem
    assert event.model_problem.startswith(f"{path}: ")
    report = cr1(wrapped, "doctor", "--json", **settings)
    assert report.returncode == 1
    (finding,) = [f for f in json.loads(report.stdout)["findings"] if f["subject"] == "model"]
    assert finding["well"] is False
    assert event.model_problem in finding["text"]
    assert event.model_problem in cr1(wrapped, "explain", "a.c").stdout


def test_a_model_that_is_too_large_or_a_folder_is_no_model(wrapped: Wrapped) -> None:
    coreset = compiled(wrapped, CR1_PROPOSER="coreset")
    with open(wrapped.folder / "large.gguf", "wb") as file:
        file.write(b"GGUF")
        file.truncate(9 << 30)
    for name, complaint in (("large.gguf", "too large"), (".", "not a file")):
        assert compiled(wrapped, CR1_MODEL=name) == coreset
        assert complaint in wrapped.last().model_problem


def test_doctor_says_whether_the_model_is_used(wrapped: Wrapped, model: Path) -> None:
    (line,) = [row for row in cr1(wrapped, "doctor").stdout.splitlines() if "parameters" in row]
    assert line.split()[:2] == ["model", "ok"]
    out = cr1(wrapped, "doctor", CR1_PROPOSER="search").stdout
    assert "not used: the proposer is search" in out


def test_a_known_object_needs_neither_numpy_nor_llama_cpp(wrapped: Wrapped) -> None:
    kept = {"CR1_CACHE": "true"}
    compiled(wrapped, **kept)
    command = wrapped.command("-Oz", "-c", "a.c")
    done = subprocess.run(
        [command[0], "-X", "importtime", *command[1:]],
        env=wrapped.environ(**kept), capture_output=True, text=True, cwd=wrapped.folder,
    )  # fmt: skip
    assert wrapped.last().hit == "object"
    loaded = {line.split("|")[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert "cr1cc" in loaded
    assert loaded & {"ctypes", "numpy", "llama_cpp", "subprocess", "socket"} == set()
