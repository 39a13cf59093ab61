"""One tuning of one project: its builds, their tests, their times, and what is remembered.

What was measured is written down at once, so a session that was interrupted goes on: the same
questions get the answers that they had.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace

from cr1cc.compile_speed import RECORD
from cr1cc.emit import contents
from cr1cc.errors import UserError
from cr1cc.lock import write_lock
from cr1cc.speed import training
from cr1cc.speed.build import Choice
from cr1cc.speed.table import TRAINING, build_of
from cr1cc.tune.goal import PRINTED, WALL, Goal
from cr1cc.tune.memory import Memory
from cr1cc.tune.profile import Profile, profile
from cr1cc.tune.shell import Ran, Shell
from cr1cc.tune.statistics import FIRST_RUNS, SAME, Gain, doubt, gain, is_decided, least_of
from cr1cc.tune.tree import State, Tree
from cr1cc.tune.units import Assignment, Place, Unit, locked, read_records, text_of
from cr1cc.util.atomic import replace_file

_MORE_RUNS = 15
_NOISE = 0.25  # the doubt from which on a benchmark decides nothing
_SHORTEST = 0.005  # seconds


class RejectedError(Exception):
    """An assignment that cannot be built or does not run: the text says why."""


@dataclass
class Limits:
    """What a run may take: a candidate that hangs must not hang the session."""

    processor: int = 0
    wall: float = 0.0


class Session:
    """Builds and measures. `begin` comes first, `end` last."""

    def __init__(
        self, goal: Goal, place: str, environ: Mapping[str, str], say: Callable[[str], None]
    ) -> None:
        """`place` is the session's own folder, for contents and answers."""
        self.goal = goal
        self.say = say
        self.trial = f"{goal.lock}.trial"
        self.records = os.path.join(place, "records")
        self.profiles = os.path.join(place, "profiles")
        ours = ("CR1_LOCK", RECORD, training.ELSEWHERE)
        plain = {key: value for key, value in environ.items() if key not in ours}
        self.shell = Shell(goal.folder, plain)
        self.tree = Tree(
            goal.folder, os.path.join(place, "files"), (goal.lock, self.trial, self.records)
        )
        words = repr((goal, environ.get("PATH"), environ.get("CC"), environ.get("CXX")))
        self.memory = Memory(
            os.path.join(place, "answers"), hashlib.blake2b(words.encode()).hexdigest()
        )
        self.units: dict[Place, Unit] = {}
        self.states: dict[str, State] = {}
        self.limits = Limits()
        self.least_of = 1  # runs, of which a sample is the shortest
        self.output = ""
        self.measured: dict[tuple[object, ...], Gain] = {}
        self.passed: list[Assignment] = []
        self.builds = 0

    def begin(self) -> bool:
        """The baseline: built, tested, run. Returns whether an interrupted session goes on.

        Raises UserError if anything of that fails or nothing was compiled.
        """
        self.tree.open()
        resumed = self.memory.load()
        outputs = self.memory.answers.get("outputs", [])
        assert isinstance(outputs, list)
        for path in outputs:
            _remove(path)
        before = self.tree.stamps()
        self._build_all({})
        self.units = {unit.place: unit for unit in read_records(self.records)}
        if not self.units:
            raise UserError(
                "the build compiled nothing with cr1-gcc or cr1-clang at -O2 or -O3; is it up to "
                "date already (say --clean), and does it use these compilers (CC=cr1-gcc)?"
            )
        outputs = sorted({path for unit in self.units.values() for path in unit.outputs})
        self.tree.manage(before, outputs)
        self.states[""] = self.tree.state()
        self.memory.put("outputs", outputs)
        self._first_runs()
        return resumed

    def _first_runs(self) -> None:
        first = self.shell.run(self.goal.bench)
        if first.status:
            raise UserError(f"the benchmark fails before anything was changed: {first.ending}")
        self.limits = Limits(int(first.seconds * 10) + 10, first.wall * 20 + 60)
        if self.goal.test:
            tested = self.shell.run(self.goal.test)
            if tested.status:
                raise UserError(f"the tests fail before anything was changed: {tested.ending}")
        else:
            self.output = first.output
        runs = [self._bench() for _ in range(FIRST_RUNS)]
        if not self.goal.test and any(ran.output != first.output for ran in runs):
            raise UserError(
                "there is no --test, and the benchmark prints something else each time: nothing "
                "shows that a program still does the same"
            )
        times = [self._time(ran) for ran in runs]
        # Of a number that the benchmark prints nobody knows what disturbs it.
        self.least_of = 1 if self.goal.time == PRINTED else least_of(times)
        if self.least_of > 1 or doubt(times) > _NOISE:
            times = [self._sample() for _ in range(_MORE_RUNS)]
        if self.goal.time != PRINTED and min(times) < _SHORTEST:
            raise UserError(f"the benchmark takes {min(times):.4f} s, too little to be measured")
        if (noise := doubt(times)) > _NOISE:
            raise UserError(
                f"the benchmark is too noisy to decide: {len(times)} runs of one program "
                f"differ so much that a gain would be known to {noise:.0%} only"
            )

    def profile(self) -> Profile:
        """Where the benchmark spends its time; of a session that goes on what it was, because
        what is asked depends on it."""
        known = self.memory.answers.get("profile")
        if isinstance(known, dict):
            return Profile(**known)
        found = profile(self.shell, self.goal.bench)
        self.memory.put("profile", asdict(found))
        return found

    def train(self, places: Iterable[Place]) -> None:
        """Give these units profiles, as far as that can be done: one run of the benchmark with
        objects that count."""
        known = self.memory.answers.get("profiles")
        if not isinstance(known, dict):
            known = self._trained(list(places))
            self.memory.put("profiles", known)
        for unit in self.units.values():
            self.units[unit.place] = replace(unit, profile=str(known.get(unit.name, "")))

    def _trained(self, places: list[Place]) -> dict[str, str]:
        """Names of profiles by names of units."""
        shutil.rmtree(self.profiles, ignore_errors=True)
        os.makedirs(self.profiles)
        if not self._counts(places):
            return {}
        found = {}
        for name in (self.units[place].name for place in places):
            try:
                data = contents(training.file_of(self.profiles, name))
            except OSError:  # it was not linked, or its process ended without leaving counts
                continue
            found[name] = training.digest_of(data)
            replace_file(training.file_of(self.profiles, found[name]), data)
        return found

    def _counts(self, places: list[Place]) -> bool:
        """Run the benchmark with objects that count; False if it does not do as before."""
        chosen = {
            place: Choice(TRAINING)
            for place in places
            if any(build.profiled for build in map(build_of, self.units[place].record.builds))
        }
        while chosen := {p: c for p, c in chosen.items() if not self.obstacle(p, c)}:
            try:
                self.tree.activate(self.state_of(chosen))
                self._checked_bench()
                return True
            except RejectedError as error:
                if not any(self.obstacle(place, choice) for place, choice in chosen.items()):
                    self.say(f"no profile: {error}")
                    return False
        return False

    def compare(self, before: Assignment, after: Assignment, looks: tuple[int, ...]) -> Gain:
        """How much faster `after` is. Runs in turn, until the difference is decided or the
        last of `looks` (numbers of rounds) is reached. Raises RejectedError."""
        key = f"compare\n{text_of(before)}\n\n{text_of(after)}\n{looks}"
        if (known := self.memory.answers.get(key)) is not None:
            if isinstance(known, str):
                raise RejectedError(known)
            assert isinstance(known, dict)
            return Gain(**known)
        try:
            found = self._compare(before, after, looks)
        except RejectedError as error:
            self.memory.put(key, str(error))
            raise
        self.memory.put(key, asdict(found))
        return found

    def _compare(self, before: Assignment, after: Assignment, looks: tuple[int, ...]) -> Gain:
        states = self.state_of(before), self.state_of(after)
        if states[0] == states[1]:
            return SAME
        same = (*map(_contents, states), looks)  # other names of builds, the same programs
        if same not in self.measured:
            self.measured[same] = self._measure(states, looks)
        return self.measured[same]

    def _measure(self, states: tuple[State, State], looks: tuple[int, ...]) -> Gain:
        times: tuple[list[float], list[float]] = ([], [])
        looks = tuple(look for look in looks if look <= self.goal.rounds) or looks[:1]
        for rounds in range(1, looks[-1] + 1):
            for side in (0, 1) if rounds % 2 else (1, 0):
                self.tree.activate(states[side])
                times[side].append(self._sample())
            if rounds in looks and is_decided(found := gain(*times)):
                return found
        return gain(*times)

    def passes(self, assignment: Assignment) -> bool:
        """Whether the user's tests pass, or without tests the benchmark prints the same."""
        key = f"test\n{text_of(assignment)}"
        known = self.memory.answers.get(key)
        passed = self._passes(assignment) if known is None else bool(known)
        if known is None:
            self.memory.put(key, passed)
        if passed:
            self.passed.append(assignment)
        return passed

    def _passes(self, assignment: Assignment) -> bool:
        try:
            self.tree.activate(self.state_of(assignment))
            self._write_trial(assignment)
            if self.goal.test:
                return self.shell.run(self.goal.test, environ=self._environ()).status == 0
            return self._bench().output == self.output
        except RejectedError:
            return False

    def state_of(self, assignment: Assignment) -> State:
        """What the files hold with it; built if need be. Raises RejectedError."""
        key = text_of(assignment)
        if key not in self.states:
            self.states[key] = self._built(assignment)
        return self.states[key]

    def _built(self, assignment: Assignment) -> State:
        for place, choice in assignment.items():
            if reason := self.obstacle(place, choice):
                raise RejectedError(reason)
        self.tree.activate(self.states[""])
        for place in assignment:
            for path in self.units[place].outputs:
                _remove(path)
        try:
            self._build_all(assignment)
        except UserError as error:
            raise RejectedError(str(error)) from None
        made = {unit.place: unit for unit in read_records(self.records)}
        obstacles = []
        for place, choice in assignment.items():
            source, outputs = self.units[place].record.source, self.units[place].outputs
            if place not in made or set(outputs) - set(made[place].outputs):
                raise UserError(
                    f"the build did not make {outputs[0]} anew when it was gone, or not of the "
                    f"same {source}; say --clean"
                )
            if made[place].record.locked != choice.build.label:
                obstacles.append(f"{source}: {choice.build.title}: {made[place].record.problem}")
                self.memory.put(f"obstacle\n{text_of({place: choice})}", obstacles[-1])
            if windows := made[place].record.windows:
                found = (windows, made[place].record.proposed)
                self.memory.put(f"windows\n{text_of({place: choice})}", found)
            if one_body := made[place].record.one_body:
                self.memory.put(f"one body\n{text_of({place: choice})}", one_body)
        if obstacles:
            raise RejectedError(obstacles[0])
        return self.tree.state()

    def followed(self, place: Place, choice: Choice) -> Choice:
        """The choice without second bodies that could not be had, and as promised: the objects are
        the same."""
        one_body = self.memory.answers.get(f"one body\n{text_of({place: choice})}", ())
        assert isinstance(one_body, (list, tuple))
        kept = tuple(pair for pair in choice.ifunc if pair[0] not in one_body)
        return replace(self._promised(place, choice), ifunc=kept)

    def _promised(self, place: Place, choice: Choice) -> Choice:
        """The choice with the windows that were found when it was built first: no model is asked
        a second time, and what is tested is what the lockfile will have."""
        found = self.memory.answers.get(f"windows\n{text_of({place: choice})}")
        if not isinstance(found, (list, tuple)):
            return choice
        windows, proposed = found
        return replace(choice, windows=windows, proposed=tuple(proposed))

    def obstacle(self, place: Place, choice: Choice) -> str:
        """Why a choice is known to be impossible, "" if it is not known to be."""
        return str(self.memory.answers.get(f"obstacle\n{text_of({place: choice})}", ""))

    def _build_all(self, assignment: Assignment) -> None:
        """One build by the trial lockfile. Raises UserError if it fails."""
        self._write_trial(assignment)
        _remove(self.records)
        environ = {**self._environ(), RECORD: self.records}
        self.builds += 1
        for command in filter(None, (self.goal.clean, self.goal.build)):
            ran = self.shell.run(command, environ=environ)
            if ran.status:
                raise UserError(f"the build fails: {ran.ending}")

    def _environ(self) -> dict[str, str]:
        """What makes our compilers follow the trial lockfile."""
        return {"CR1_LOCK": self.trial, training.ELSEWHERE: self.profiles}

    def _write_trial(self, assignment: Assignment) -> None:
        lines = [locked(self.units[p], self._promised(p, c)) for p, c in assignment.items()]
        write_lock(self.trial, lines)

    def _sample(self) -> float:
        """Seconds. Raises RejectedError."""
        return min(self._time(self._checked_bench()) for _ in range(self.least_of))

    def _checked_bench(self) -> Ran:
        ran = self._bench()
        if ran.status:
            raise RejectedError(f"the benchmark ends with {ran.ending}")
        if not self.goal.test and ran.output != self.output:
            raise RejectedError("the benchmark prints something else")
        return ran

    def _bench(self) -> Ran:
        return self.shell.run(
            self.goal.bench, processor=self.limits.processor, wall=self.limits.wall
        )

    def _time(self, ran: Ran) -> float:
        if self.goal.time == PRINTED:
            if ran.number is None:
                raise UserError("the benchmark prints no number, which --time printed needs")
            return ran.number
        return ran.wall if self.goal.time == WALL else ran.seconds

    def restore(self, assignment: Assignment) -> None:
        """Leave the files of that assignment behind; the trial lockfile goes."""
        if "" in self.states:
            self.tree.activate(self.states.get(text_of(assignment), self.states[""]))
        _remove(self.trial)

    def end(self) -> None:
        """Nothing is left to go on with."""
        self.tree.remove()
        shutil.rmtree(self.profiles, ignore_errors=True)
        _remove(self.memory.path)
        _remove(self.records)


def _contents(state: State) -> str:
    return repr(sorted(state.items()))


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
