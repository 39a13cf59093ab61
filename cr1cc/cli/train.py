"""`cr1 train`: build the corpus and mine what ships with the package."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cr1cc.cli.compiler import usable
from cr1cc.cli.progress import track
from cr1cc.cli.train_asm import asm
from cr1cc.cli.training import CLANG, FOLDER, counted, extra, home_of, said_of
from cr1cc.model import SHIPPED
from cr1cc.records import Metric
from cr1cc.util.atomic import replace_file

if TYPE_CHECKING:
    from cr1cc.train.compare import Training
    from cr1cc.train.network import Network


@click.group()
def command() -> None:
    """Make the data that ships with the package from open packages."""


_METRIC = click.option(
    "--metric", default="bytes", show_default=True, help="What is made less.",
    type=click.Choice([metric.value for metric in Metric]),
)  # fmt: skip


@command.command()
@FOLDER
@CLANG
@click.option("--programs", default=400, show_default=True, help="csmith programs besides.")
@click.option("--held-out", is_flag=True,
              help="Only modules of packages that are held out, to measure on.")  # fmt: skip
def corpus(folder: Path | None, clang: str | None, programs: int, held_out: bool) -> None:
    """Fetch and build the packages of the table; keep modules and functions as bitcode."""
    from cr1cc.train import duplicates, functions, licences
    from cr1cc.train.census import census
    from cr1cc.train.corpus import collect
    from cr1cc.train.packages import HELD_OUT, PACKAGES
    from cr1cc.train.tasks import Task

    home, toolchain, jobs = home_of(folder), usable(clang), os.cpu_count() or 1
    packages = HELD_OUT if held_out else (*PACKAGES, *HELD_OUT)
    for line in collect(home, packages, toolchain.driver, 0 if held_out else programs, jobs):
        click.echo(line)
    if held_out:
        return
    licences.collect(home, counted)
    task = Task.of(toolchain)
    functions.split(task, home, jobs, _progress)
    duplicates.find(task, home, jobs, _progress)
    found = census(home)
    click.echo(f"{home}: {len(found['packages'])} packages")
    for kind, count in found["total"].items():
        click.echo(f"  {kind}: {count}, of which {found['learnt'][kind]} may be learnt from")


@command.command()
@FOLDER
@CLANG
@_METRIC
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), default=None,
              help="The file to write; default: the one that the package ships.")  # fmt: skip
@click.option("--seed", type=int, help="Of all that is random.")
@click.option("--jobs", type=int, help="Processes at once.")
@click.option("--matrix-modules", type=int, help="Modules to measure recipes on.")
@click.option("--search-modules", type=int, help="Modules to search on.")
@click.option("--search-budget", type=int, help="Evaluations of one search.")
def coreset(
    folder: Path | None, clang: str | None, metric: str, output: Path | None,
    **amounts: int | None,
) -> None:  # fmt: skip
    """Mine complementary recipes by search; an interrupted run goes on where it was."""
    from cr1cc.passes.coreset import DATA
    from cr1cc.train import coreset as miner
    from cr1cc.train.corpus import KIND, samples

    home = home_of(folder)
    given = {name: n for name, n in amounts.items() if n is not None}
    plan = miner.Plan(Metric(metric), **given)
    found = samples(home, KIND[plan.metric])
    toolchain = usable(clang)
    mined = miner.mine(toolchain, found, home, plan, _progress)
    target = output or Path(DATA)
    miner.write(mined, target, toolchain, sorted({sample.package for sample in found}), plan)
    click.echo(f"{target}: {len(mined.recipes)} recipes, {len(mined.tails)} tails")
    for size in (1, 4, 8, 16, 32, len(mined.recipes)):
        if size <= len(mined.recipes):
            mean, total = mined.means[size - 1], mined.totals[size - 1]
            click.echo(f"  best {size:3}: mean gain {mean:.2%}, in total {total:.2%}")


@command.command()
@FOLDER
@CLANG
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), default=None,
              help="The file to write; default: the one that the package ships.")  # fmt: skip
@click.option("--modules", default=40, show_default=True, help="Modules to measure on.")
@click.option("--jobs", default=2, show_default=True, help="Processes at once.")
def synergy(
    folder: Path | None, clang: str | None, output: Path | None, modules: int, jobs: int
) -> None:
    """Measure every pass behind every other: the graph that searches walk on."""
    from cr1cc.policy.synergy import DATA
    from cr1cc.train import synergy as miner
    from cr1cc.train.corpus import samples

    home = home_of(folder)
    found = samples(home, "paper")
    graph = miner.mine(usable(clang), found, home, modules, jobs, _progress)
    target = output or Path(DATA)
    miner.write(graph, target)
    click.echo(f"{target}: {target.stat().st_size} bytes")


@command.command()
@FOLDER
@CLANG
@_METRIC
@click.option("--budget", type=click.IntRange(0), help="Evaluations of one search.")
@click.option("--modules", type=click.IntRange(1), help="How many modules; default: all.")
@click.option("--functions", type=click.IntRange(0), help="How many functions besides.")
@click.option("--jobs", type=click.IntRange(1), help="Processes at once.")
@click.option("--held-out", is_flag=True, help="Modules that are held out, to compare models on.")
def label(
    folder: Path | None, clang: str | None, metric: str, held_out: bool, **amounts: int | None
) -> None:  # fmt: skip
    """Search modules and functions for their best recipes; it goes on where it was."""
    from cr1cc.train import label as labels
    from cr1cc.train.tasks import Task

    home = home_of(folder)
    given = {name: n for name, n in amounts.items() if n is not None}
    plan = labels.Plan(Metric(metric), held_out=held_out, **given)
    task = Task.of(usable(clang))
    rows = labels.label(task, labels.chosen(home, task, plan), home, plan, _progress)
    better = sum(bool(row["recipes"]) for row in rows)
    click.echo(
        f"{len(rows)} modules and functions, {better} of them with a recipe that is better than -Oz"
    )


@command.command()
@FOLDER
@_METRIC
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False, exists=True),
              default=None, help="The coreset; default: the one that ships.")  # fmt: skip
def order(folder: Path | None, metric: str, output: Path | None) -> None:
    """Order the coreset by what the labels know of it."""
    from cr1cc.passes.coreset import DATA
    from cr1cc.train import order as ordering

    count, means = ordering.order(home_of(folder), Metric(metric), output or Path(DATA))
    click.echo(f"ordered by {count} modules")
    for size in (1, 4, 8, 16, len(means)):
        click.echo(f"  best {size:3}: mean gain {means[min(size, len(means)) - 1]:.2%}")


@command.command()
@FOLDER
@click.option("--steps", type=click.IntRange(1), help="How long; default: what the plan says.")
@click.option("--batch", type=click.IntRange(1), help="Modules of a step.")
@click.option("--seed", type=int, help="Of all that is random.")
@click.option("--lessons", type=click.IntRange(1), help="Learn from so many; default: all.")
@click.option("--view", default="features", show_default=True,
              type=click.Choice(["features", "opcodes"]),
              help="What is told of a module; opcodes is there to compare with.")  # fmt: skip
def sft(folder: Path | None, view: str, **amounts: int | None) -> None:
    """Train the model on the labels; an interrupted run goes on where it was."""
    with extra():
        from cr1cc.train import sft as training

    given: dict[str, Any] = {name: n for name, n in amounts.items() if n is not None}
    found = training.train(home_of(folder), training.Plan(view=view, **given), counted)
    click.echo(f"best after {found['step']} steps: loss {found['loss']:.3f} on other packages")


@command.command()
@FOLDER
@CLANG
@click.option("--algorithm", default="grpo", show_default=True,
              type=click.Choice(["grpo", "ppo", "reinforce"]), help="How it learns.")  # fmt: skip
@click.option("--steps", type=click.IntRange(1), help="How long; default: what the plan says.")
@click.option("--batch", type=click.IntRange(1), help="Modules of a step.")
@click.option("--turns", type=click.IntRange(0, 40),
              help="Measurements of a conversation; 0: one answer, nothing else.")  # fmt: skip
@click.option("--group", type=click.IntRange(2), help="Answers for each of them.")
@click.option("--rate", type=float, help="How large the steps are.")
@click.option("--alpha", type=float, help="What a saved share counts in the reward.")
@click.option("--scratch", is_flag=True, help="Begin with random weights.")
@click.option("--seed", type=int, help="Of all that is random.")
def rl(
    folder: Path | None, clang: str | None, algorithm: str, scratch: bool, alpha: float | None,
    **amounts: int | None,
) -> None:  # fmt: skip
    """Let the model learn from what its recipes save; an interrupted run goes on."""
    with extra():
        from cr1cc.train import rl as training
        from cr1cc.train.rollout import Reward
    from cr1cc.train.tasks import Task

    given: dict[str, Any] = {name: n for name, n in amounts.items() if n is not None}
    reward = Reward() if alpha is None else Reward(alpha=alpha)
    plan = training.Plan(algorithm, scratch=scratch, reward=reward, **given)
    task = Task.of(usable(clang))
    found = training.train(home_of(folder), task, plan, counted)
    for name, value in found.items():
        click.echo(f"{name:12} {value:.4f}")


@command.command()
@FOLDER
@click.option("--weights", multiple=True,
              help="Of which training: sft, or one of `cr1 train rl`; several.")  # fmt: skip
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), default=None,
              help="A file to write it to as JSON, too.")  # fmt: skip
def compare(folder: Path | None, weights: tuple[str, ...], output: Path | None) -> None:
    """Compare trainings on labels of modules that are held out, without compiling."""
    with extra():
        from cr1cc.train import compare as comparing

    home = home_of(folder)
    trainings = [_training(home, name) for name in weights or ("sft",)]
    rows = comparing.compare(home, trainings)
    for metric in dict.fromkeys(row.metric for row in rows):
        some = [row for row in rows if row.metric == metric]
        click.echo(f"{metric}: saved on {some[0].modules} modules after so many measurements")
        click.echo(f"{'':24}" + "".join(f"{turns:9}" for turns in comparing.TURNS))
        for row in some:
            click.echo(f"{row.who:24}" + "".join(f"{share:9.2%}" for share in row.saved))
    if output:
        found = {"turns": comparing.TURNS, "rows": [asdict(row) for row in rows]}
        replace_file(str(output), (json.dumps(found, indent=1) + "\n").encode())


def _trained(home: Path, name: str) -> tuple[Network, dict[str, Any]]:
    """Weights, and what is known of their training. Raises UserError."""
    with extra():
        from cr1cc.train.rl import trained
        from cr1cc.train.sft import best

    return best(home, name) if name.startswith("sft") else trained(home, name)


def _training(home: Path, name: str) -> Training:
    from cr1cc.train.compare import Training

    network, facts = _trained(home, name)
    return Training(name, facts["plan"].get("view", "features"), network)


@command.command()
@FOLDER
@click.option("--weights", default="sft", show_default=True,
              help="Of which training: sft, or the name of one of `cr1 train rl`.")  # fmt: skip
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), default=None,
              help="The file to write; default: the one that the package ships.")  # fmt: skip
def export(folder: Path | None, weights: str, output: Path | None) -> None:
    """Write the trained model as a GGUF file; check that llama.cpp computes the same."""
    with extra():
        from cr1cc.train import export as exporting

    network, facts = _trained(home_of(folder), weights)
    target = output or Path(SHIPPED)
    found = exporting.export(network, target, {name: str(fact) for name, fact in facts.items()})
    for line in said_of(target, found):
        click.echo(line)


@command.command()
@FOLDER
@click.option("--clang", "clangs", multiple=True, help="A clang to make decisions for; several.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), default=None,
              help="The file to write; default: the one that the package ships.")  # fmt: skip
def pack(folder: Path | None, clangs: tuple[str, ...], output: Path | None) -> None:
    """Build the packages of the table at -Oz; keep the decisions as a pack."""
    from cr1cc.train.pack import SHIPPED, make

    toolchains = [usable(clang) for clang in clangs or (None,)]
    for line in make(home_of(folder), toolchains, output or SHIPPED):
        click.echo(line)


command.add_command(asm)


def _progress(
    rows: Iterable[dict[str, object]], step: str, total: int
) -> Iterable[dict[str, object]]:
    return track(rows, step, total)
