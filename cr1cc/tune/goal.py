"""What the user wants of a tuning."""

from __future__ import annotations

from dataclasses import dataclass

# What counts as the time of a run.
PROCESSOR = "processor"  # that of processors, of all processes
WALL = "wall"  # that passes
PRINTED = "printed"  # the last number that it prints
TIMES = (PROCESSOR, WALL, PRINTED)


@dataclass(frozen=True)
class Goal:
    """What the user has asked for. Commands are lines for /bin/sh; "" means none."""

    folder: str
    lock: str
    build: str
    test: str
    bench: str
    clean: str = ""
    isa: str = ""  # as a lockfile says it
    time: str = PROCESSOR
    rounds: int = 21
    ifunc: bool = False  # `isa` is for second bodies of functions only
    windows: bool = False  # of instructions may be made shorter
    model: str = ""  # of assembly that proposes windows: what these depend on; "" for none
