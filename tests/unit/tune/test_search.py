"""What the search keeps, of programs whose times and faults are known beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import cast

import pytest

from cr1cc.compile_speed import Record
from cr1cc.speed.build import ANY, ASKED, Choice
from cr1cc.speed.table import build_of, builds_for
from cr1cc.tune.goal import Goal
from cr1cc.tune.profile import Heat
from cr1cc.tune.search import Found, Search
from cr1cc.tune.session import RejectedError, Session
from cr1cc.tune.statistics import SAME, Gain
from cr1cc.tune.units import Assignment, Place, Unit

LABELS = tuple(
    b.label for b in builds_for("gcc", "x86_64-linux-gnu", (), with_other=True, with_recipes=True)
)


def unit(name: str) -> Unit:
    record = Record(f"{name}.c", "O3", "o", "t", "gcc-12:1", "clang-19:2", "", "x86_64", LABELS, "")
    return Unit(record)


class KnownTimes:
    """A session in which the seconds of each file are a function of what was chosen for it."""

    def __init__(
        self,
        seconds: Callable[[str, Choice | None], float],
        names: tuple[str, ...] = ("a", "b"),
        fails: Callable[[dict[str, Choice]], bool] = lambda chosen: False,
        impossible: Callable[[Choice], bool] = lambda choice: False,
        *,
        windows: bool = False,
        model: str = "",
    ) -> None:
        self.goal = Goal("", "", "", "", "", windows=windows, model=model)
        self.seconds, self.fails, self.impossible = seconds, fails, impossible
        self.units = {one.place: one for one in map(unit, names)}
        self.known: dict[tuple[Place, Choice], str] = {}
        self.asked = ""  # the file that `impossible` is asked of

    def say(self, text: str) -> None:
        assert text

    def train(self, places: Iterable[Place]) -> None:
        assert set(places) <= set(self.units)

    def obstacle(self, place: Place, choice: Choice) -> str:
        return self.known.get((place, choice), "")

    def state_of(self, assignment: Assignment) -> None:
        for place, choice in assignment.items():
            self.asked = place[0]
            if self.impossible(choice):
                self.known[place, choice] = "it cannot be built"
                raise RejectedError("it cannot be built")

    def compare(self, before: Assignment, after: Assignment, looks: tuple[int, ...]) -> Gain:
        for one in (before, after):
            self.state_of(one)
        ratio = self._time(before) / self._time(after)
        return Gain(ratio, ratio, ratio, looks[0]) if ratio != 1 else SAME

    def passes(self, assignment: Assignment) -> bool:
        return not self.fails({place[0]: choice for place, choice in assignment.items()})

    def _time(self, assignment: Assignment) -> float:
        return sum(self.seconds(place[0], assignment.get(place)) for place in self.units)


def searched(session: KnownTimes, isa: str = "", *, ifunc: bool = False) -> Found:
    functions = (("f", 0.3), ("g", 0.2))
    hot = [Heat(one, 1 / len(session.units), functions) for one in session.units.values()]
    return Search(cast(Session, session), hot, isa, ifunc=ifunc).run()


def kept(found: Found) -> dict[str, str]:
    return {place[0]: choice.build.title for place, choice in found.best.items()}


def by_title(**times: float) -> Callable[[str, Choice | None], float]:
    """Seconds by `file_title`; 1 where nothing is said."""

    def seconds(name: str, choice: Choice | None) -> float:
        title = choice.build.title.replace(":", "_").replace("-", "_") if choice else ""
        return times.get(f"{name[0]}_{title}", 1.0)

    return seconds


def test_nothing_faster_means_nothing_kept() -> None:
    found = searched(KnownTimes(lambda name, choice: 1.0))
    assert (found.best, found.total) == ({}, SAME)


def test_each_file_gets_the_donor_that_suits_it() -> None:
    times = by_title(a_gcc_unroll=0.5, b_gcc_unroll=1.1, b_clang_o3=0.7, a_clang_o3=0.9)
    found = searched(KnownTimes(times))
    assert kept(found) == {"a.c": "gcc:unroll", "b.c": "clang:o3"}
    assert found.total.ratio == pytest.approx(2 / 1.2)


def test_functions_get_donors_of_their_own() -> None:
    def seconds(name: str, choice: Choice | None) -> float:
        if choice is None:
            return 1.0
        bodies = {"f": choice.build, "g": choice.build, **dict(choice.functions)}
        good = {"f": "gcc:o2", "g": "gcc:unroll"}
        return 1 - 0.3 * sum(bodies[name].title == title for name, title in good.items())

    found = searched(KnownTimes(seconds, names=("a",)))
    (choice,) = found.best.values()
    bodies = {"f": choice.build, "g": choice.build, **dict(choice.functions)}
    assert {name: build.title for name, build in bodies.items()} == {
        "f": "gcc:o2", "g": "gcc:unroll",
    }  # fmt: skip


def test_the_guilty_file_is_named_and_the_others_stay() -> None:
    session = KnownTimes(
        by_title(a_gcc_unroll=0.5, b_gcc_unroll=0.5, c_gcc_unroll=0.5),
        names=("a", "b", "c"),
        fails=lambda chosen: "b.c" in chosen,
    )
    found = searched(session)
    assert kept(found) == {"a.c": "gcc:unroll", "c.c": "gcc:unroll"}
    assert any(guilty.startswith("b.c: ") for guilty in found.guilty)


def test_two_guilty_files_are_both_left_out() -> None:
    session = KnownTimes(
        by_title(a_gcc_o2=0.5, b_gcc_o2=0.5, c_gcc_o2=0.5, d_gcc_o2=0.5),
        names=("a", "b", "c", "d"),
        fails=lambda chosen: bool({"b.c", "d.c"} & chosen.keys()),
    )
    assert kept(searched(session)) == {"a.c": "gcc:o2", "c.c": "gcc:o2"}


def test_what_fails_all_tests_leaves_the_baseline() -> None:
    session = KnownTimes(by_title(a_gcc_o2=0.5), fails=bool)
    assert searched(session).best == {}


def test_a_donor_that_cannot_be_built_costs_itself_only() -> None:
    session = KnownTimes(
        by_title(a_clang_o3=0.1, b_clang_o3=0.1, a_gcc_o2=0.8, b_gcc_o2=0.8),
        impossible=lambda choice: choice.build.family == "clang",
    )
    found = searched(session)
    assert kept(found) == {"a.c": "gcc:o2", "b.c": "gcc:o2"}
    assert found.rejected["it cannot be built"] > 0


def by_windows(**factors: float) -> Callable[[str, Choice | None], float]:
    """Seconds by file where windows are shorter; half where there is gcc:o2."""

    def seconds(name: str, choice: Choice | None) -> float:
        if choice is None:
            return 1.0
        factor = factors.get(name[0], 1.0) if choice.windows == ANY else 1.0
        return factor * (0.5 if choice.build.title == "gcc:o2" else 1.0)

    return seconds


def with_windows(found: Found) -> dict[str, str]:
    return {place[0]: choice.build.title for place, choice in found.best.items() if choice.windows}


def test_shorter_windows_are_kept_with_the_donor_if_they_are_faster() -> None:
    times = by_windows(a=0.9, b=0.8)
    found = searched(KnownTimes(times, windows=True))
    assert with_windows(found) == kept(found) == {"a.c": "gcc:o2", "b.c": "gcc:o2"}
    assert with_windows(searched(KnownTimes(times))) == {}


def test_shorter_windows_are_tried_file_by_file() -> None:
    times = by_windows(a=0.9, b=1.4)
    assert with_windows(searched(KnownTimes(times, windows=True))) == {"a.c": "gcc:o2"}


def test_files_without_shorter_windows_are_not_in_the_way() -> None:
    session = KnownTimes(by_windows(a=0.9), windows=True)
    session.impossible = lambda choice: bool(choice.windows) and session.asked == "b.c"
    assert with_windows(searched(session)) == {"a.c": "gcc:o2"}


def test_a_model_is_asked_after_the_rules_and_takes_nothing_from_them() -> None:
    factors = {("a.c", ANY): 0.9, ("a.c", ASKED): 0.8, ("b.c", ANY): 0.9, ("b.c", ASKED): 1.3}

    def seconds(name: str, choice: Choice | None) -> float:
        return factors.get((name, choice.windows), 1.0) if choice else 1.0

    def chosen(model: str) -> dict[str, str]:
        best = searched(KnownTimes(seconds, windows=True, model=model)).best
        return {place[0]: choice.windows for place, choice in best.items()}

    assert chosen("") == {"a.c": ANY, "b.c": ANY}
    assert chosen("model 1") == {"a.c": ASKED, "b.c": ANY}


def test_windows_that_make_the_tests_fail_are_named() -> None:
    found = searched(
        KnownTimes(
            by_windows(a=0.9, b=0.9), windows=True,
            fails=lambda chosen: bool("b.c" in chosen and chosen["b.c"].windows),
        )
    )  # fmt: skip
    assert with_windows(found) == {"a.c": "gcc:o2"}
    assert "b.c: shorter windows" in found.guilty


def test_a_gain_that_is_gone_when_measured_anew_is_given_up() -> None:
    class Fading(KnownTimes):
        def compare(self, before: Assignment, after: Assignment, looks: tuple[int, ...]) -> Gain:
            found = super().compare(before, after, looks)
            doubtful = Gain(1.02, 0.98, 1.06, looks[-1])
            return found if before or len(looks) < 5 or looks[0] == 7 else doubtful

    given_up = searched(Fading(by_title(a_gcc_o2=0.5)))
    assert (given_up.best, given_up.total) == ({}, SAME)


def test_an_instruction_set_is_in_all_that_is_tried() -> None:
    session = KnownTimes(lambda name, choice: 0.5 if choice and choice.isa == "native:1" else 1.0)
    found = searched(session, "native:1")
    assert set(kept(found)) == {"a.c", "b.c"}
    assert {choice.isa for choice in found.best.values()} == {"native:1"}
    assert build_of("gcc:own") in {choice.build for choice in found.best.values()}


def test_donors_go_without_a_larger_instruction_set_where_that_is_faster() -> None:
    def seconds(name: str, choice: Choice | None) -> float:
        if choice is None or choice.build.title != "gcc:o2-unroll":
            return 1.0
        return 0.7 if choice.isa else 0.6

    found = searched(KnownTimes(seconds), "native:1")
    assert kept(found) == {"a.c": "gcc:o2-unroll", "b.c": "gcc:o2-unroll"}
    assert {choice.isa for choice in found.best.values()} == {""}
    assert found.total.ratio == pytest.approx(1 / 0.6)


@pytest.mark.parametrize(
    ("has", "wanted"), [(("f", "g", "h"), {"f", "g"}), (("g", "h"), {"g", "h"})]
)
def test_second_bodies_are_for_hot_functions_and_all_where_one_is_local(
    monkeypatch: pytest.MonkeyPatch, has: tuple[str, ...], wanted: set[str]
) -> None:
    monkeypatch.setattr(Unit, "global_functions", lambda self: list(has))

    def seconds(name: str, choice: Choice | None) -> float:
        if choice is None:
            return 1.0
        assert choice.isa == ("x86-64-v3" if choice.ifunc else "")
        return 0.6 if any(build.title == "gcc:unroll" for _, build in choice.ifunc) else 0.9

    found = searched(KnownTimes(seconds, names=("a",)), "x86-64-v3", ifunc=True)
    (choice,) = found.best.values()
    assert {name for name, _ in choice.ifunc} == wanted
    assert found.total.ratio == pytest.approx(1 / 0.6)
