"""What is tuned: the objects that a build made, and what may be chosen for each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from cr1cc.compile_speed import Record
from cr1cc.lock import Locked
from cr1cc.speed.build import Choice
from cr1cc.speed.table import TRAINING, Build, build_of
from cr1cc.tune.statistics import Gain
from cr1cc.util.elf import STB_GLOBAL, STT_FUNC, NotElfError, ObjectFile

Place = tuple[str, str, str, str]  # that of `lock.Locked`


@dataclass(frozen=True)
class Unit:
    """One source of the build with its options. `outputs` are the objects that it became."""

    record: Record
    outputs: tuple[str, ...] = ()
    profile: str = ""  # the name of what a training run has counted, "" if there is none

    @property
    def name(self) -> str:
        """One word for it, hexadecimal."""
        said = repr(self.place).encode(errors="surrogateescape")
        return hashlib.blake2b(said, digest_size=10).hexdigest()

    @property
    def place(self) -> Place:
        """What its decision is found by."""
        record = self.record
        return record.source, record.options, record.text, record.compiler

    @property
    def builds(self) -> list[Build]:
        """The builds that it may be made by."""
        rows = map(build_of, self.record.builds)
        return [row for row in rows if self.profile or not row.profiled]

    def functions(self) -> dict[str, int]:
        """Sizes of its functions in the object that is there now; none if it is no object."""
        try:
            with open(self.record.output, "rb") as file:
                return ObjectFile(file.read()).function_sizes()
        except (OSError, NotElfError):
            return {}

    def global_functions(self) -> list[str]:
        """The functions that the object defines for others, the largest first."""
        try:
            with open(self.record.output, "rb") as file:
                found = [
                    (-one.size, one.name)
                    for one in ObjectFile(file.read()).symbols()
                    if one.defined and (one.type, one.binding) == (STT_FUNC, STB_GLOBAL)
                ]
        except (OSError, NotElfError):
            return []
        return [name for _, name in sorted(found)]


Assignment = Mapping[Place, Choice]  # units that are left out are the baseline


def read_records(path: str) -> list[Unit]:
    """The units of a build, in the order of their names."""
    found: dict[Place, Unit] = {}
    try:
        with open(path, "rb") as file:
            for line in file:
                fields = json.loads(line)
                for name in ("builds", "one_body", "proposed"):
                    fields[name] = tuple(fields[name])
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
        _labelled(choice.functions),
        choice.isa,
        record.other if foreign else "",
        str(gain) if gain else "",
        gain.runs if gain else 0,
        tests,
        _labelled(choice.ifunc),
        choice.windows,
        _profile(unit, choice),
        choice.proposed,
    )  # fmt: skip


def _profile(unit: Unit, choice: Choice) -> str:
    """What the lockfile calls the profile of a choice: where it is counted the unit's name."""
    if choice.build == TRAINING:
        return unit.name
    return unit.profile if any(build.profiled for build in choice.builds) else ""


def _labelled(pairs: Iterable[tuple[str, Build]]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, build.label) for name, build in pairs))


def text_of(assignment: Assignment) -> str:
    """An assignment as text, equal for equal ones."""
    lines = []
    for place in sorted(assignment):
        choice = assignment[place]
        functions, ifunc = map(_listed, (choice.functions, choice.ifunc))
        words = (choice.build.label, functions, ifunc, choice.isa, choice.windows)
        lines.append(f"{'|'.join(place)} {' '.join(words)}")
    return "\n".join(lines)


def _listed(pairs: Iterable[tuple[str, Build]]) -> str:
    """Functions with their builds, by name."""
    return ",".join(f"{name}={label}" for name, label in _labelled(pairs))
