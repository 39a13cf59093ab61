"""Which packages are installed, as Python's own way to ask says it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from cr1cc.prove import installed
from cr1cc.rewrite.version import rewriting


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    installed._installed.cache_clear()
    yield
    installed._installed.cache_clear()


@pytest.mark.parametrize("package", installed.PACKAGES)
def test_versions_are_those_of_the_metadata(package: str) -> None:
    try:
        expected = metadata.version(package)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{package} is missing")
    assert installed.version_of(package) == expected


def test_without_one_of_them_no_window_is_rewritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("triton_library-1.0.0rc4.dist-info", "z3_solver-4.8.12.0-py3.11.egg-info"):
        (tmp_path / name).mkdir()
    with monkeypatch.context() as patched:
        patched.setattr(sys, "path", [str(tmp_path), str(tmp_path / "none")])
        assert installed.version_of("z3-solver") == "4.8.12.0"
        names_alone = rewriting("all", "gcc")
        assert "windows" not in names_alone != ""
        (tmp_path / "bitwuzla-0.9.1.dist-info").mkdir()
        installed._installed.cache_clear()
        assert "bitwuzla 0.9.1" in rewriting("all", "clang")
        assert rewriting("gcc", "gcc") == rewriting("all", "gcc") != names_alone
        assert rewriting("gcc", "clang") == rewriting("all", "clang").partition(" 2 windows")[0]
        assert rewriting("off", "gcc") == rewriting("off", "clang") == ""
