"""What is tried, in which order, and what is kept.

0. A profile of the hot files, for the donors that read one.
1. Each donor on all hot files at once, a few runs each, more for those that did best: which donors
   suit this program.
2. The best of them against the baseline until the difference is decided, and the tests; where a
   larger instruction set is allowed, the best ones without it too.
3. File by file, hottest first, the donors that did best, each against what is kept so far.
4. Function by function in the same way, with spliced bodies.
5. If asked for, file by file, second bodies for an instruction set that the loader asks for;
   else shorter windows of instructions in all hot files, then file by file; then those that a model
   proposes, if there is one.
6. What is kept against the baseline once more, with fresh runs.

Every step that is kept has passed the tests; of one that fails, the guilty part is found by
halving, named, and left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from cr1cc.speed.build import ANY, ASKED, Choice
from cr1cc.speed.table import OWN, Build
from cr1cc.tune.profile import Heat
from cr1cc.tune.session import RejectedError, Session
from cr1cc.tune.statistics import LOOKS, SAME, Gain
from cr1cc.tune.units import Assignment, Place, Unit

_SCREEN = (3, 5)  # rounds of a first look: what is much slower needs no more
_AGAIN, _FINALISTS = (9,), 10  # rounds of a second one, and how many donors get it
_HOT = 0.02  # share of the time from which on a file is tried with all others
_HOT_ALONE = 0.06  # the same for a file or a function by itself: less is lost in the noise
_FILES, _FUNCTIONS = 16, 10  # the most that are tried
_PROMISING = 1.003  # the ratio of a first look that is worth a second one
_SUSPECTS = 24  # functions of a file that are looked through for a guilty one
_SECOND = 40  # functions of a file that may get a second body
_DONORS = 4  # tried on each file and function, the ones that suit the program best


@dataclass
class Found:
    """The result so far. `guilty` names what made the tests fail; `everywhere` has the ratio
    of a first look at each donor, on all hot files at once."""

    best: dict[Place, Choice] = field(default_factory=dict)
    total: Gain = SAME
    guilty: list[str] = field(default_factory=list)
    tried: int = 0
    rejected: dict[str, int] = field(default_factory=dict)  # reasons, counted
    everywhere: dict[str, float] = field(default_factory=dict)  # by title of the donor


@dataclass(frozen=True)
class _Look:
    """What a first look at a donor, on all hot files that it may be used for, has shown."""

    ratio: float
    title: str
    candidate: dict[Place, Choice]


class Search:
    """The search of one session."""

    def __init__(
        self, session: Session, hot: list[Heat], isa: str = "", *, ifunc: bool = False
    ) -> None:
        """`isa` is for all code, or with `ifunc` for second bodies of functions only."""
        self.session = session
        self.isa = "" if ifunc else isa
        self.second = isa if ifunc else ""
        self.hot = [heat for heat in hot if heat.share >= _HOT][:_FILES] or hot[:_FILES]
        self.found = Found()
        self.suited: list[str] = []  # titles of builds, best first

    def run(self) -> Found:
        """The whole search."""
        self._train()
        self._whole_program()
        if self.isa:
            self._without_isa()
        if len(self.hot) > 1:
            self._files()
        self._functions()
        if self.second:
            self._second_bodies()
        elif self.session.goal.windows:
            self._windows(ANY, "shorter windows of instructions")
            if self.session.goal.model:
                self._windows(ASKED, "windows by the model")
        self._confirm()
        return self.found

    def _train(self) -> None:
        """Profiles for the hot files, from one run of the benchmark."""
        self.session.say("counting how often each branch is taken")
        self.session.train([heat.unit.place for heat in self.hot])
        self.hot = [replace(heat, unit=self.session.units[heat.unit.place]) for heat in self.hot]

    def _whole_program(self) -> None:
        builds = dict.fromkeys(build.title for heat in self.hot for build in heat.unit.builds)
        titles = [title for title in builds if self._everywhere(title)]
        looked = []
        for number, title in enumerate(titles, 1):
            self.session.say(f"donor {number} of {len(titles)}: {title}")
            candidate = self._everywhere(title)
            gain = self._look({}, candidate)
            if gain is None and (candidate := self._everywhere(title)):
                gain = self._look({}, candidate)  # without the files that were in the way
            if gain is not None:
                looked.append(_Look(gain.ratio, title, candidate))
        looked.sort(key=lambda look: -look.ratio)  # of equal ones the first of the table
        self.found.everywhere = {look.title: look.ratio for look in looked}
        ranked = self._again(looked)
        self.suited = [look.title for look in ranked]
        for look in ranked[:_DONORS]:
            if look.ratio < _PROMISING:
                break
            self.session.say(f"measuring {look.title}")
            self._try(look.candidate)

    def _without_isa(self) -> None:
        """The donors that suit best at the command's own instruction set: longer vectors cost
        some programs more than they gain."""
        for title in self.suited[:_DONORS]:
            candidate = {
                place: replace(choice, isa="")
                for place, choice in self._everywhere(title).items()
                if choice.build.name != OWN
            }
            if candidate:
                self.session.say(f"{title} without {self.isa.partition(':')[0]}")
                self._try_if_promising(candidate)

    def _again(self, looked: list[_Look]) -> list[_Look]:
        """The order after a second look at those that did best: of so many donors some are in
        front by luck alone."""
        finalists = []
        for look in looked[:_FINALISTS]:
            self.session.say(f"a second look at {look.title}")
            gain = self._look({}, look.candidate, _AGAIN)
            if gain is not None:
                finalists.append(replace(look, ratio=gain.ratio))
        finalists.sort(key=lambda look: -look.ratio)
        return [*finalists, *looked[_FINALISTS:]]

    def _everywhere(self, title: str) -> dict[Place, Choice]:
        """A build for all hot files that it may be used for, as far as it is possible."""
        chosen = {}
        for heat in self.hot:
            choice = self._choice(heat.unit, title)
            if choice is not None and not self.session.obstacle(heat.unit.place, choice):
                chosen[heat.unit.place] = choice
        return chosen

    def _choice(self, unit: Unit, title: str) -> Choice | None:
        for build in unit.builds:
            if build.title == title and (build.name != OWN or self.isa):
                return Choice(build, isa=self.isa)
        return None

    def _files(self) -> None:
        for heat in self.hot:
            if heat.share < _HOT_ALONE:
                break
            for title in self.suited[:_DONORS]:
                choice = self._choice(heat.unit, title)
                if choice is not None and self.found.best.get(heat.unit.place) != choice:
                    self.session.say(f"{heat.unit.record.source} ({heat.share:.0%}): {title}")
                    self._try_if_promising({**self.found.best, heat.unit.place: choice})

    def _functions(self) -> None:
        hot = [
            (share, name, heat.unit)
            for heat in self.hot
            if len(heat.functions) > 1
            for name, share in heat.functions
            if share >= _HOT_ALONE
        ]
        hot.sort(key=lambda row: (-row[0], row[1]))
        for share, name, unit in hot[:_FUNCTIONS]:
            for build in self._donors(unit):
                kept = self.found.best.get(unit.place) or self._own(unit)
                if kept.build == build:
                    continue
                others = tuple(pair for pair in kept.functions if pair[0] != name)
                choice = replace(kept, functions=(*others, (name, build)))
                self.session.say(f"{name} ({share:.0%}) of {unit.record.source}: {build.title}")
                self._try_if_promising({**self.found.best, unit.place: choice})

    def _second_bodies(self) -> None:
        for heat in self.hot:
            names = self._picked(heat)
            if not names or heat.share < _HOT_ALONE:
                continue
            for build in dict.fromkeys((self._own(heat.unit).build, *self._donors(heat.unit))):
                kept = self.found.best.get(heat.unit.place) or self._own(heat.unit)
                pairs = tuple((name, build) for name in names)
                choice = replace(kept, ifunc=pairs, isa=self.second)
                source = heat.unit.record.source
                self.session.say(f"{source} ({heat.share:.0%}): {build.title} for {self.second}")
                self._try_if_promising({**self.found.best, heat.unit.place: choice})

    def _windows(self, windows: str, called: str) -> None:
        self.session.say(f"{called}, each proved")
        candidate = self._with_windows(self.hot, windows)
        gain = self._look(self.found.best, candidate) if candidate else None
        if gain is None and (candidate := self._with_windows(self.hot, windows)):
            gain = self._look(self.found.best, candidate)  # without the files that have none
        if gain is not None and gain.ratio >= _PROMISING:
            self._try(candidate)
        alone = [heat for heat in self.hot if heat.share >= _HOT_ALONE]
        for heat in alone if len(self.hot) > 1 else ():
            candidate = self._with_windows([heat], windows)
            if candidate != self.found.best:
                self.session.say(f"{heat.unit.record.source} ({heat.share:.0%}): {called}")
                self._try_if_promising(candidate)

    def _with_windows(self, hot: list[Heat], windows: str) -> dict[Place, Choice]:
        """What is kept, with shorter windows in those files that are not known to have none."""
        chosen = dict(self.found.best)
        for heat in hot:
            place = heat.unit.place
            choice = replace(chosen.get(place) or self._own(heat.unit), windows=windows)
            if not self.session.obstacle(place, choice):
                chosen[place] = choice
        return chosen

    def _picked(self, heat: Heat) -> list[str]:
        """The functions of a file that shall have two bodies: the hot ones. Of one that is local,
        a second body comes along with those that call it, which may be any."""
        own = heat.unit.global_functions()
        hot = [name for name, share in heat.functions if share >= _HOT]
        return sorted(hot if hot and set(hot) <= set(own) else own[:_SECOND])

    def _donors(self, unit: Unit) -> Iterator[Build]:
        by_title = {build.title: build for build in unit.builds}
        for title in self.suited[:_DONORS]:
            if title in by_title:
                yield by_title[title]

    def _own(self, unit: Unit) -> Choice:
        family = unit.record.compiler.partition("-")[0]
        own = next(b for b in unit.builds if b.name == OWN and b.family == family)
        return Choice(own, isa=self.isa)

    def _try_if_promising(self, candidate: dict[Place, Choice]) -> None:
        gain = self._look(self.found.best, candidate)
        if gain is not None and gain.ratio >= _PROMISING:
            self._try(candidate)

    def _look(
        self, before: Assignment, after: Assignment, rounds: tuple[int, ...] = _SCREEN
    ) -> Gain | None:
        """A few runs; None if it cannot be built or run."""
        self.found.tried += 1
        try:
            return self.session.compare(before, after, rounds)
        except RejectedError as error:
            self._reject(error)
            return None

    def _try(self, candidate: dict[Place, Choice]) -> None:
        """Keep a candidate if it is faster than what is kept and passes the tests."""
        before = self.found.best
        try:
            gain = self.session.compare(before, candidate, LOOKS)
            if not gain.is_faster:
                return
            if not self.session.passes(candidate):
                candidate = self._without_guilty(before, candidate)
                gain = self.session.compare(before, candidate, LOOKS)
                if not gain.is_faster:
                    return
        except RejectedError as error:
            self._reject(error)
            return
        self.found.best = candidate
        self.session.say(f"kept: {gain.ratio:.3f} times as fast as before")

    def _without_guilty(
        self, good: Mapping[Place, Choice], bad: Mapping[Place, Choice]
    ) -> dict[Place, Choice]:
        """`bad` without the parts that make the tests fail."""
        kept = dict(bad)
        while not self.session.passes(kept):
            changes = [place for place in kept if good.get(place) != kept[place]]
            if not changes:
                break
            place = self._guilty(good, kept, changes)
            self.found.guilty.append(self._named(good, place, kept[place]))
            if place in good:
                kept[place] = good[place]
            else:
                del kept[place]
        return kept

    def _guilty(
        self, good: Mapping[Place, Choice], bad: Mapping[Place, Choice], changes: list[Place]
    ) -> Place:
        """One change that makes the tests fail, by halving."""
        base = dict(good)
        while len(changes) > 1:
            half = changes[: len(changes) // 2]
            tried = {**base, **{place: bad[place] for place in half}}
            if self.session.passes(tried):
                base, changes = tried, changes[len(half) :]
            else:
                changes = half
        return changes[0]

    def _named(self, good: Mapping[Place, Choice], place: Place, after: Choice) -> str:
        """A guilty change, to its function if that can be told."""
        unit = self.session.units[place]
        old = dict(good[place].functions) if place in good else {}
        new = [f"{name} by {build.title}" for name, build in after.functions
               if old.get(name) != build]  # fmt: skip
        if not new and place in good and after.windows not in ("", good[place].windows):
            new = ["shorter windows"]
        names = ", ".join(new) or self._guilty_function(good, unit, after.build)
        return f"{unit.record.source}: {names or after.build.title}"

    def _guilty_function(self, good: Mapping[Place, Choice], unit: Unit, build: Build) -> str:
        """The function of a guilty file, by halving over splices, "" if that cannot be told."""
        base = good.get(unit.place) or self._own(unit)
        names = [name for name, _ in sorted(unit.functions().items(), key=lambda pair: -pair[1])]

        def spliced(chosen: list[str]) -> dict[Place, Choice]:
            functions = {**dict(base.functions), **dict.fromkeys(chosen, build)}
            choice = replace(base, functions=tuple(sorted(functions.items(), key=lambda p: p[0])))
            return {**good, unit.place: choice}

        suspects = [name for name in names[:_SUSPECTS] if self._can_be_built(spliced([name]))]
        if self.session.passes(spliced(suspects)) or not self._can_be_built(spliced(suspects)):
            return ""  # it is not in what can be spliced, or not in one function alone
        innocent: list[str] = []
        while len(suspects) > 1:
            half = suspects[: len(suspects) // 2]
            if self.session.passes(spliced([*innocent, *half])):
                innocent, suspects = [*innocent, *half], suspects[len(half) :]
            else:
                suspects = half
        return f"{suspects[0]} by {build.title}" if suspects else ""

    def _can_be_built(self, assignment: Assignment) -> bool:
        try:
            self.session.state_of(assignment)
        except RejectedError:
            return False
        return True

    def _confirm(self) -> None:
        """The gain of all that is kept, with fresh runs; what does not hold is given up."""
        if not self.found.best:
            return
        self.session.say("measuring what is kept against the baseline")
        try:
            # Other looks than before, so that no older answer counts.
            total = self.session.compare({}, self.found.best, (*LOOKS[1:], LOOKS[-1] + 2))
        except RejectedError as error:
            self._reject(error)
            self.found.best = {}
            return
        if total.is_faster:
            self.found.total = total
        else:
            self.found.best = {}

    def _reject(self, error: RejectedError) -> None:
        reason = str(error)
        self.found.rejected[reason] = self.found.rejected.get(reason, 0) + 1
