"""The programs of the soundness campaign: our own small ones, then csmith's without end."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass

from cr1cc.errors import UserError

_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "programs")
_INCLUDES = ("/usr/include/csmith", "/usr/local/include/csmith", "/usr/local/include")
# Small enough that a program compiles and runs in a fraction of a second.
_SIZE = (
    *("--max-funcs", "4", "--max-block-depth", "3", "--max-block-size", "3"),
    *("--max-expr-complexity", "5"),
)


@dataclass(frozen=True)
class Program:
    """One C source. `name` is `corpus:NAME` or `csmith:SEED`, enough to make it again."""

    name: str
    source: str
    flags: tuple[str, ...] = ()


def corpus() -> list[Program]:
    """The project's own programs, sorted by name."""
    programs = []
    for file in sorted(os.listdir(_FOLDER)):
        if file.endswith(".c"):
            with open(os.path.join(_FOLDER, file), encoding="utf-8") as source:
                programs.append(Program(f"corpus:{file[:-2]}", source.read(), ("-pthread", "-lm")))
    return programs


def csmith(seed: int) -> Program:
    """The csmith program of a seed. Raises UserError if csmith is not installed."""
    tool = shutil.which("csmith")
    include = next((d for d in _INCLUDES if os.path.exists(os.path.join(d, "csmith.h"))), None)
    if tool is None or include is None:
        raise UserError("csmith with its headers is missing (Debian: csmith, libcsmith-dev)")
    command = [tool, "--seed", str(seed), *_SIZE]
    with tempfile.TemporaryDirectory() as folder:  # csmith leaves a platform.info there
        made = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    if made.returncode:
        raise UserError(f"csmith failed: {made.stderr.strip()[:200]}")
    return Program(f"csmith:{seed}", made.stdout, (f"-I{include}",))


def program(index: int, seed: int) -> Program:
    """Program number `index` of the campaign with this seed."""
    own = corpus()
    return own[index] if index < len(own) else csmith(seed * 1_000_000 + index)
