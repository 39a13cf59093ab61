"""The site file for configure scripts, read by sh and by a real project's own configure."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cr1cc.errors import ToolchainError
from cr1cc.util.data import data_path
from tests.e2e.wrapped import decided, run
from tests.projects import compilers as real
from tests.projects.build import build
from tests.projects.errors import FetchError
from tests.projects.fetch import cache_directory, fetch, unpack
from tests.projects.table import PROJECTS

# Looked up before the tests' private home is set up: the archives stay from run to run.
SOURCES = cache_directory()
JOBS = str(min(os.cpu_count() or 1, 8))
SHOW = '. "$ac_site_file"; echo "$CC|$CFLAGS|$CXX|$CXXFLAGS"'


@pytest.fixture
def site(tmp_path: Path) -> Path:
    # A copy: in a checkout the compilers of its own .venv would be found before PATH.
    return Path(shutil.copytree(data_path("wrappers"), tmp_path / "wrappers")) / "config.site"


def read_by_sh(site: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """The four variables as they are after a configure script has read the file."""
    kept = {"PATH": "/usr/bin:/bin", "ac_site_file": str(site), **environ}
    return subprocess.run(["sh", "-c", SHOW], env=kept, capture_output=True, text=True)


# What the user has set, and what must come out; {0} is the folder of our compilers.
SETTINGS = {
    "nothing": ({}, "{0}/cr1-clang|-Oz|{0}/cr1-clang++|-Oz"),
    "own C compiler": ({"CC": "gcc"}, "gcc||{0}/cr1-clang++|-Oz"),
    "both compilers": ({"CC": "gcc", "CXX": "g++"}, "gcc||g++|"),
    "own flags": ({"CFLAGS": "-g -Os"}, "{0}/cr1-clang|-g -Os|{0}/cr1-clang++|-Oz"),
    "empty flags": ({"CFLAGS": "", "CXXFLAGS": ""}, "{0}/cr1-clang||{0}/cr1-clang++|"),
    "another machine": ({"host_alias": "aarch64-linux-gnu"}, "|||"),
    "this machine": (
        {"host_alias": "x86_64-linux-gnu", "build_alias": "x86_64-linux-gnu"},
        "{0}/cr1-clang|-Oz|{0}/cr1-clang++|-Oz",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SETTINGS)
def test_what_the_user_has_set_stays(case: str, site: Path, compilers: Path) -> None:
    environ, expected = SETTINGS[case]
    done = read_by_sh(site, CR1_BIN=str(compilers), **environ)
    assert (done.stdout, done.stderr) == (expected.format(compilers) + "\n", "")


@pytest.mark.parametrize("where", ["PATH", "beside"])
def test_the_compilers_are_found(where: str, site: Path, compilers: Path) -> None:
    folder = compilers
    if where == "beside":
        folder = site.parent
        for name in ("cr1-clang", "cr1-clang++"):
            shutil.copy(compilers / name, folder)
    path = f"/usr/bin:/bin:{compilers}" if where == "PATH" else "/usr/bin:/bin"
    assert (
        read_by_sh(site, PATH=path).stdout == f"{folder}/cr1-clang|-Oz|{folder}/cr1-clang++|-Oz\n"
    )


def test_missing_compilers_end_configure_unless_the_user_has_both(site: Path) -> None:
    done = read_by_sh(site)
    assert done.returncode == 1
    assert "cr1-clang was not found" in done.stderr
    assert read_by_sh(site, CC="gcc", CXX="g++").returncode == 0


@pytest.mark.long
def test_a_real_project_is_configured_and_built_with_the_site_file(
    compilers: Path, tmp_path: Path, site: Path, need: Callable[[str], str]
) -> None:
    need("make")
    try:
        plain = real.plain()
        archive = fetch(PROJECTS["libpng"], SOURCES)
        zlib = build(PROJECTS["zlib"], plain, "-O1", tmp_path / "zlib", int(JOBS), SOURCES).tree
    except (ToolchainError, FetchError) as error:
        pytest.skip(str(error))
    tree = unpack(archive, tmp_path / "libpng")
    where = {"CPPFLAGS": f"-I{zlib}", "LDFLAGS": f"-L{zlib}", "CR1_BIN": str(compilers)}
    environ = dict.fromkeys(("CC", "CXX"), "") | where
    out = run("./configure", "--disable-shared", cwd=tree, CONFIG_SITE=str(site), **environ)
    assert f"loading site script {site}" in out
    assert re.search(r"whether the compiler supports GNU C\.\.\. yes|using GNU C\.\.\. yes", out)
    made = (tree / "Makefile").read_text()
    assert f"\nCC = {compilers}/cr1-clang\n" in made
    assert "\nCFLAGS = -Oz\n" in made
    # No CONFIG_SITE here: what configure found is in its makefiles.
    run("make", f"-j{JOBS}", "libpng16.la", "pngtest", cwd=tree)
    run("./pngtest", cwd=tree)
    objects = {path.name for path in tree.glob("*.o")}
    assert len(objects) > 15
    assert objects <= decided(tree)
