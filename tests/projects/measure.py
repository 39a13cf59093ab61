"""What a command costs: its time beside another's, and the memory of its whole process tree."""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psutil

_SAMPLE_SECONDS = 0.01


class MeasureError(Exception):
    """A command that was to be measured failed; the text ends with the end of its complaint."""


@dataclass(frozen=True)
class Overhead:
    """Medians in milliseconds of two commands that took turns."""

    plain: float
    ours: float

    @property
    def above(self) -> float:
        return self.ours - self.plain


def overhead(
    plain: Sequence[str], ours: Sequence[str], environ: Mapping[str, str], runs: int
) -> Overhead:
    """Run both `runs` times in turns, each with its output discarded."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(runs + 1):
        for number, command in enumerate((plain, ours)):
            started = time.perf_counter()
            subprocess.run(command, env={**os.environ, **environ}, check=True, capture_output=True)
            if turn:  # the first turn fills the disk caches
                times[number].append((time.perf_counter() - started) * 1e3)
    return Overhead(statistics.median(times[0]), statistics.median(times[1]))


def peak_memory(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """The largest sum of the proportional set sizes (PSS) of the command and all its
    descendants, in bytes, sampled every 10 ms or, of many pages, less often."""
    peak = 0
    with subprocess.Popen(
        command, env={**os.environ, **environ}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        while process.poll() is None:
            started = time.monotonic()
            peak = max(peak, _memory(psutil.Process(process.pid)))
            # The kernel adds pages up for each sample: take at most a tenth of a core.
            time.sleep(max(_SAMPLE_SECONDS, 9 * (time.monotonic() - started)))
        complaint = process.stderr.read() if process.stderr else b""
    if process.returncode:
        last = complaint.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise MeasureError(f"{command[0]} ended with {process.returncode}: {''.join(last)}")
    return peak


def _memory(root: psutil.Process) -> int:
    """PSS of a process and its descendants; one whose parent died is missed."""
    total = 0
    for process in (root, *_children(root)):
        with contextlib.suppress(psutil.Error):  # ended meanwhile
            total += process.memory_full_info().pss
    return total


def _children(root: psutil.Process) -> list[psutil.Process]:
    try:
        return list(root.children(recursive=True))
    except psutil.Error:
        return []
