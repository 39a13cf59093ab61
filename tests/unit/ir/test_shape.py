"""Shapes: equal for touched-up copies, different for different code."""

from __future__ import annotations

import subprocess
from pathlib import Path

from cr1cc.ir.shape import shapes
from cr1cc.llvm.library import Library
from cr1cc.llvm.module import Module
from cr1cc.records import Toolchain

LOOP = (
    "int {name}({type} *p, int n) {{ int s = {start}; while (n--) s += p[n] * {by}; return s; }}\n"
)


def shape(text: str, folder: Path, toolchain: Toolchain) -> tuple[str, int]:
    (folder / "m.c").write_text(text)
    command = [toolchain.driver, "-O0", "-w", "-emit-llvm", "-c", "m.c", "-o", "m.bc"]
    subprocess.run(command, cwd=folder, check=True)
    assert toolchain.libllvm
    data = (folder / "m.bc").read_bytes()
    with Module.read(Library(toolchain.libllvm), data) as module:
        (found,) = shapes(module)
    return found


def test_names_constants_and_types_are_no_part_of_it(
    any_toolchain: Toolchain, tmp_path: Path
) -> None:
    def loop(**words: object) -> tuple[str, int]:
        words = {"name": "f", "type": "int", "start": 0, "by": 3} | words
        return shape(LOOP.format(**words), tmp_path, any_toolchain)

    first = loop()
    assert loop(name="g", start=7, by=5) == first
    assert loop(type="unsigned") == first
    assert first[1] > 10


def test_other_operations_and_blocks_are_another_shape(
    any_toolchain: Toolchain, tmp_path: Path
) -> None:
    texts = (
        "int f(int a, int b) { return a + b; }",
        "int f(int a, int b) { return a - b; }",
        "int f(int a, int b) { if (a) return a + b; return b; }",
    )
    assert len({shape(text, tmp_path, any_toolchain)[0] for text in texts}) == 3
