"""Whatever is wrong, the compiler's own behaviour or one clear line; never half an object."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cr1cc import config
from cr1cc.outcome import Outcome
from cr1cc.records import Answer, Decision, Recipe, Toolchain
from cr1cc.storage.codec import encode_decision
from cr1cc.storage.envelope import seal
from cr1cc.storage.local import LocalStore
from cr1cc.storage.store import DecisionStore
from tests.e2e.wrapped import Done, Wrapped, loadable


@pytest.fixture
def place(tmp_path: Path, any_toolchain: Toolchain) -> Wrapped:
    return Wrapped(tmp_path, any_toolchain)


def _without_traceback(done: Done) -> Done:
    assert b"Traceback" not in done.stderr
    return done


@pytest.mark.parametrize(
    "arguments",
    [
        ("-Oz", "-c", "missing.c"),
        ("-Oz", "-c", "wrong.c"),
        ("-Oz", "-c", "fine.c", "-o", "no/such/folder/out.o"),
        ("-Oz", "-c", "folder.c"),
        ("-Oz", "-c", "fine.c", "--no-such-option"),
        ("-Oz", "-c", "@missing.rsp"),
    ],
    ids=" ".join,
)
def test_the_users_mistakes_end_as_with_the_real_compiler(
    place: Wrapped, arguments: tuple[str, ...]
) -> None:
    place.write("fine.c")
    place.write("wrong.c", "int f( { return }\n")
    (place.folder / "folder.c").mkdir()
    real = place.real(*arguments)
    before = place.names()
    ours = _without_traceback(place.cr1(*arguments))
    assert (ours.status, ours.stdout, ours.stderr) == (real.status, real.stdout, real.stderr)
    assert real.status != 0
    assert place.names() == before


def _script(place: Wrapped, text: str) -> str:
    path = place.write("fake-clang", "#!/bin/sh\n" + text)
    path.chmod(0o755)
    return str(path)


def test_a_clang_that_dies_by_signal_dies_so_for_make(place: Wrapped) -> None:
    place.write("fine.c")
    fake = _script(
        place,
        f'case "$*" in *emit-llvm*|*--version*) exec {place.toolchain.driver} "$@";; esac\n'
        "kill -SEGV $$\n",
    )
    done = _without_traceback(place.cr1("-Oz", "-c", "fine.c", CR1_CLANG=fake))
    assert done.status == -signal.SIGSEGV
    assert not (place.folder / "fine.o").exists()


def test_a_clang_without_libllvm_goes_straight_through(place: Wrapped) -> None:
    place.write("fine.c")
    version = "clang version 19.1.7\\nTarget: x86_64-pc-linux-gnu\\nInstalledDir: /nowhere"
    fake = _script(
        place,
        f'case "$*" in *--version*) printf "{version}\\n"; exit 0;; esac\n'
        f'exec {place.toolchain.driver} "$@"\n',
    )
    assert _without_traceback(place.cr1("-Oz", "-c", "fine.c", CR1_CLANG=fake)).status == 0
    assert place.last().outcome == "no_libllvm"
    assert (place.folder / "fine.o").exists()


def test_a_clang_that_is_not_there_is_one_clear_line(place: Wrapped) -> None:
    done = _without_traceback(place.cr1("-Oz", "-c", "fine.c", CR1_CLANG="/no/such/clang"))
    assert done.status != 0
    assert done.stderr.startswith(b"cr1-clang: error: ")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    ("settings", "outcome"),
    [
        ({"CR1_BUDGET": "many"}, "bad_settings"),
        ({"CR1_ENABLED": "0"}, "disabled"),
        ({"CR1_ACTIVE": "somebody"}, "recursion"),
    ],
)
def test_settings_that_stop_us_leave_the_real_compilers_object(
    place: Wrapped, settings: dict[str, str], outcome: str
) -> None:
    place.write("fine.c")
    place.real("-Oz", "-c", "fine.c", "-o", "plain.o")
    done = _without_traceback(place.cr1("-Oz", "-c", "fine.c", **settings))
    assert (done.status, done.stderr) == (0, b"")
    assert place.last().outcome == outcome
    assert place.read("fine.o") == place.read("plain.o")


def test_a_settings_file_with_nonsense_leaves_the_real_compilers_object(place: Wrapped) -> None:
    place.write("fine.c")
    place.write("cr1.toml", "budget = [[[\n")
    assert _without_traceback(place.cr1("-Oz", "-c", "fine.c")).status == 0
    assert place.last().outcome == "bad_settings"
    assert "cr1.toml" in place.last().detail


def _poison(name: str, decision: Decision) -> Decision | bytes:
    return {
        "unknown pass": dataclasses.replace(decision, recipe=Recipe(("evil-pass",))),
        "unknown option": dataclasses.replace(decision, recipe=Recipe(("@size",), ("-evil",))),
        "another recipe": dataclasses.replace(decision, recipe=Recipe(("@size", "@size"))),
        "another size": dataclasses.replace(decision, bytes_after=decision.bytes_after - 8),
        "wrong types": encode_decision(decision).replace(b'"stages":[', b'"stages":7,"x":['),
        "no JSON": b"\x80\x04K\x01.",
    }[name]


@pytest.mark.parametrize(
    "kind",
    ["unknown pass", "unknown option", "another recipe", "another size", "wrong types", "no JSON"],
)
def test_a_poisoned_decision_changes_nothing(place: Wrapped, kind: str) -> None:
    place.write("one.c")
    place.cr1("-Oz", "-c", "one.c", CR1_REWRITE="off")
    searched = place.last().key
    place.cr1("-Oz", "-c", "one.c")
    expected, event = place.read("one.o"), place.last()
    assert event.outcome == "smaller"
    settings = config.load(place.environ(), str(place.folder))
    local = LocalStore(settings.cache_dir, settings.cache_size)
    local.remove([name for name, _ in local.rows() if name.startswith("object/")])
    # That of the search, and that of the object with shorter assembly, which rests on it.
    for key in {searched, event.key}:
        with DecisionStore(settings) as store:
            decision = store.module(key)
            assert decision is not None
            poison = _poison(kind, decision)
            if isinstance(poison, Decision):
                store.put_module(key, poison)
    if isinstance(poison, bytes):
        for name in [one for one, _ in local.rows() if one.startswith("module.better/")]:
            assert local.put({name: seal(name, poison)})
    local.close()
    done = _without_traceback(place.cr1("-Oz", "-c", "one.c"))
    assert (done.status, done.stderr) == (0, b"")
    assert place.last().outcome == "smaller"
    assert place.read("one.o") == expected


def test_a_decision_that_says_nothing_is_better_is_believed_only_of_its_module(
    place: Wrapped,
) -> None:
    place.write("one.c")
    place.cr1("-Oz", "-c", "one.c")
    key, expected = place.last().key, place.read("one.o")
    settings = config.load(place.environ(), str(place.folder))
    with DecisionStore(settings) as store:
        store.put_module(key[::-1], Decision(Answer.NOTHING, Outcome.NOTHING_BETTER))
    (place.folder / "one.o").unlink()
    place.cr1("-Oz", "-c", "one.c")
    assert place.read("one.o") == expected


@pytest.mark.parametrize("module", ["cr1cc.compile", "cr1cc.driver.argv", "cr1cc.improve"])
def test_a_module_of_ours_that_does_not_load_leaves_the_real_compilers_object(
    place: Wrapped, module: str
) -> None:
    place.write("fine.c")
    place.real("-Oz", "-c", "fine.c", "-o", "plain.o")
    breaking = (
        f"import sys; sys.modules[{module!r}] = None; sys.argv = ['cr1-clang', *sys.argv[1:]]; "
        "from cr1cc.wrapper import clang; clang()"
    )
    done = subprocess.run(
        [sys.executable, "-c", breaking, "-Oz", "-c", "fine.c"],
        cwd=place.folder,
        env=place.environ(),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert place.last().outcome == "internal_error"
    assert place.read("fine.o") == place.read("plain.o")


def test_an_unwritable_cache_never_fails_a_compile(place: Wrapped) -> None:
    place.write("fine.c")
    place.write("file", "not a folder")
    settings = {"CR1_CACHE_DIR": str(place.folder / "file" / "cache")}
    assert _without_traceback(place.cr1("-Oz", "-c", "fine.c", **settings)).status == 0
    assert place.last().outcome == "smaller"
    assert place.last().store_problem


def test_a_file_size_limit_leaves_no_half_object(place: Wrapped) -> None:
    place.write("fine.c")
    limited = subprocess.run(
        ["bash", "-c", 'ulimit -f 1; exec "$@"', "-", *place.command("-Oz", "-c", "fine.c")],
        cwd=place.folder,
        env=place.environ(),
        capture_output=True,
        check=False,
    )
    assert limited.returncode != 0
    assert b"Traceback" not in limited.stderr
    assert not [name for name in place.names() if "cr1-" in name]


def _wait_for_handler(pid: int) -> None:
    """Until Python itself is started: what it prints when it is interrupted is its own."""
    for _ in range(1000):
        status = Path(f"/proc/{pid}/status").read_text()
        caught = int(status.split("SigCgt:")[1].split()[0], 16)
        if caught >> (signal.SIGTERM - 1) & 1:
            return
        time.sleep(0.002)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("delay", [0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.2])
def test_an_interrupt_at_any_moment_leaves_a_whole_object_or_none(
    place: Wrapped, number: signal.Signals, delay: float
) -> None:
    place.write("fine.c")
    process = subprocess.Popen(
        place.command("-Oz", "-c", "fine.c"),
        cwd=place.folder,
        env=place.environ(CR1_BUDGET="64"),
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    _wait_for_handler(process.pid)
    time.sleep(delay)
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass
    _, stderr = process.communicate(timeout=60)
    assert process.returncode in (-number, 0)
    assert b"Traceback" not in stderr
    left = place.names() - {"fine.c"}
    assert left <= {"fine.o"}
    if left:
        assert loadable(place.read("fine.o")) > 0
