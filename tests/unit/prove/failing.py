"""Solvers that fail, each in its own way."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence

from cr1cc.prove.engines import Reply


def killed(text: str, names: Sequence[str], conflicts: int) -> Reply:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def greedy(text: str, names: Sequence[str], conflicts: int) -> Reply:
    return "unsat", [len(bytearray(1 << 40))]


def endless(text: str, names: Sequence[str], conflicts: int) -> Reply:
    while True:
        pass


def broken(text: str, names: Sequence[str], conflicts: int) -> Reply:
    raise ValueError("a parse error")
