"""Which rules of `cr1cc/rewrite` find something, and what they save, in files of assembly.

    python -m tests.bench_rewrite [--objective smallest] FILES
    python -m tests.bench_rewrite --projects

For each rule: windows that were replaced, the bytes that they save by themselves (jumps that get
shorter come on top), and windows that would be shorter and are not proved. The last lines give the
bytes of code of all files as they were and as they are, as the assembler makes them.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from cr1cc.asm.printer import print_unit
from cr1cc.asm.reader import read_unit
from cr1cc.errors import AsmError, GateError
from cr1cc.gate.body import assembled
from cr1cc.prove.code import unit_of
from cr1cc.rewrite.change import Objective
from cr1cc.rewrite.engine import Rewriter
from cr1cc.rewrite.judge import Judge
from cr1cc.rewrite.windows import Rules
from cr1cc.util.elf import ObjectFile
from tests import rewritten_projects
from tests.projects.fetch import CHECKOUT


def code_size(text: str) -> int:
    """Bytes of the sections with code."""
    sections = ObjectFile(unit_of("code", text, os.environ).data).sections
    return sum(one.size for one in sections if one.kind == "code")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--objective", choices=[one.name.lower() for one in Objective],
                        default="smallest")  # fmt: skip
    parser.add_argument("--show", metavar="RULE", help="print what this rule replaced")
    every = ",".join(rewritten_projects.NAMES)
    parser.add_argument("--projects", nargs="?", const=every, metavar="NAMES")
    parser.add_argument("--ways", default=",".join(rewritten_projects.WAYS))
    parser.add_argument("--seconds", type=float, default=900.0, help="begin no project later")
    parser.add_argument("--folder", type=Path, default=CHECKOUT / "build" / "bench-rewrite")
    parser.add_argument("files", nargs="*", type=Path)
    chosen = parser.parse_args(arguments)
    if chosen.projects:
        _projects(chosen)
        return
    judge = Judge(lambda text: assembled(text, os.environ))
    rewriter = Rewriter([Rules(Objective[chosen.objective.upper()])], judge)
    counts: Counter[str] = Counter()
    saved: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    sizes = [0, 0]
    functions = 0
    start = time.process_time()
    for path in chosen.files:
        try:
            unit = read_unit(path.read_text(encoding="utf-8", errors="surrogateescape"))
            new, report = rewriter.rewrite(unit)
            sizes[0] += code_size(print_unit(unit))
            sizes[1] += code_size(print_unit(new))
        except (AsmError, GateError) as error:
            print(f"{path}: {error}", file=sys.stderr)
            continue
        functions += len({one.function for one in report.changes})
        for one in report.changes:
            counts[one.by] += 1
            saved[one.by] += one.saved
            if one.by == chosen.show:
                print(f"{path.name} {one.function}: {'; '.join(one.old)} -> {'; '.join(one.new)}")
        refused.update(by for names in report.refused.values() for by in names)
    for rule in sorted({*counts, *refused}, key=lambda rule: -saved[rule]):
        print(
            f"{counts[rule]:7} windows {saved[rule]:7} bytes {refused[rule]:5} not proved  {rule}"
        )
    print(f"{sum(counts.values())} windows in {functions} functions, {sum(saved.values())} bytes")
    share = 100 * (1 - sizes[1] / sizes[0]) if sizes[0] else 0.0
    print(f"code {sizes[0]} -> {sizes[1]} bytes, {share:.3f} % less", end=", ")
    print(f"{time.process_time() - start:.1f} s of processor time")


def _projects(chosen: argparse.Namespace) -> None:
    """Measure, print the table, and write the numbers beside it."""
    folder: Path = chosen.folder.absolute()
    names, ways = chosen.projects.split(","), chosen.ways.split(",")
    rewritten_projects.run(folder, names, ways, chosen.seconds)
    rows = rewritten_projects.results(folder)
    print("\n".join(rewritten_projects.table(rows)))
    file = CHECKOUT / "bench" / "rewrite.json"
    file.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
