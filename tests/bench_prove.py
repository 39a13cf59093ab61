"""What a proof costs: time and memory a function, over the planted rewrites.

    python -m tests.bench_prove [--list right] [--list wrong]

Each is proved in a process of its own. Its time is that on the clock, and processor time with that
of both its solvers, which does not depend on what else the machine does; both are without the start
of Python and the loading of packages. Its memory is the largest sum of proportional shares (PSS)
of it and its solvers, looked at every 10 milliseconds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections import Counter
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import psutil

from cr1cc.gate.verdict import Verdict
from cr1cc.prove.code import unit_of
from cr1cc.prove.proof import check_installed, prove
from tests.unit.gate.cases import Case, cases


def proved(case: Case, answers: Connection) -> None:
    """Send the verdict, and the seconds that it took: on the clock, and of processors."""
    check_installed()
    name = case.signature.name
    bodies = [unit_of("f.s", text, os.environ).body(name) for text in (case.original, case.new)]
    start, spent = time.perf_counter(), sum(os.times()[:4])
    judgement = prove(bodies[0], bodies[1], case.signature)
    seconds, processor = time.perf_counter() - start, sum(os.times()[:4]) - spent
    answers.send((judgement.verdict, seconds, processor))


def measured(case: Case) -> tuple[Verdict, float, float, int]:
    """Verdict, seconds on the clock and of processors, and bytes."""
    context = get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=proved, args=(case, there))
    process.start()
    most = 0
    while not here.poll(0.01):
        most = max(most, _memory(psutil.Process(process.pid)))
    verdict, seconds, processor = here.recv()
    process.join()
    return verdict, seconds, processor, most


def _memory(process: psutil.Process) -> int:
    """Bytes of a process and of those it has started."""
    total = 0
    for one in (process, *process.children(recursive=True)):
        try:
            text = Path(f"/proc/{one.pid}/smaps_rollup").read_text(encoding="ascii")
        except OSError:  # it has just ended
            continue
        total += next((int(row.split()[1]) for row in text.splitlines() if row[:4] == "Pss:"), 0)
    return total * 1024


def main() -> None:
    """Print a line for each pair, and medians."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--list", action="append", choices=("right", "wrong"))
    verdicts: Counter[str] = Counter()
    times, spent, sizes = [], [], []
    for kind in parser.parse_args().list or ("right", "wrong"):
        for case in cases(kind):
            verdict, seconds, processor, size = measured(case)
            verdicts[f"{kind} {verdict.word}"] += 1
            times.append(seconds)
            spent.append(processor)
            sizes.append(size / 1e6)
            cost = f"{seconds:7.2f} s {processor:7.2f} s of processors {sizes[-1]:5.0f} MB"
            print(f"{cost}  {kind} {verdict.word}  {case.name}", flush=True)
    for what, many in sorted(verdicts.items()):
        print(f"{many:4} {what}")
    for what, values in (("on the clock", times), ("of processors", spent)):
        print(
            f"median {statistics.median(values):.2f} s, 9 of 10 within {_ninth(values):.2f} s,"
            f" longest {max(values):.1f} s {what}"
        )
    print(f"median {statistics.median(sizes):.0f} MB, most {max(sizes):.0f} MB")


def _ninth(values: list[float]) -> float:
    return sorted(values)[len(values) * 9 // 10]


if __name__ == "__main__":
    main()
