"""The installed package, as a user gets it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cr1cc.records import Toolchain
from tests.e2e.wrapped import LLAMA_BUILD

ROOT = Path(__file__).parents[2]


@pytest.mark.long
@pytest.mark.usefixtures("by_default")
def test_pip_install_gives_working_commands_and_the_shipped_data(
    tmp_path: Path, any_toolchain: Toolchain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)  # what was installed must serve
    # A copy, so that the build leaves nothing in the checkout.
    ignored = shutil.ignore_patterns(
        ".venv", ".git", "build", "*.egg-info", ".*_cache", ".cr1-build"
    )
    source = shutil.copytree(ROOT, tmp_path / "source", symlinks=True, ignore=ignored)
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    installed = subprocess.run(
        [venv / "bin/pip", "install", "--quiet", "--disable-pip-version-check", source],
        capture_output=True,
        text=True,
        env={**os.environ, "CMAKE_ARGS": LLAMA_BUILD},
    )
    if "Temporary failure" in installed.stderr or "NewConnectionError" in installed.stderr:
        pytest.skip("the package registry is missing")
    assert installed.returncode == 0, installed.stderr
    text = (
        "import os, pathlib; from cr1cc.util.data import data_path;"
        "root = pathlib.Path(data_path('wrappers'));"
        "names = [str(path.relative_to(root)) for path in root.rglob('*') if path.is_file()];"
        "print(sorted(names), os.path.islink(data_path('cache')))"
    )
    out = subprocess.run([venv / "bin/python", "-c", text], capture_output=True, cwd=tmp_path)
    wrappers = ROOT / "wrappers"
    files = (path for path in wrappers.rglob("*") if path.is_file())
    names = sorted(str(path.relative_to(wrappers)) for path in files)
    assert out.stdout.decode() == f"{names} False\n"
    (model,) = (venv / "lib").glob("python3*/site-packages/cr1cc/model")
    assert (model / "llama.cmake").read_bytes() == (ROOT / "cr1cc/model/llama.cmake").read_bytes()
    package = model.parent
    shipped = subprocess.run(
        ["git", "ls-files", "cr1cc"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()  # the two links are folders of copies there
    missing = [name for name in shipped if not (package.parent / name).exists()]
    assert missing == []
    environ = {**os.environ, "CR1_CLANG": any_toolchain.driver}
    for command, suffix in (("cr1-clang", "c"), ("cr1-clang++", "cc")):
        file = tmp_path / f"file.{suffix}"
        file.write_text("int twice(int x) { return x + x; }\n")
        argv = [venv / "bin" / command, "-Oz", "-c", file, "-o", f"{file}.o"]
        done = subprocess.run(argv, env=environ, capture_output=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        assert Path(f"{file}.o").read_bytes()[:4] == b"\x7fELF"
    told = subprocess.run(
        [venv / "bin/cr1", "explain", tmp_path / "file.c"], env=environ, capture_output=True,
        text=True, check=True,
    ).stdout  # fmt: skip
    assert "searched in this compile" in told  # with the data that it needs


def test_every_requirement_says_why_it_is_there() -> None:
    lines = (ROOT / "setup.cfg").read_text().splitlines()
    requirements = [
        index
        for index, line in enumerate(lines)
        if re.match(r"    [a-z-]+(>=|==)[\d.]+(,<[\d.]+)?$", line)
    ]
    assert len(requirements) >= 8
    assert [lines[index] for index in requirements if "# " not in lines[index - 1]] == []
