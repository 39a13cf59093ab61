"""`cr1 train asm`: corpus and labels of the model of assembly, and the model."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import click

from cr1cc.cli.compiler import usable
from cr1cc.cli.training import FOLDER, counted, extra, home_of, said_of
from cr1cc.errors import UserError
from cr1cc.util.atomic import replace_file


@click.group(name="asm")
def asm() -> None:
    """Make the model that rewrites assembly."""


HOME = "asm"  # the folder in the cache directory


@asm.command()
@FOLDER
@click.option("--packages", required=True, metavar="NAME,…",
              help="Which packages of the table, with commas between.")  # fmt: skip
@click.option("--gcc", default="gcc", show_default=True, help="The gcc to use.")
@click.option("--clang", default=None, help="The clang to use; default: the usual one.")
def corpus(folder: Path | None, packages: str, gcc: str, clang: str | None) -> None:
    """Compile packages to assembly by both compilers; cut it into windows and count them."""
    from cr1cc.train.asm.corpus import chosen, collect

    driver = shutil.which(gcc)
    if driver is None:
        raise UserError(f"{gcc}: there is no such compiler")
    names = [name.strip() for name in packages.split(",") if name.strip()]
    for line in collect(
        home_of(folder, HOME), chosen(names), driver, usable(clang).driver, counted
    ):
        click.echo(line)


@asm.command()
@FOLDER
@click.option("--windows", type=click.IntRange(0), default=None,
              help="How many windows, the most frequent first; default: all.")  # fmt: skip
@click.option("--effort", type=click.IntRange(1), default=None,
              help="Instructions that the search of a window may run.")  # fmt: skip
@click.option("--ruled", type=click.IntRange(0), default=None,
              help="How many of them are given to the rules before any is searched.")  # fmt: skip
def labels(folder: Path | None, **amounts: int | None) -> None:
    """Search windows for better ones and prove them; an interrupted run goes on where it was."""
    from cr1cc.train.asm.labels import label, rows
    from cr1cc.train.asm.work import Plan

    home = home_of(folder, HOME)
    for _ in label(home, Plan(**_given(amounts)), counted):
        pass
    found = rows(home / "labels.jsonl")
    better = Counter(row["source"] for row in found if row["source"] != "none")
    click.echo(f"{len(found)} rows, {better.total()} of them with something better")
    for source, count in sorted(better.items()):
        click.echo(f"  {source}: {count}")


@asm.command()
@FOLDER
@click.option("--steps", type=click.IntRange(1), help="How long; default: what the plan says.")
@click.option("--batch", type=click.IntRange(1), help="Windows of a step.")
@click.option("--seed", type=int, help="Of all that is random.")
def sft(folder: Path | None, **amounts: int | None) -> None:
    """Train the model on the labels; an interrupted run goes on where it was."""
    with extra():
        from cr1cc.train.asm import sft as training

    found = training.train(home_of(folder, HOME), training.Plan(**_given(amounts)), counted)
    click.echo(
        f"best after {found['step']} steps: loss {found['loss']:.3f} on windows not learnt from"
    )


@asm.command()
@FOLDER
@click.option("--reward", default="correct", show_default=True,
              type=click.Choice(["correct", "speed"]),
              help="What is rewarded: to be right and what is saved, or the latter.")  # fmt: skip
@click.option("--steps", type=click.IntRange(1), help="How long; default: what the plan says.")
@click.option("--batch", type=click.IntRange(1), help="Windows of a step.")
@click.option("--group", type=click.IntRange(2), help="Answers for each of them.")
@click.option("--rate", type=float, help="How large the steps are.")
@click.option("--seed", type=int, help="Of all that is random.")
def rl(folder: Path | None, reward: str, **amounts: float | None) -> None:
    """Let the model learn from what is proved of its own windows; an interrupted run goes on."""
    with extra():
        from cr1cc.train.asm import rl as training

    plan = training.Plan(reward, **_given(amounts))
    for name, value in training.train(home_of(folder, HOME), plan, counted).items():
        click.echo(f"{name:12} {value:.4f}")


@asm.command()
@FOLDER
@click.option("--weights", default="asm-sft", show_default=True,
              help="Of which training: asm-sft, asm-correct or asm-speed.")  # fmt: skip
@click.option("--last", is_flag=True,
              help="The weights as they are at the end of rl, instead of the best.")  # fmt: skip
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), default=None,
              help="The file to write; default: the one that the package ships.")  # fmt: skip
def export(folder: Path | None, weights: str, output: Path | None, last: bool) -> None:
    """Write the trained model as a GGUF file; check that llama.cpp computes the same."""
    with extra():
        from cr1cc.train.asm import export as exporting

    target = output or Path(exporting.SHIPPED)
    found = exporting.export(home_of(folder, HOME), weights, target, last=last)
    for line in said_of(target, found):
        click.echo(line)


@asm.command("counts")
@FOLDER
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), default=None,
              help="A file to write them to; default: they are printed.")  # fmt: skip
def counts_(folder: Path | None, output: Path | None) -> None:
    """Count windows and labels, as JSON."""
    from cr1cc.train.asm.counts import counts

    text = json.dumps(counts(home_of(folder, HOME)), indent=1) + "\n"
    if output is None:
        click.echo(text, nl=False)
    else:
        replace_file(str(output), text.encode())


def _given(amounts: dict[str, Any]) -> dict[str, Any]:
    return {name: n for name, n in amounts.items() if n is not None}
