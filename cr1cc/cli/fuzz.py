"""`cr1 fuzz`: the soundness campaign over recipes."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import asdict

import click

from cr1cc.cli import output
from cr1cc.cli.progress import track
from cr1cc.config import load, state_home
from cr1cc.toolchain.describe import describe
from cr1cc.toolchain.find import find_compiler
from cr1cc.train.fuzz import SAME, Campaign, Trial, guilty


@click.command("fuzz")
@click.option("--pairs", default=100, show_default=True, type=click.IntRange(1), help="How many.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Decides all.")
@click.option("--clang", default=None, help="The compiler, instead of the one that is set.")
@click.option(
    "--recipes",
    "kind",
    default="all",
    show_default=True,
    type=click.Choice(("random", "chosen", "coreset", "all")),
    help="Where the recipes come from.",
)
@click.option("--keep", default="", help="A directory for the programs of findings.")
@click.option("--log", default="", help="The file of results, also to resume from.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    pairs: int, seed: int, clang: str | None, kind: str, keep: str, log: str, as_json: bool
) -> None:
    """Compile programs by many recipes and compare what they do with -O0.

    csmith's programs and the project's own are compiled, run and compared. Any
    difference, crash or hang is reduced to the passes that cause it. Interrupted
    campaigns go on where they stopped.
    """
    environ = os.environ
    config = load(environ, os.getcwd())
    driver = find_compiler("clang", setting=clang or config.clang or None, environ=environ, own="")
    toolchain = describe(driver, cache_dir=config.cache_dir)
    log = log or os.path.join(state_home(environ), "fuzz", f"clang-{toolchain.major}-{seed}.jsonl")
    campaign = Campaign(toolchain, pairs, seed=seed, kind=kind, log=log, keep=keep)
    blame: Counter[str] = Counter()
    findings = []
    for trial in track(campaign.run(), "pairs", pairs):
        if trial.result != SAME:
            findings.append(trial)
            blame.update(set(guilty(trial)))
            if not as_json:
                _show(trial)
    if as_json:
        output.document(
            {
                "compiler": toolchain.identity,
                "pairs": pairs,
                "skipped_programs": campaign.skipped,
                "findings": [asdict(trial) for trial in findings],
                "blame": dict(blame.most_common()),
                "log": log,
            }
        )
    else:
        causes = ", ".join(f"{name} {count}" for name, count in blame.most_common())
        click.echo(f"{pairs} pairs, {len(findings)} findings{': ' if causes else ''}{causes}")
    if findings:
        raise click.exceptions.Exit(1)


def _show(trial: Trial) -> None:
    click.echo(f"{trial.program} -O{trial.level}: {trial.result}")
    click.echo(f"  recipe:  {trial.recipe}")
    click.echo(f"  minimal: {trial.minimal}")
