"""The rules that keep the code in layers, and a plain compile quick to start."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "cr1cc"

# From the bottom up. Members of one row do not know each other; a row knows only rows above it.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("outcome", "errors", "features"),
    ("records",),
    ("config",),
    ("util",),
    ("llvm", "lock"),
    ("toolchain", "passes"),
    ("asm", "driver", "ir", "model"),
    ("policy",),
    ("evaluate",),
    ("validate", "resident"),
    ("storage",),
    ("decide", "emit", "basis", "journey", "gate"),
    ("improve", "donors", "prove"),
    ("speed", "rewrite"),
    ("assembly",),
    ("compile", "compile_gcc", "compile_speed"),
    ("train", "bench", "tune", "listing"),
    ("command", "cli"),
    ("wrapper",),
)
RANK = {name: rank for rank, row in enumerate(LAYERS) for name in row}

# Each third-party package has one door.
PACKAGES = (
    "bitwuzla", "capstone", "click", "diskcache", "elftools", "gguf", "llama_cpp", "numpy",
    "psutil", "redis", "rich", "triton", "z3",
)  # fmt: skip
# The command line is click all over; arrays of numbers are what a model is made of, and
# quantised ones what its file holds.
MANY_DOORS = {
    "click": ("cr1cc.cli",),
    "rich": ("cr1cc.cli",),
    "gguf": ("cr1cc.train",),
    "numpy": ("cr1cc.model", "cr1cc.train"),
}

# What starting a compile must not load: heavy, or not needed before something is unknown.
NOT_AT_START = frozenset(
    {*PACKAGES, "argparse", "asyncio", "concurrent", "ctypes", "email", "http", "logging",
     "importlib.metadata", "multiprocessing", "pathlib", "shutil", "socket", "sqlite3",
     "subprocess", "tempfile", "tomllib", "unittest", "urllib"}
)  # fmt: skip


def modules() -> dict[str, Path]:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(path: Path) -> set[str]:
    """Every module that a file names in an import, those inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            module = node.module or ""
            found.add(module)
            if module == "cr1cc":
                found.update(f"cr1cc.{alias.name}" for alias in node.names)
    return found


def layer(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "cr1cc" and len(parts) > 1 else None


def test_every_module_belongs_to_a_layer() -> None:
    assert {name for module in modules() if (name := layer(module))} <= set(RANK)


@pytest.mark.parametrize("name", [name for row in LAYERS for name in row])
def test_imports_go_downward_only(name: str) -> None:
    wrong = [
        f"{module} imports {target}"
        for module, path in modules().items()
        if layer(module) == name
        for target in imports(path)
        if (other := layer(target)) and other != name and RANK[other] >= RANK[name]
    ]
    assert wrong == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_third_party_package_has_one_door(package: str) -> None:
    doors = defaultdict(set)
    many = MANY_DOORS.get(package, ())
    for module, path in modules().items():
        if package in {target.split(".")[0] for target in imports(path)}:
            doors[many if module.startswith(many) else module].add(module)
    assert len(doors) <= 1, sorted(map(str, doors))


def test_starting_a_compile_loads_nothing_heavy() -> None:
    listing = "import json, sys; import cr1cc.command; print(json.dumps(sorted(sys.modules)))"
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    # -I and -S keep out what the site's own start files load.
    out = subprocess.run(
        [sys.executable, "-S", "-c", listing], env=environ, capture_output=True, text=True
    )
    assert out.returncode == 0, out.stderr
    loaded = set(json.loads(out.stdout))
    assert {name for name in loaded if name in NOT_AT_START} == set()


def test_a_compile_with_a_known_model_loads_nothing_of_it() -> None:
    # What compile.py imports, and the module that it takes where the model proposes.
    listing = (
        "import json, sys; import cr1cc.compile, cr1cc.policy.model_, cr1cc.model.describe;"
        "print(json.dumps(sorted(sys.modules)))"
    )
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    out = subprocess.run(
        [sys.executable, "-c", listing], env=environ, capture_output=True, text=True
    )
    assert out.returncode == 0, out.stderr
    loaded = set(json.loads(out.stdout))
    heavy = {"llama_cpp", "numpy", "socket", "subprocess", "cr1cc.model.client"}
    assert loaded & {*heavy, "cr1cc.model.decoding", "cr1cc.model.engine"} == set()


def test_code_files_are_short_enough_to_hold_in_the_head() -> None:
    # Pure tables may be longer; 400 leaves room for a docstring too many, not for a second topic.
    tables = re.compile(r"/(driver/options|passes/(table|options|vetted))")
    long = {
        str(path.relative_to(ROOT)): lines
        for path in modules().values()
        if not tables.search(str(path)) and (lines := path.read_text().count("\n")) > 400
    }
    assert long == {}


def test_the_folder_map_and_the_folders_agree() -> None:
    page = ROOT / "docs/architecture.md"
    if not page.exists():
        pytest.skip("docs/architecture.md is missing")
    text = page.read_text(encoding="utf-8")
    folders = {
        path.name
        for path in PACKAGE.iterdir()
        if path.is_dir() and not path.name.startswith("_") and any(path.glob("*.py"))
    }
    assert {name for name in folders if f"{name}/" not in text} == set()
    described = set(re.findall(r"^ {2,}([a-z]+)/ ", text, re.MULTILINE))
    assert {
        name for name in described if not ((PACKAGE / name).is_dir() or (ROOT / name).is_dir())
    } == set()
