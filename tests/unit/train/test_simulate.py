"""Conversations that are played against the labels."""

from __future__ import annotations

from itertools import accumulate

import pytest

torch = pytest.importorskip("torch", reason="PyTorch (extra train)")

# ruff: noqa: E402 - these need what was asked for above
from cr1cc.model.vocabulary import FIRST_NAME, IDS, TOKENS
from cr1cc.train import simulate
from cr1cc.train.gguf_file import Shape
from cr1cc.train.network import Network
from cr1cc.train.simulate import at_once, by_metric, in_order, play, saved
from tests.unit.train.test_trajectories import lesson, walker

SHAPE = Shape(len(TOKENS), width=32, layers=1, heads=2, hidden=32, context=256)
TURNS = 9


@pytest.fixture
def network() -> Network:
    torch.manual_seed(1)
    return Network(SHAPE).eval()


def test_a_turn_measures_a_name_that_was_not_measured_and_hears_what_it_saves(
    network: Network,
) -> None:
    one = walker()
    talks = play(network, [one, one], TURNS, lambda logits: logits.argmax(1))
    assert talks.tokens[0].tolist() == talks.tokens[1].tolist()
    names, shares = [], []
    for turn in talks.tokens[0].view(TURNS, 5).tolist():
        measure, name, end, result, gain = turn
        assert [measure, end, result] == [IDS["<measure>"], IDS["<end>"], IDS["<result>"]]
        assert gain == one.gain_of(name)
        assert talks.open[0, len(names), name - FIRST_NAME]
        names.append(name)
        shares.append(max(one.named[name], 0))
    assert len(set(names)) == TURNS
    assert talks.best[0].tolist() == pytest.approx(list(accumulate(shares, max)))
    assert saved(network, [one, one], TURNS) == pytest.approx(talks.best[0].tolist())


def test_what_was_said_before_matters(network: Network) -> None:
    """Rows are played side by side, each with its own results."""
    one = walker()
    turned = walker()
    turned.values.update(dict.fromkeys(turned.values, 2000))
    both = play(network, [one, turned], TURNS, lambda logits: logits.argmax(1)).tokens
    alone = play(network, [turned], TURNS, lambda logits: logits.argmax(1)).tokens
    assert both[1].tolist() == alone[0].tolist()


def test_metrics_are_told_apart(network: Network) -> None:
    one = walker()
    few = lesson()  # knows no more than a few recipes
    found = by_metric(network.train(), [one, few])
    assert network.training
    network.eval()
    assert found == {
        "bytes": [round(saved(network, [one], 16)[turns - 1], 5) for turns in simulate.TURNS]
    }


def test_in_order_are_the_first_ones_of_the_coreset() -> None:
    one = walker()
    shares = [max(share, 0) for share in list(one.named.values())[:TURNS]]
    assert in_order([one], TURNS) == pytest.approx(list(accumulate(shares, max)))


def test_asked_once_takes_the_most_probable_first_turns(network: Network) -> None:
    one = walker()
    first = play(network, [one], 1, lambda logits: logits.argmax(1))
    asked: list[torch.Tensor] = []

    def choose(logits: torch.Tensor) -> torch.Tensor:
        asked.append(logits)
        return logits.argmax(1)

    play(network, [one], 1, choose)
    order = (asked[0][0].argsort(descending=True)[:TURNS] + FIRST_NAME).tolist()
    shares = [max(one.named[token], 0) for token in order]
    assert at_once(network, [one], TURNS) == pytest.approx(list(accumulate(shares, max)))
    assert at_once(network, [one], 1)[0] == pytest.approx(float(first.best[0, 0]))
