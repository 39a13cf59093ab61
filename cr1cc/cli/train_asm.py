"""`cr1 train asm`: corpus and labels of the model of assembly."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from cr1cc.cli.compiler import usable
from cr1cc.cli.progress import track
from cr1cc.errors import UserError
from cr1cc.util.atomic import replace_file


@click.group(name="asm")
def asm() -> None:
    """Make the model that rewrites assembly."""


_FOLDER = click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False, resolve_path=True),
    required=True,
    help="Where corpus and labels are kept.",
)  # fmt: skip


@asm.command()
@_FOLDER
@click.option("--packages", required=True, metavar="NAME,…",
              help="Which packages of the table, with commas between.")  # fmt: skip
@click.option("--gcc", default="gcc", show_default=True, help="The gcc to use.")
@click.option("--clang", default=None, help="The clang to use; default: the usual one.")
def corpus(folder: Path, packages: str, gcc: str, clang: str | None) -> None:
    """Compile packages to assembly by both compilers; cut it into windows and count them."""
    from cr1cc.train.asm.corpus import chosen, collect

    driver = shutil.which(gcc)
    if driver is None:
        raise UserError(f"{gcc}: there is no such compiler")
    names = [name.strip() for name in packages.split(",") if name.strip()]
    for line in collect(folder, chosen(names), driver, usable(clang).driver, _progress):
        click.echo(line)


@asm.command()
@_FOLDER
@click.option("--windows", type=click.IntRange(0), default=None,
              help="How many windows, the most frequent first; default: all.")  # fmt: skip
@click.option("--effort", type=click.IntRange(1), default=None,
              help="Instructions that the search of a window may run.")  # fmt: skip
@click.option("--ruled", type=click.IntRange(0), default=None,
              help="How many of them are given to the rules before any is searched.")  # fmt: skip
def labels(folder: Path, **amounts: int | None) -> None:
    """Search windows for better ones and prove them; an interrupted run goes on where it was."""
    from cr1cc.train.asm.labels import label, rows
    from cr1cc.train.asm.work import Plan

    given = {name: n for name, n in amounts.items() if n is not None}
    for _ in label(folder, Plan(**given), _progress):
        pass
    found = rows(folder / "labels.jsonl")
    better = Counter(row["source"] for row in found if row["source"] != "none")
    click.echo(f"{len(found)} rows, {better.total()} of them with something better")
    for source, count in sorted(better.items()):
        click.echo(f"  {source}: {count}")


@asm.command()
@_FOLDER
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), default=None,
              help="A file to write them to; default: they are printed.")  # fmt: skip
def counts(folder: Path, output: Path | None) -> None:
    """Count windows and labels, as JSON."""
    from cr1cc.train.asm.counts import counts as counted

    text = json.dumps(counted(folder), indent=1) + "\n"
    if output is None:
        click.echo(text, nl=False)
    else:
        replace_file(str(output), text.encode())


def _progress(items: Iterable[Any], step: str, total: int) -> Iterable[Any]:
    return track(items, step, total)
