"""Intervals of gains: they hold the truth as often as they say, and are equal for equal times."""

from __future__ import annotations

import random

import pytest

from cr1cc.tune.statistics import FIRST_RUNS, SAME, doubt, gain, is_decided, least_of


def times(generator: random.Random, mean: float, rounds: int) -> list[float]:
    """Like those of a benchmark: most close together, some disturbed."""
    return [
        mean * (1 + abs(generator.gauss(0, 0.02)) + (0.2 if generator.random() < 0.1 else 0))
        for _ in range(rounds)
    ]


def test_the_ratio_is_the_median_of_those_of_neighbours() -> None:
    found = gain([2.0, 2.2, 2.1], [1.0, 9.0, 1.0])
    assert found.ratio == pytest.approx(2.0)
    assert found.runs == 3
    assert found.low <= found.ratio <= found.high


def test_equal_times_give_equal_intervals() -> None:
    generator = random.Random(1)
    before, after = times(generator, 1, 11), times(generator, 1, 11)
    assert gain(before, after) == gain(before, after)


def shared(generator: random.Random, mean: float) -> float:
    """On a machine where a neighbour makes every second run slower."""
    return mean * (1 + abs(generator.gauss(0, 0.01)) + (generator.random() < 0.5) * 0.3)


def test_where_a_neighbour_disturbs_the_least_of_some_runs_decides_sooner() -> None:
    generator = random.Random(5)
    quiet = [times(generator, 1, FIRST_RUNS) for _ in range(20)]
    disturbed = [[shared(generator, 1) for _ in range(FIRST_RUNS)] for _ in range(20)]
    assert sum(least_of(one) == 1 for one in quiet) >= 14
    assert sum(least_of(one) == 3 for one in disturbed) >= 16

    def found(runs: int, mean: float) -> int:
        def sample(mean: float) -> float:
            return min(shared(generator, mean) for _ in range(runs))

        pairs = [[(sample(1), sample(mean)) for _ in range(11)] for _ in range(60)]
        gains = [gain([a for a, _ in pair], [b for _, b in pair]) for pair in pairs]
        return sum(one.is_faster for one in gains)

    assert found(3, 0.93) > 1.3 * found(1, 0.93)
    assert found(3, 1) <= 0.06 * 60


def test_equal_programs_are_seldom_called_faster() -> None:
    generator = random.Random(2)
    trials = 100
    lucky = sum(
        gain(times(generator, 1, 11), times(generator, 1, 11)).is_faster for _ in range(trials)
    )
    assert lucky <= 0.06 * trials


def test_a_clear_difference_is_seen_and_its_direction() -> None:
    generator = random.Random(3)
    slow, fast = times(generator, 1.2, 11), times(generator, 1.0, 11)
    assert gain(slow, fast).is_faster
    back = gain(fast, slow)
    assert not back.is_faster
    assert back.high < 1
    assert is_decided(back)


def test_a_program_and_itself_are_decided() -> None:
    assert is_decided(SAME)
    assert not SAME.is_faster


def test_one_disturbed_run_is_no_noise() -> None:
    assert doubt([1.0, 1.01, 1.02, 1.01] * 5 + [9.0]) < 0.03
    assert doubt([1.0, 2.0] * 10) > 0.3
    assert doubt([3.0] * 7) == 0


def test_what_disturbs_neighbours_alike_does_not_count() -> None:
    """A processor that is now faster, now slower, for some runs each."""
    generator = random.Random(4)
    before, after = [], []
    for number in range(11):
        pace = 1.0 if number // 3 % 2 else 1.25
        before.append(pace * times(generator, 1.03, 1)[0])
        after.append(pace * times(generator, 1.0, 1)[0])
    found = gain(before, after)
    assert found.high - found.low < 0.1
    assert found.low < 1.03 < found.high
    drifting = [(1.0 if number // 5 % 2 else 1.25) * (1 + number % 3 / 200) for number in range(20)]
    assert doubt(drifting) < 0.03
