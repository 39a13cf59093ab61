"""What the tests of build systems share: our commands as scripts, a small project."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from cr1cc.errors import ToolchainError
from cr1cc.records import Toolchain
from tests.e2e.locking import Locking
from tests.e2e.wrapped import Wrapped, WrappedGcc
from tests.projects import compilers as found_compilers
from tests.projects.build import Compiler

SMALL = Path(__file__).parent / "data/small"
ROOT = Path(__file__).parents[2]
SCRIPTS = {
    "cr1": "cr1cc.cli.main import main",
    "cr1-clang": "cr1cc.wrapper import clang as main",
    "cr1-clang++": "cr1cc.wrapper import clangxx as main",
    "cr1-gcc": "cr1cc.wrapper import gcc as main",
    "cr1-g++": "cr1cc.wrapper import gxx as main",
}


@pytest.fixture
def compilers(tmp_path: Path, any_toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with console scripts like those that pip writes, for this checkout."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, function in SCRIPTS.items():
        script = folder / name
        script.write_text(
            f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\n"
            f"from {function}\nsys.exit(main())\n"
        )
        script.chmod(0o755)
    monkeypatch.setenv("CR1_CLANG", any_toolchain.driver)
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the small project, which has a library in C and a program in C++."""
    return Path(shutil.copytree(SMALL, tmp_path / "small"))


@pytest.fixture
def plain_gcc() -> Compiler:
    try:
        return found_compilers.plain_gcc()
    except ToolchainError as error:
        pytest.skip(str(error))


@pytest.fixture(params=["gcc", "clang"])
def locking(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    gcc_and_gxx: tuple[str, str],
    usable_compilers: Mapping[int, Toolchain],
) -> Locking:
    if not usable_compilers:
        pytest.skip("clang is missing")
    toolchain = usable_compilers[max(usable_compilers)]
    settings = {"CR1_CLANG": toolchain.driver, "CR1_GCC": gcc_and_gxx[0]}
    if request.param == "gcc":
        return Locking(WrappedGcc(tmp_path, *gcc_and_gxx, **settings), "gcc")
    return Locking(Wrapped(tmp_path, toolchain, **settings), "clang")
