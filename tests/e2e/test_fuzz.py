"""The soundness campaign: it finds what is wrong, and nothing where nothing is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from cr1cc.cli.fuzz import command
from cr1cc.passes.recipe import check_recipe, format_recipe, parse_recipe
from cr1cc.records import Recipe, Toolchain
from cr1cc.train.fuzz import SAME, Campaign, guilty, read_log
from cr1cc.train.fuzz_programs import Program, corpus, csmith
from cr1cc.train.fuzz_recipes import chosen, recipes_for

needs_csmith = pytest.mark.skipif(not shutil.which("csmith"), reason="csmith is missing")

STRUCTURIZE = "function(structurizecfg)"


def _own(name: str) -> Program:
    return next(p for p in corpus() if p.name == f"corpus:{name}")


def _planted(toolchain: Toolchain, recipe: str, program: Program, keep: str = "") -> Campaign:
    """A campaign of one pair whose recipe need not be vetted."""
    recipes = [parse_recipe(recipe)]
    return Campaign(
        toolchain, 1, propose=lambda index: recipes, find_program=lambda i, s: program, keep=keep
    )


def test_vetted_recipes_keep_what_our_own_programs_do(toolchain: Toolchain, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    trials = list(Campaign(toolchain, 20, per_program=2, log=str(log)).run())
    assert len(trials) == 20
    assert [trial for trial in trials if trial.result != SAME] == []
    assert len({trial.program for trial in trials}) == 10
    assert read_log(str(log)) == trials


@needs_csmith
def test_vetted_recipes_keep_what_csmith_programs_do(any_toolchain: Toolchain) -> None:
    campaign = Campaign(
        any_toolchain, 6, per_program=3, find_program=lambda index, seed: csmith(4200 + index)
    )
    assert [trial.result for trial in campaign.run()] == [SAME] * 6


def test_a_planted_miscompiling_pass_is_found_and_named(toolchain: Toolchain) -> None:
    recipe = f"@size; function(sroa,gvn); {STRUCTURIZE}; globaldce | -disable-lsr"
    (trial,) = _planted(toolchain, recipe, _own("switches")).run()
    assert trial.result != SAME
    assert "structurizecfg" in guilty(trial)
    assert "globaldce" not in guilty(trial)
    assert "-disable-lsr" not in guilty(trial)


def test_a_pass_that_ends_the_process_is_a_finding(any_toolchain: Toolchain) -> None:
    recipe = "function(sroa); trigger-crash-module; globaldce"
    (trial,) = _planted(any_toolchain, recipe, _own("switches")).run()
    assert "crashed" in trial.result
    assert guilty(trial) == ["trigger-crash-module"]


def test_a_code_generator_that_fails_is_a_finding(any_toolchain: Toolchain) -> None:
    (trial,) = _planted(any_toolchain, "@size | -no-such-option", _own("switches")).run()
    assert trial.result == "code generation failed"
    assert guilty(trial) == ["-no-such-option"]


def test_the_program_of_a_finding_is_kept(any_toolchain: Toolchain, tmp_path: Path) -> None:
    list(_planted(any_toolchain, STRUCTURIZE, _own("switches"), keep=str(tmp_path)).run())
    assert (tmp_path / "corpus-switches.c").read_text() == _own("switches").source
    assert "structurizecfg" in (tmp_path / "corpus-switches.jsonl").read_text()


def test_programs_that_run_too_long_or_do_not_compile_are_not_counted(
    any_toolchain: Toolchain,
) -> None:
    programs = [
        Program("endless", "int main(void) { for (volatile int i = 0;;) i++; }"),
        Program("broken", "int main(void) { return }"),
        Program("crashing", "int main(void) { __builtin_trap(); }"),
        _own("switches"),
    ]
    campaign = Campaign(
        any_toolchain,
        1,
        propose=lambda index: [Recipe(("@size",))],
        find_program=lambda index, seed: programs[index],
    )
    (trial,) = campaign.run()
    assert trial.program == "corpus:switches"
    assert campaign.skipped == 3


def test_an_interrupted_campaign_goes_on_where_it_stopped(
    any_toolchain: Toolchain, tmp_path: Path
) -> None:
    log = str(tmp_path / "log.jsonl")
    first = list(Campaign(any_toolchain, 3, per_program=2, log=log).run())
    with open(log, "a", encoding="utf-8") as file:
        file.write('{"clang": "cut sho')
        file.write("\n")
    again = list(Campaign(any_toolchain, 5, per_program=2, log=log).run())
    assert again[:3] == first
    assert len(read_log(log)) == 5


@pytest.mark.parametrize("major", [14, 16, 19, 22, 23])
def test_every_recipe_of_a_campaign_is_vetted_and_decided_by_the_seed(major: int) -> None:
    for index in range(30):
        recipes = recipes_for(index, 10, 5, major, "X86", "all")
        assert recipes == recipes_for(index, 10, 5, major, "X86", "all")
        for recipe in recipes:
            check_recipe(recipe, major, "X86")
            assert parse_recipe(format_recipe(recipe)) == recipe


def test_chosen_recipes_try_every_pass_and_option_by_itself() -> None:
    texts = [format_recipe(recipe) for recipe in chosen(19, "X86")]
    assert "@size; mergefunc" in texts
    assert "@size; function(gvn)" in texts
    assert "@size | -disable-lsr" in texts


def test_the_command_reports_pairs_and_findings(any_toolchain: Toolchain, tmp_path: Path) -> None:
    log = str(tmp_path / "log.jsonl")
    arguments = ["--clang", any_toolchain.driver, "--pairs", "2", "--log", log]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    assert result.output == "2 pairs, 0 findings\n"
    result = CliRunner().invoke(command, [*arguments, "--json"])
    document = json.loads(result.output)
    assert (document["pairs"], document["findings"]) == (2, [])


def test_the_command_prints_a_finding_and_its_minimal_recipe(
    any_toolchain: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = [parse_recipe(f"@size; {STRUCTURIZE}")]
    monkeypatch.setattr("cr1cc.train.fuzz.recipes_for", lambda *arguments: planted)
    log = str(tmp_path / "log.jsonl")
    arguments = ["--clang", any_toolchain.driver, "--pairs", "4", "--log", log]
    result = CliRunner().invoke(command, [*arguments, "--recipes", "chosen"])
    assert result.exit_code == 1
    assert "corpus:computed_goto -Oz:" in result.output
    assert f"  minimal: @size; {STRUCTURIZE}" in result.output
    assert result.output.splitlines()[-1].startswith("4 pairs, ")
    assert "structurizecfg" in result.output.splitlines()[-1]
