"""The page of the benchmark of proposers says what its rows say."""

from __future__ import annotations

from typing import Any

import pytest

from tests import plots, policy_goals, policy_page


def row(setting: str, module: str, name: str, ic: int, size: int) -> dict[str, Any]:
    recipe = "@size" if (ic, size) == (500, 2000) else "@size; mergefunc"
    return {
        "setting": setting, "version": "1", "module": module, "proposer": name, "candidates": 4,
        "ic_unoptimised": 1000, "ic_baseline": 500, "ic": ic, "over_oz": 1 - ic / 500,
        "over_orig": 1 - ic / 1000, "bytes_baseline": 2000, "bytes": size, "success": True,
        "seconds": 0.5, "thinking": 0.002, "recipe": recipe, "measured": 2, "searched": 1,
    }  # fmt: skip


FIGURES = {
    "machine": "a machine", "date": "today", "compiler": "a clang", "model": "a model",
    "trainings": {
        "turns": [1, 7],
        "rows": [{"metric": "bytes", "modules": 5, "who": "sft", "saved": [0.01, 0.0525]}],
    },
    "rows": [
        row(setting, module, name, ic - 10 * (module == "m2"), size)
        for setting in policy_page.SETTINGS
        for module in ("m1", "m2", "m3")
        for name, ic, size in (
            ("coreset:16", 450, 1900), ("search:4400", 400, 1700), ("baseline", 500, 2000),
            ("model:16", 425, 1850),
        )
        if name != "search:4400" or module == "m1"
    ],
}  # fmt: skip


def test_the_page_has_every_contender_and_the_deep_ones_apart() -> None:
    text = policy_page.markdown(FIGURES)
    for setting in policy_page.SETTINGS:
        part = text.partition(f"## Setting {setting}")[2].partition("## Setting")[0]
        whole, _, deep = part.partition("searched deeply")
        names = [line.split()[1] for line in whole.splitlines() if line.startswith("| ")][1:]
        assert names == ["baseline", "coreset:16", "model:16"]
        assert "| search:4400 | 1 |" in deep
        assert "| coreset:16 | 3 | 10.67 % | 10.00 % | 10.00 %" in whole
        assert "| coreset:16 | 1 | 10.00 % |" in deep
        assert "correlation" in deep
        assert "| model:16 | 3 | 6 | 3 | 0 | 0 |" in part
    trainings = text.partition("## Trainings compared: bytes")[2]
    assert "| sft | 1.00 % | 5.25 % |" in trainings
    assert "of 5 modules" in trainings
    assert policy_page.markdown({**FIGURES, "trainings": {}}).count("##") == 2


def test_trainings_that_kept_their_first_weights_are_named() -> None:
    rows = [
        {"metric": "bytes", "modules": 5, "who": who, "saved": saved}
        for who, saved in (("sft", [0.01, 0.05]), ("grpo", [0.02, 0.05]), ("ppo", [0.01, 0.05]))
    ]
    text = policy_page.markdown({**FIGURES, "trainings": {"turns": [1, 7], "rows": rows}})
    assert "In the row of ppo stand the weights" in text
    without = {"turns": [1, 7], "rows": rows[:2]}
    assert "In the row of" not in policy_page.markdown({**FIGURES, "trainings": without})


def test_deep_searches_stand_beside_others_on_their_own_modules() -> None:
    rows = [*FIGURES["rows"], row("paper", "m2", "search:4400", 450, 1900)]
    rows.append(row("paper", "m2", "search:10000", 300, 1900))
    found = policy_page.results(rows, "paper")
    deep = policy_goals.searched_deeply(found)
    assert {one.module for one in deep} == {"m1", "m2"}
    assert "search:10000" not in {one.proposer for one in deep}  # it is of one of them alone
    assert policy_goals.longer(found, "paper")[-2:] == [
        "| search:4400 | 2 | 15.00 % | 10.00 to 20.00 % | 16.00 % |",
        "| search:10000 | 1 | 40.00 % | 40.00 to 40.00 % | 17.00 % |",
    ]


def test_what_was_wanted_stands_beside_what_was_measured() -> None:
    both = [
        row("product", "m1", "default:7", 490, 1900), row("product", "m1", "model:16", 480, 1800),
        row("product", "m1", "coreset:100", 470, 1850), row("product", "m2", "model:16", 485, 1900),
    ]  # fmt: skip
    text = policy_page.markdown({**FIGURES, "rows": both})
    wanted = text.partition("## What was wanted")[2].partition("##")[0]
    assert [line for line in wanted.splitlines() if "| product" in line] == [
        "| product | model:16 less coreset:100, mean bytes "
        "| 2.50 % | 2.50 to 2.50 % | 2.50 % | 0 % |",
        "| product | default:7, mean bytes | 5.00 % | 5.00 to 5.00 % | 10.00 % | 8 % |",
        "| product | default:7, bytes in total | 5.00 % |  |  | 6 % |",
    ]
    assert "to each of these 2 modules: 7.50 % of bytes, mean." in text


def test_drawings_are_svg_and_repeat() -> None:
    pytest.importorskip("matplotlib", reason="the package matplotlib is missing")
    found = {s: policy_page.results(FIGURES["rows"], s) for s in policy_page.SETTINGS}
    drawings = plots.all_of(found)
    assert set(drawings) == {
        f"policy-{setting}{kind}.svg" for setting in policy_page.SETTINGS for kind in ("", "-bytes")
    }
    assert all("<svg" in text for text in drawings.values())
    assert plots.all_of(found) == drawings


def test_instructions_and_bytes_are_compared_where_something_was_done() -> None:
    found = policy_page.results(FIGURES["rows"], "paper")
    pairs = plots.gains(found)
    assert len(pairs) == sum(one.recipe != "@size" for one in found) == 8
    assert (pytest.approx(0.2), pytest.approx(0.15)) in pairs
