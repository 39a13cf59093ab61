"""The resident process changes the time and nothing else, whatever happens to it."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from cr1cc.errors import ResidentError
from cr1cc.evaluate.evaluator import Evaluator
from cr1cc.evaluate.limits import Limits
from cr1cc.evaluate.worker import Subject
from cr1cc.llvm.library import Library
from cr1cc.passes.macros import macros_for
from cr1cc.records import Failure, Level, Recipe, Score, Toolchain
from cr1cc.resident import client, survey
from cr1cc.resident.client import Resident
from cr1cc.resident.place import Place, Service, place_for, private_folder
from tests.e2e.wrapped import PROGRAM, Wrapped

SIZE = Recipe(("@size",))
AGAIN = Recipe(("@size", "mergefunc"))


@pytest.fixture
def runtime(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With the resident process of libLLVM in use."""
    monkeypatch.setenv("CR1_DAEMON", "true")
    return runtime


@pytest.fixture
def place(runtime: Path, any_toolchain: Toolchain) -> Place:
    """That of a resident process that listens."""
    assert any_toolchain.libllvm
    place = place_for(service(any_toolchain), os.environ)
    assert client.start(place, service(any_toolchain), os.environ)
    wait_for(lambda: os.path.exists(place.socket))
    return place


def wait_for(condition: object, seconds: float = 20) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def service(toolchain: Toolchain) -> Service:
    assert toolchain.libllvm
    return Service("llvm", toolchain.libllvm, (toolchain.libllvm,))


def pid_of(place: Place) -> int:
    (process,) = [p for p in survey.running(os.environ) if p.place == place]
    return process.pid


def evaluator(toolchain: Toolchain, folder: Path, **changed: object) -> Evaluator:
    (folder / "m.c").write_text(PROGRAM)
    command = [toolchain.driver, "-Oz", "-c", "-emit-llvm", "-Xclang", "-disable-llvm-passes"]
    done = subprocess.run([*command, "m.c", "-o", "-"], cwd=folder, check=True, capture_output=True)
    macros = {**macros_for(toolchain.major, Level.OZ), "@crash": "function("}
    assert toolchain.libllvm
    return Evaluator(
        Library(toolchain.libllvm), Subject(done.stdout, macros),
        Limits(cpu_seconds=5), Resident(service(toolchain), os.environ),
    )  # fmt: skip


def test_scores_are_those_of_a_forked_worker(
    place: Place, any_toolchain: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipes = [SIZE, AGAIN, Recipe(("@size",), ("-disable-lsr",)), Recipe(("@crash",))]
    with evaluator(any_toolchain, tmp_path) as resident:
        with_it = (resident.identify(), resident.describe(), resident.measure(recipes))
        bitcode = resident.apply(AGAIN)
        assert resident.library._dll is None  # libLLVM was never loaded here
    survey.stop(survey.running(os.environ)[0])
    monkeypatch.setattr(client, "start", lambda *_: False)
    with evaluator(any_toolchain, tmp_path) as own:
        assert (own.identify(), own.describe(), own.measure(recipes)) == with_it
        assert own.apply(AGAIN) == bitcode
        assert own.library._dll is not None
    assert with_it[2][3] is Failure.REFUSED
    assert all(isinstance(score, Score) for score in with_it[2][:3])


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP])
def test_one_that_ends_or_stops_is_done_without(
    place: Place, any_toolchain: Toolchain, tmp_path: Path, how: signal.Signals
) -> None:
    with evaluator(any_toolchain, tmp_path) as first:
        expected = first.measure([SIZE, AGAIN])
        os.kill(pid_of(place), how)
        assert first.measure([AGAIN, SIZE]) == expected[::-1]
    start = time.monotonic()
    with evaluator(any_toolchain, tmp_path) as second:
        assert second.measure([SIZE, AGAIN]) == expected
    assert time.monotonic() - start < 10


def test_the_worker_of_a_compile_that_ends_ends(place: Place) -> None:
    connection = client.connect(place)
    children = Path(f"/proc/{pid_of(place)}/task/{pid_of(place)}/children")
    wait_for(lambda: children.read_text() != "")
    os.close(connection)
    wait_for(lambda: children.read_text() == "")


def test_of_many_starts_one_succeeds(runtime: Path, any_toolchain: Toolchain) -> None:
    assert any_toolchain.libllvm
    place = place_for(service(any_toolchain), os.environ)
    program = (
        "import os, sys; from cr1cc.resident import client;"
        "from cr1cc.resident.place import Place, Service;"
        "service = Service('llvm', sys.argv[2], (sys.argv[2],));"
        "sys.exit(not client.start(Place(sys.argv[1]), service, os.environ))"
    )
    command = [sys.executable, "-c", program, place.base, any_toolchain.libllvm]
    starts = [subprocess.Popen(command) for _ in range(8)]
    assert sorted(start.wait(30) for start in starts) == [0] + [1] * 7
    wait_for(lambda: os.path.exists(place.socket))
    assert len(survey.running(os.environ)) == 1


