"""Functions with equal fingerprints must answer every tail with equal sizes."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cr1cc.ir.fingerprint import function_fingerprints
from cr1cc.llvm.module import Module
from cr1cc.llvm.passes import PassRunner
from cr1cc.llvm.target import TargetMachine, TargetSpec

CompileC = Callable[..., Module]

TAILS = (
    "function(simplifycfg,instcombine,simplifycfg)",
    "function(early-cse<memssa>,gvn,dse,instcombine)",
    "function(sroa,reassociate,sccp,adce,simplifycfg)",
)
SEEDS = (3, 14, 15, 92, 65, 35)


def variants(source: str) -> list[tuple[str, tuple[str, ...]]]:
    """The program, renamed, beside another neighbour, and with debug information."""
    renamed = re.sub(
        r"\bfunc_(\d+)\b", r"routine_\1", source
    )  # csmith prints the names of its variables
    neighbour = source + "\nint neighbour(int a) { return a * 7 + 1; }\n"
    return [(source, ()), (renamed, ()), (neighbour, ()), (source, ("-g",))]


def sizes(module: Module, tail: str, folder: Path, nm: str) -> dict[str, int]:
    """st_size of each function after a tail over the whole module."""
    machine = TargetMachine(module.library, module, TargetSpec())
    PassRunner(module.library, machine).run(module, tail)
    (folder / "sized.o").write_bytes(machine.emit(module))
    lines = subprocess.run(
        [nm, "-S", folder / "sized.o"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    fields = [line.split() for line in lines]
    return {f[3]: int(f[1], 16) for f in fields if len(f) == 4 and f[2] in "tTwW"}


@pytest.mark.long
@pytest.mark.parametrize("seed", SEEDS)
def test_equal_fingerprints_give_equal_sizes(
    seed: int, compile_c: CompileC, optimise, need, tmp_path: Path
) -> None:
    csmith, nm = need("csmith"), need("nm")
    source = subprocess.run(
        [csmith, "--seed", str(seed)], capture_output=True, text=True, check=True, cwd=tmp_path
    ).stdout
    include = next(Path("/usr/include").glob("csmith*"))
    sized: dict[tuple[str, str], set[int]] = {}
    seen: list[set[str]] = []
    for text, options in variants(source):
        module = optimise(compile_c(text, "-Oz", "-w", f"-I{include}", *options))
        # Bitcode brings the use lists into the order that follows from the text.
        bitcode = module.bitcode()
        fingerprints = function_fingerprints(module)
        seen.append(set(fingerprints.values()))
        for tail in TAILS:
            fresh = Module.parse_bitcode(module.library, bitcode)
            for name, size in sizes(fresh, tail, tmp_path, nm).items():
                sized.setdefault((fingerprints[name], tail), set()).add(size)
    assert all(len(found) == 1 for found in sized.values())
    assert seen[0] == seen[1] == seen[3]
    assert seen[0] < seen[2]
