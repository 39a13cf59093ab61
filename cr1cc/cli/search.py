"""`cr1 search`: the best recipe for one module, by search alone."""

from __future__ import annotations

from dataclasses import asdict

import click

from cr1cc.bench.contenders import Contender, Timed
from cr1cc.bench.files import files
from cr1cc.bench.run import SETTINGS, run
from cr1cc.bench.task import Task
from cr1cc.cli import output
from cr1cc.cli.compiler import usable
from cr1cc.errors import UserError
from cr1cc.policy.search import Search


@click.command("search")
@click.argument("file")
@click.option(
    "--setting",
    default="product",
    show_default=True,
    type=click.Choice(list(SETTINGS)),
    help="What is made small: bytes of the object, or IR instructions.",
)
@click.option(
    "--budget",
    default=200,
    show_default=True,
    type=click.IntRange(1, 100_000),
    help="Recipes that may be evaluated.",
)
@click.option("--clang", default=None, help="The compiler, instead of the one that is set.")
@click.option("--json", "as_json", is_flag=True, help="Print the record of `cr1 bench`.")
def command(file: str, setting: str, budget: int, clang: str | None, as_json: bool) -> None:
    """Search the best recipe for a .c, .ll or .bc file: `find_best_pass_sequence`."""
    found = files([file])
    if len(found) != 1:
        raise UserError(f"{file}: one module at a time")
    (result,) = run(
        Task(usable(clang)), setting, found[0], [Contender("search", Timed(Search()), budget)]
    )
    if as_json:
        output.document(asdict(result))
        return
    click.echo(result.recipe)
    click.echo(
        f"{result.ic_baseline} -> {result.ic} instructions, {result.bytes_baseline} -> "
        f"{result.bytes} bytes, {result.candidates} evaluations, {result.seconds:.1f} s"
    )