def test_it_ends_by_itself_and_another_one_takes_over(
    runtime: Path, any_toolchain: Toolchain
) -> None:
    assert any_toolchain.libllvm
    place = place_for(service(any_toolchain), os.environ)
    for _ in range(2):
        assert client.start(place, service(any_toolchain), os.environ, idle=0.1)
        wait_for(lambda: "ends: idle" in _log(place))
        wait_for(lambda: not survey.running(os.environ))
        assert not os.path.exists(place.socket)
        os.unlink(place.log)
    # One that was killed leaves its socket: it is in nobody's way.
    assert client.start(place, service(any_toolchain), os.environ)
    wait_for(lambda: os.path.exists(place.socket))
    os.kill(pid_of(place), signal.SIGKILL)
    wait_for(lambda: not survey.running(os.environ))
    assert os.path.exists(place.socket)
    assert client.start(place, service(any_toolchain), os.environ)
    wait_for(lambda: _log(place).count("listens") == 2)
    os.close(client.connect(place))


def _log(place: Place) -> str:
    return Path(place.log).read_text() if os.path.exists(place.log) else ""


def test_a_folder_that_is_not_private_is_not_used(runtime: Path) -> None:
    folder = runtime / "cr1cc"
    folder.mkdir(mode=0o755)
    with pytest.raises(ResidentError, match="open to other users"):
        private_folder(os.environ)
    folder.rmdir()
    (runtime / "mine").mkdir(mode=0o700)
    folder.symlink_to("mine")
    with pytest.raises(ResidentError, match="not a folder"):
        private_folder(os.environ)
    folder.unlink()


