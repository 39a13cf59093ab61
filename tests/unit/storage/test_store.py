"""The decision store: kinds apart, packs first, and transparent when something is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cr1cc.config import Config
from cr1cc.errors import RecipeError
from cr1cc.outcome import Outcome
from cr1cc.records import Answer, Decision, Failure, Recipe
from cr1cc.storage import envelope, upkeep
from cr1cc.storage.keys import KeyContext, Shelf, candidate_key, function_key, module_key
from cr1cc.storage.local import LocalStore
from cr1cc.storage.packs import write_pack
from cr1cc.storage.store import DecisionStore, FunctionAnswer

Open = Callable[[], DecisionStore]


def test_the_three_kinds_of_answer_come_back_and_are_counted_apart(
    open_store: Open, context: KeyContext, better: Decision, config: Config
) -> None:
    decisions = {
        "a": better,
        "b": Decision(Answer.NOTHING, Outcome.NOTHING_BETTER),
        "c": Decision(Answer.FAILED, Outcome.CANDIDATES_FAILED),
    }
    with open_store() as store:
        for print_, decision in decisions.items():
            assert store.module(module_key(context, print_)) is None
            store.put_module(module_key(context, print_), decision)
    with open_store() as store:
        for print_, decision in decisions.items():
            assert store.module(module_key(context, print_)) == decision
        assert store.origin == "module"
        assert store.problems == {}
    counts = upkeep.count_entries(LocalStore(config.cache_dir, 1 << 20))
    assert {name: n for name, n in counts.items() if n} == {
        "module.better": 1,
        "module.nothing": 1,
        "module.failed": 1,
    }


def test_functions_come_back_by_key_and_unknown_ones_are_left_out(
    open_store: Open, context: KeyContext
) -> None:
    keys = [function_key(context, str(i), ()) for i in range(1300)]
    answers = {key: FunctionAnswer("dce" if i % 2 else "", 9, 8) for i, key in enumerate(keys)}
    with open_store() as store:
        store.put_functions(answers)
        found = store.functions([*keys, function_key(context, "other", ())])
    assert found == {key: replace(answer, origin="store") for key, answer in answers.items()}


def test_failures_of_candidates_are_remembered(open_store: Open, context: KeyContext) -> None:
    key = candidate_key(context, "ab", Recipe(("dce",)))
    with open_store() as store:
        assert store.failed(key) is None
        store.put_failed(key, Failure.CRASHED)
        assert store.failed(key) is Failure.CRASHED


def test_without_a_cache_nothing_is_kept_and_nothing_is_made(
    config: Config, context: KeyContext, better: Decision
) -> None:
    with DecisionStore(config._replace(cache=False)) as store:
        store.put_module(module_key(context, "ab"), better)
        assert store.module(module_key(context, "ab")) is None
    assert not Path(config.cache_dir).exists()


@pytest.mark.parametrize("cache", [True, False])
def test_packs_are_consulted_first_in_every_cache_state(
    tmp_path: Path, config: Config, context: KeyContext, better: Decision, cache: bool
) -> None:
    key, function = module_key(context, "ab"), function_key(context, "f", ())
    with DecisionStore(config) as store:  # filled without packs: its keys can be shipped
        store.put_module(key, better)
        store.put_functions({function: FunctionAnswer("dce", 2, 1)})
    everywhere = replace(better, machine="")
    packs = tmp_path / "packs"
    packs.mkdir()
    upkeep.export_entries(LocalStore(config.cache_dir, 1 << 20), str(packs / "one.pack"))
    elsewhere = config._replace(cache_dir=str(tmp_path / "other"), cache=cache, packs=True)
    with DecisionStore(elsewhere, packs=str(packs)) as store:
        assert store.module(key) == everywhere
        assert store.origin == "pack"
        assert store.functions([function]) == {function: FunctionAnswer("dce", 2, 1, "pack")}
        assert store.pack_digest


def test_a_local_decision_does_not_outlive_the_packs_that_it_was_made_with(
    tmp_path: Path, config: Config, context: KeyContext, better: Decision
) -> None:
    packs = tmp_path / "packs"
    packs.mkdir()
    key = module_key(context, "ab")
    with DecisionStore(config._replace(packs=True), packs=str(packs)) as store:
        store.put_module(key, better)
        assert store.module(key) == better
    name = Shelf.CANDIDATE_FAILED.name_of(module_key(context, "x"))
    write_pack(str(packs / "new.pack"), {name: b'{"failure":"crashed"}'})
    with DecisionStore(config._replace(packs=True), packs=str(packs)) as store:
        assert store.module(key) is None


def test_another_functions_recipe_under_a_key_is_a_miss_and_is_removed(
    open_store: Open, config: Config, context: KeyContext
) -> None:
    one, other = function_key(context, "one", ()), function_key(context, "other", ())
    with open_store() as store:
        store.put_functions({one: FunctionAnswer("dce", 2, 1)})
    local = LocalStore(config.cache_dir, 1 << 20)
    ((name, data),) = local.rows()
    local.put({name.replace(one, other): data})
    with open_store() as store:
        assert set(store.functions([one, other])) == {one}
        assert store.problems == {"an entry was rejected": 1}
    assert [name for name, _ in local.rows()] == [Shelf.FUNCTION_BETTER.name_of(one)]


def test_an_entry_that_is_sealed_well_but_poisoned_is_a_miss_and_is_removed(
    config: Config, context: KeyContext, better: Decision
) -> None:
    def vetted(recipe: Recipe) -> None:
        if "evil" in recipe.stages:
            raise RecipeError("no such pass: evil")

    key = module_key(context, "ab")
    with DecisionStore(config, vetted) as store:
        store.put_module(key, replace(better, recipe=Recipe(("evil",))))
        assert store.module(key) is None
        assert store.problems == {"an entry was rejected": 1}
        store.put_module(key, better)
        assert store.module(key) == better
    name = Shelf.MODULE_BETTER.name_of(key)
    LocalStore(config.cache_dir, 1 << 20).put({name: envelope.seal(name, b'{"answer": "better"}')})
    with DecisionStore(config, vetted) as store:
        assert store.module(key) is None
    assert list(LocalStore(config.cache_dir, 1 << 20).rows()) == []


def test_a_lookup_loads_no_diskcache(
    open_store: Open, config: Config, context: KeyContext, better: Decision
) -> None:
    import subprocess
    import sys

    key = module_key(context, "ab")
    with open_store() as store:
        store.put_module(key, better)
    program = (
        "import sys; from cr1cc.config import Config\n"
        "from cr1cc.storage.store import DecisionStore\n"
        f"store = DecisionStore(Config(cache_dir={config.cache_dir!r}, packs=False))\n"
        f"assert store.module({key!r}).bytes_after == 900\n"
        "sys.exit('diskcache' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
