"""What is tuned: the objects that a build made, and what may be chosen for each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from cr1cc.compile_speed import Record
from cr1cc.lock import Locked
from cr1cc.speed.build import Choice
from cr1cc.speed.table import Build, build_of
from cr1cc.tune.statistics import Gain
from cr1cc.util.elf import NotElfError, ObjectFile

Place = tuple[str, str, str, str]  # that of `lock.Locked`


@dataclass(frozen=True)
class Unit:
    """One source of the build with its options. `outputs` are the objects that it became."""

    record: Record
    outputs: tuple[str, ...] = ()

    @property
    def place(self) -> Place:
        """What its decision is found by."""
        record = self.record
        return record.source, record.options, record.text, record.compiler

    @property
    def builds(self) -> list[Build]:
        """The builds that it may be made by."""
        return [build_of(label) for label in self.record.builds]

    def functions(self) -> dict[str, int]:
        """Sizes of its functions in the object that is there now; none if it is no object."""
        try:
            with open(self.record.output, "rb") as file:
                return ObjectFile(file.read()).function_sizes()
        except (OSError, NotElfError):
            return {}


Assignment = Mapping[Place, Choice]  # units that are left out are the baseline


def read_records(path: str) -> list[Unit]:
    """The units of a build, in the order of their names."""
    found: dict[Place, Unit] = {}
    try:
        with open(path, "rb") as file:
            for line in file:
                fields = json.loads(line)
                fields["builds"] = tuple(fields["builds"])
                unit = Unit(Record(**fields), (fields["output"],))
                before = found[unit.place].outputs if unit.place in found else ()
                found[unit.place] = replace(unit, outputs=(*before, *unit.outputs))
    except FileNotFoundError:
        pass
    return [found[place] for place in sorted(found)]


def locked(unit: Unit, choice: Choice, gain: Gain | None = None, tests: int = 0) -> Locked:
    """The line of a lockfile for a choice, and the evidence for it."""
    record = unit.record
    family = record.compiler.partition("-")[0]
    foreign = any(build.family != family for build in choice.builds)
    return Locked(
        record.source, record.level, record.options, record.text, record.compiler,
        choice.build.label,
        tuple(sorted((name, build.label) for name, build in choice.functions)),
        choice.isa,
        record.other if foreign else "",
        str(gain) if gain else "",
        gain.runs if gain else 0,
        tests,
    )  # fmt: skip


def text_of(assignment: Assignment) -> str:
    """An assignment as text, equal for equal ones."""
    lines = []
    for place in sorted(assignment):
        choice = assignment[place]
        functions = ",".join(f"{name}={build.label}" for name, build in sorted_functions(choice))
        lines.append(f"{'|'.join(place)} {choice.build.label} {functions} {choice.isa}")
    return "\n".join(lines)


def sorted_functions(choice: Choice) -> Iterable[tuple[str, Build]]:
    """The functions of a choice by name."""
    return sorted(choice.functions, key=lambda pair: pair[0])