@pytest.mark.parametrize("problem", ["open to other users", "belongs to another user"])
def test_why_it_is_not_used_is_counted_and_told(
    problem: str, runtime: Path, any_toolchain: Toolchain, tmp_path: Path
) -> None:
    folder = runtime / "cr1cc"
    if problem == "open to other users":
        folder.mkdir(mode=0o755)
    else:
        folder.mkdir(mode=0o700)
        try:
            os.chown(folder, 65534, 65534)
        except PermissionError:
            pytest.skip("the right to give a folder away is missing")
    wrapped = Wrapped(tmp_path, any_toolchain, CR1_CACHE="false", CR1_PACKS="false")
    wrapped.write("a.c")
    assert wrapped.cr1("-Oz", "-c", "a.c").status == 0
    first = wrapped.read("a.o")
    assert problem in wrapped.last().daemon_problem
    doctor = subprocess.run(
        [sys.executable, "-m", "cr1cc.cli.main", "doctor"],
        env=wrapped.environ(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert doctor.returncode == 1
    assert problem in doctor.stdout
    folder.chmod(0o700)
    os.chown(folder, os.getuid(), os.getgid())
    assert wrapped.cr1("-Oz", "-c", "a.c").status == 0
    assert wrapped.last().daemon_problem == ""
    assert wrapped.read("a.o") == first


def test_the_command_starts_shows_and_stops_it(runtime: Path, any_toolchain: Toolchain) -> None:
    def daemon(*words: str) -> str:
        environ = {**os.environ, "CR1_CLANG": any_toolchain.driver}
        command = [sys.executable, "-m", "cr1cc.cli.main", "daemon", *words]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    assert daemon("status") == "no resident process runs\n"
    assert daemon("logs") == "nothing yet\n"
    assert daemon("start").startswith("started: ")
    assert daemon("start").startswith("runs already: ")
    (row,) = json.loads(daemon("status", "--json"))
    assert 0 < row["memory"] < 100 << 20
    assert str(row["pid"]) in daemon("status")
    assert "listens: " in daemon("logs")
    assert daemon("stop") == f"stopped: {row['pid']}\n"
    assert daemon("status") == "no resident process runs\n"


@pytest.mark.parametrize("log", ["full", "folder"])
def test_it_works_where_it_cannot_log(
    log: str, runtime: Path, any_toolchain: Toolchain, tmp_path: Path
) -> None:
    place = place_for(service(any_toolchain), os.environ)
    if log == "full":
        os.symlink("/dev/full", place.log)
    else:
        os.mkdir(place.log)
    assert client.start(place, service(any_toolchain), os.environ)
    wait_for(lambda: os.path.exists(place.socket))
    with evaluator(any_toolchain, tmp_path) as resident:
        assert isinstance(resident.measure([SIZE])[0], Score)
        assert resident.resident is not None
        assert resident.resident.problem == ""


def test_doctor_says_which_one_does_not_answer(place: Place, any_toolchain: Toolchain) -> None:
    def doctor() -> tuple[int, str]:
        environ = {**os.environ, "CR1_CLANG": any_toolchain.driver}
        command = [sys.executable, "-m", "cr1cc.cli.main", "doctor"]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout

    pid = pid_of(place)
    assert f"running: {pid}" in doctor()[1]
    os.kill(pid, signal.SIGSTOP)
    status, text = doctor()
    assert status == 1
    assert f"no answer, compiles go on without it: {pid}" in text
    os.kill(pid, signal.SIGCONT)
    assert f"running: {pid}" in doctor()[1]


def test_somebody_who_only_listens_is_not_waited_for(
    runtime: Path, any_toolchain: Toolchain, tmp_path: Path
) -> None:
    assert any_toolchain.libllvm
    place = place_for(service(any_toolchain), os.environ)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(place.socket)
        listener.listen()
        with evaluator(any_toolchain, tmp_path) as own:
            assert isinstance(own.measure([SIZE])[0], Score)


def test_a_compile_starts_it_and_keeps_nothing_open(
    runtime: Path, any_toolchain: Toolchain, tmp_path: Path
) -> None:
    wrapped = Wrapped(tmp_path, any_toolchain, CR1_CACHE="false", CR1_PACKS="false")
    wrapped.write("a.c")
    objects = []
    for _ in range(3):  # the pipes of the first would not end if it kept them
        done = wrapped.cr1("-Oz", "-c", "a.c")
        assert (done.status, done.stderr) == (0, b"")
        objects.append(wrapped.read("a.o"))
        (process,) = survey.running(os.environ)
        wait_for(lambda process=process: os.path.exists(process.place.socket))
    without = wrapped.cr1("-Oz", "-c", "a.c", CR1_DAEMON="false")
    assert without.status == 0
    assert {*objects, wrapped.read("a.o")} == {objects[0]}
    names = os.listdir(f"/proc/{pid_of(process.place)}/fd")
    links = {os.readlink(f"/proc/{pid_of(process.place)}/fd/{name}") for name in names}
    assert {link for link in links if link.startswith("pipe")} == set()


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("proposer", "kinds"), [("coreset", {"llvm"}), ("model", {"llvm", "model"})]
)
def test_objects_of_a_build_are_equal_with_it_without_it_and_with_it_killed(
    proposer: str, kinds: set[str], runtime: Path, any_toolchain: Toolchain, tmp_path: Path
) -> None:
    if proposer == "model":
        pytest.importorskip("llama_cpp", reason="the package llama-cpp-python is missing")
    count = 24
    for number in range(count):
        source = PROGRAM.replace(
            "int pick", f"int pick{number}(int x) {{ return x * {number} + 1; }}\nint pick"
        )
        (tmp_path / f"f{number}.c").write_text(source)
    (tmp_path / "Makefile").write_text(
        f"all: {' '.join(f'f{n}.o' for n in range(count))}\n%.o: %.c\n\t$(CC) -Oz -c $< -o $@\n"
    )
    wrapped = Wrapped(
        tmp_path, any_toolchain, CR1_CACHE="false", CR1_PACKS="false", CR1_PROPOSER=proposer
    )

    def build(**settings: str) -> dict[str, bytes]:
        compiler = " ".join(wrapped.command())
        subprocess.run(["make", "clean", "-s"], cwd=tmp_path, check=False, capture_output=True)
        for path in tmp_path.glob("*.o"):
            path.unlink()
        subprocess.run(
            ["make", "-j8", f"CC={compiler}"], cwd=tmp_path, check=True, capture_output=True,
            env=wrapped.environ(**settings),
        )  # fmt: skip
        return {path.name: path.read_bytes() for path in tmp_path.glob("*.o")}

    without = build(CR1_DAEMON="false")
    assert len(without) == count
    assert build() == without
    done = threading.Event()
    killed: list[str] = []

    def kill() -> None:
        rng = random.Random(1)
        while not done.wait(rng.uniform(0.05, 0.4)):
            for process in survey.running(os.environ):
                if process.pid:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(process.pid, rng.choice([signal.SIGKILL, signal.SIGSTOP]))
                        killed.append(process.kind)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        disturbed = build()
    finally:
        done.set()
        killer.join()
    assert disturbed == without
    assert len(killed) > 1
    assert set(killed) == kinds
