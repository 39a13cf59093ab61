"""`cr1 bench`: compare proposers on any modules."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import asdict

import click

from cr1cc.bench.contenders import NAMES, contenders
from cr1cc.bench.files import files
from cr1cc.bench.results import Result, Summary, summaries
from cr1cc.bench.run import SETTINGS, run
from cr1cc.bench.task import Task
from cr1cc.cli import output
from cr1cc.cli.compiler import usable
from cr1cc.cli.progress import track
from cr1cc.config import load
from cr1cc.errors import UserError
from cr1cc.policy.proposers import Circumstances

_HEADINGS = (
    "proposer", "modules", "success", "OverOz mean", "median", "worst", "OverOrig",
    "bytes mean", "median", "worst", "total", "candidates", "seconds", "thinking ms",
)  # fmt: skip


@click.command("bench")
@click.argument("paths", nargs=-1, required=True)
@click.option(
    "--setting",
    default="product",
    show_default=True,
    type=click.Choice(list(SETTINGS)),
    help="What is compared with what.",
)
@click.option(
    "--proposer",
    "proposers",
    multiple=True,
    metavar="NAME[@MODEL][:EVALUATIONS]",
    help=f"One or several of {', '.join(NAMES)}; default: all that can be used.",
)
@click.option(
    "--candidates",
    default=16,
    show_default=True,
    type=click.IntRange(1, 100_000),
    help="Recipes that a proposer may evaluate for one module, unless it says.",
)
@click.option("--cflags", default="", help="Options for the C files, as for a shell.")
@click.option("--clang", default=None, help="The compiler, instead of the one that is set.")
@click.option("--json", "as_json", is_flag=True, help="Print a record for each result.")
def command(
    paths: tuple[str, ...], setting: str, proposers: tuple[str, ...],
    candidates: int, cflags: str, clang: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Compare what proposers make of modules: .c, .ll and .bc files, folders of them.

    Setting "paper": IR instructions against default<Oz> on what clang -O0 leaves.
    Setting "product": bytes of objects against those of clang -Oz.
    """
    settings = load(os.environ, os.getcwd())
    asked = contenders(proposers, candidates, Circumstances(settings, os.environ), _note)
    task = Task(usable(clang), tuple(_words(cflags)))
    results: list[Result] = []
    left_out = []
    for path in track(files(paths), "modules"):
        try:
            results += run(task, setting, path, asked)
        except UserError as error:
            left_out.append(str(error))
    for reason in left_out:
        _note(f"left out: {reason}")
    if not results:
        raise UserError("no module could be measured")
    if as_json:
        output.document([asdict(result) for result in results])
    else:
        _show(summaries(results))


def _note(line: str) -> None:
    click.echo(line, err=True)


def _words(text: str) -> Sequence[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UserError(f"--cflags {text}: {error}") from None


def _show(rows: Sequence[Summary]) -> None:
    cells = [
        (
            row.proposer, row.modules, _percent(row.success),
            *(_percent(row.over_oz[name]) for name in ("mean", "median", "worst")),
            _percent(row.over_orig),
            *(_percent(row.smaller[name]) for name in ("mean", "median", "worst", "total")),
            f"{row.candidates:.1f}", f"{row.seconds:.2f}", f"{1e3 * row.thinking:.0f}",
        )
        for row in rows
    ]  # fmt: skip
    output.table(_HEADINGS, cells, numbers=range(1, len(_HEADINGS)))


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"
