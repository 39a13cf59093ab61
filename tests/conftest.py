"""What every test shares: a private home, the compilers of this machine, skips by name."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cr1cc.records import Toolchain
from cr1cc.resident import survey
from cr1cc.toolchain.survey import all_compilers
from tests.projects.build import OF_MAKE

TESTED_VERSIONS = (14, 16, 19, 22, 23)

_XDG = {
    "XDG_CACHE_HOME": "cache",
    "XDG_CONFIG_HOME": "config",
    "XDG_DATA_HOME": "data",
    "XDG_STATE_HOME": "state",
}

# No process that one test starts is met in another; `runtime` is for those that are about that.
ALONE = {"CR1_DAEMON": "false"}

# What pip has built before: nothing of cr1cc, and llama.cpp takes minutes.
_PIP_CACHE = os.environ.get("PIP_CACHE_DIR") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "pip"
)


def pytest_configure() -> None:
    """A shell that runs us in the background has signals ignored, and children inherit that."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def _find() -> dict[int, Toolchain]:
    """The first compiler of every major version that has its libLLVM."""
    with tempfile.TemporaryDirectory() as cache_dir:
        found = all_compilers(os.environ, cache_dir=cache_dir)
    best: dict[int, Toolchain] = {}
    for toolchain in found:
        if toolchain.libllvm:
            best.setdefault(toolchain.major, toolchain)
    return best


_COMPILERS: dict[int, Toolchain] = {}


def compilers() -> dict[int, Toolchain]:
    """Every usable clang of this machine by major version, looked for once."""
    if not _COMPILERS:
        _COMPILERS.update(_find())
    return _COMPILERS


@pytest.fixture(autouse=True)
def private_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test sees the settings or caches of the person who runs it."""
    home = tmp_path_factory.mktemp("xdg")
    for variable, folder in _XDG.items():
        monkeypatch.setenv(variable, str(home / folder))
    monkeypatch.setenv("PIP_CACHE_DIR", _PIP_CACHE)
    for variable in [name for name in os.environ if name.startswith(("CR1_", "CCACHE_"))]:
        monkeypatch.delenv(variable)
    for variable, value in ALONE.items():
        monkeypatch.setenv(variable, value)
    for variable in OF_MAKE:  # the makes of tests are no parts of `make test`
        monkeypatch.delenv(variable, raising=False)
    return home


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A runtime directory of this test alone, with a path short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="cr1-") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)
        for process in survey.running(os.environ):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGCONT)
            assert survey.stop(process)


@pytest.fixture
def by_default(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default settings, and resident processes of this test alone."""
    for variable in ALONE:
        monkeypatch.delenv(variable)


@pytest.fixture(scope="session")
def usable_compilers() -> dict[int, Toolchain]:
    """Every clang with a libLLVM, by major version."""
    return compilers()


@pytest.fixture(params=TESTED_VERSIONS, ids=lambda version: f"clang-{version}")
def toolchain(request: pytest.FixtureRequest) -> Toolchain:
    """Each tested clang in turn; a missing one is a skip with its name."""
    found = compilers().get(request.param)
    if found is None:
        pytest.skip(f"clang {request.param} with its libLLVM is missing")
    return found


@pytest.fixture(scope="session")
def any_toolchain() -> Toolchain:
    """One clang with its libLLVM, the newest that distributions ship if there are several."""
    found = compilers()
    if not found:
        pytest.skip("a clang with its libLLVM is missing")
    return found[19] if 19 in found else found[max(found)]


@pytest.fixture(scope="session")
def gcc_and_gxx() -> tuple[str, str]:
    """The gcc and the g++ of this machine, or a skip with the name of what is missing."""
    found = []
    for name in ("gcc", "g++"):
        path = shutil.which(name)
        if path is None:
            pytest.skip(f"{name} is missing")
        found.append(path)
    return found[0], found[1]


@pytest.fixture(scope="session")
def need() -> Callable[[str], str]:
    """`need("cmake")`: the path of a program, or a skip with its name."""

    def path_of(program: str) -> str:
        path = shutil.which(program)
        if path is None:
            pytest.skip(f"{program} is missing")
        return path

    return path_of
