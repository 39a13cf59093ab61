"""Real projects at -O2 and -O3, each source made by some donor of a lockfile: their own tests pass,
and their programs print the same.

A session of `cr1 tune` would keep a few donors of one program; here all sources have one, drawn
by a seed, so that most rows of the table make parts of real programs.
"""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from cr1cc.compile_speed import RECORD
from cr1cc.lock import write_lock
from cr1cc.outcome import Outcome
from cr1cc.speed import training
from cr1cc.speed.build import Choice
from cr1cc.speed.table import OWN, TRAINING, Build
from cr1cc.tune.units import Assignment, Unit, locked, read_records
from tests.e2e.test_projects import JOBS, SOURCES, available
from tests.projects import compilers, reasons
from tests.projects.build import Build as Built
from tests.projects.build import Compiler, build, check, with_environ
from tests.projects.table import Project

pytestmark = [pytest.mark.long, pytest.mark.timeout(1500)]


class Locked:
    """A project that is built by a lockfile."""

    def __init__(self, project: Project, plain: Compiler, level: str, folder: Path) -> None:
        self.project, self.level, self.folder = project, level, folder
        self.lock = folder / "cr1.lock"
        self.records = folder / "records"
        self.profiles = folder / training.FOLDER
        self.profiles.mkdir()
        self.ours = compilers.ours_gcc(
            plain, folder / "home", CR1_LOCK=str(self.lock), CR1_CACHE="0", CR1_FROZEN="1"
        )

    def build(self, compiler: Compiler) -> Built:
        return build(self.project, compiler, self.level, self.folder / "work", JOBS, SOURCES)

    def decide(self, units: dict[str, Unit], assignment: Assignment) -> None:
        places = {unit.place: unit for unit in units.values()}
        write_lock(str(self.lock), [locked(places[p], c) for p, c in assignment.items()])

    def units(self) -> dict[str, Unit]:
        """The sources of the project by name, but for those of configure scripts."""
        self.lock.touch()
        self.build(with_environ(self.ours, **{RECORD: str(self.records)}))
        found = read_records(str(self.records))
        return {u.name: u for u in found if (self.folder / u.record.source).exists()}

    def train(self, units: dict[str, Unit]) -> dict[str, Unit]:
        """The same with profiles: the project's own test is what is counted."""
        self.decide(units, {unit.place: Choice(TRAINING) for unit in units.values()})
        environ = {training.ELSEWHERE: str(self.profiles)}
        counted = check(self.project, self.build(with_environ(self.ours, **environ)))
        assert counted.passed, counted.detail
        found = {}
        for path in list(self.profiles.iterdir()):
            name = training.digest_of(path.read_bytes())
            found[path.stem] = replace(units[path.stem], profile=name)
            path.rename(training.file_of(str(self.profiles), name))
        return found


def drawn(unit: Unit, *, profiled: bool) -> Build:
    """One of its donors."""
    choose = random.Random(f"{Path(unit.record.source).name} {profiled}").choice
    return choose([b for b in unit.builds if b.name != OWN and b.profiled == profiled])


CASES = [("bzip2", "-O3", False), ("zlib", "-O2", False), ("jsoncpp", "-O2", False),
         ("lua", "-O3", True)]  # fmt: skip


@pytest.mark.parametrize(("name", "level", "profiled"), CASES)
def test_a_project_of_donors_passes_its_own_test(
    name: str, level: str, profiled: bool, plain_gcc: Compiler, tmp_path: Path
) -> None:
    place = Locked(available(name), plain_gcc, level, tmp_path)
    before = place.build(plain_gcc)
    expected = check(place.project, before)
    assert expected.passed, expected.detail
    units = place.units()
    if profiled:
        units = place.train(units)
        assert units
    place.decide(units, {u.place: Choice(drawn(u, profiled=profiled)) for u in units.values()})
    after = place.build(place.ours)
    result = check(place.project, after)
    assert result.passed, result.detail
    assert result.outputs == expected.outputs
    assert after.objects != before.objects
    outcomes = reasons.counts(place.ours)
    assert outcomes.get(Outcome.INTERNAL_ERROR.counter, 0) == 0
    followed = outcomes.get(Outcome.LOCKED.counter, 0)
    assert followed > 5 * outcomes.get(Outcome.LOCK_FAILED.counter, 0), outcomes
