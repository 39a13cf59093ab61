"""`cr1 cache`: the local store of decisions and packs made of it."""

from __future__ import annotations

import os

import click

from cr1cc.cli import output
from cr1cc.cli.progress import track
from cr1cc.config import load
from cr1cc.errors import StorageError
from cr1cc.storage import upkeep
from cr1cc.storage.local import LocalStore
from cr1cc.storage.packs import Pack, pack_files
from cr1cc.util.data import data_path


@click.group("cache")
def command() -> None:
    """Look after the local cache of decisions."""


@command.command("path")
def path() -> None:
    """Print the directory of the local cache."""
    click.echo(_local().directory)


@command.command("size")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def size(as_json: bool) -> None:
    """Print how much is in the cache, the three kinds of answer apart."""
    local = _local()
    entries = upkeep.count_entries(local)
    _refuse(local)
    if as_json:
        output.document({"bytes": local.size(), "limit": local.size_limit, "entries": entries})
        return
    output.table(("kind", "entries"), list(entries.items()), numbers=(1,))
    click.echo(f"{output.size(local.size())} of {output.size(local.size_limit)}")


@command.command("verify")
def verify() -> None:
    """Check every entry and every pack; damaged entries are removed."""
    local = _local()
    word = local.check()
    if word != "ok":
        raise StorageError(f"{local.directory}: {word}")
    damaged = upkeep.damaged_entries(local)
    if damaged:
        local.remove(damaged)
    _refuse(local)
    wrong = []
    for file in track(pack_files(data_path("cache")), "packs"):
        try:
            with Pack(file) as pack:
                pack.verify()
        except StorageError as error:
            wrong.append(str(error))
    if damaged:
        wrong.append(f"{local.directory}: {len(damaged)} damaged entries were removed")
    if wrong:
        raise StorageError("; ".join(wrong))
    click.echo("The cache and all packs are intact.")


@command.command("clear")
def clear() -> None:
    """Remove every decision from the local cache."""
    local = _local()
    local.clear()
    _refuse(local)


@command.command("export")
@click.argument("file", type=click.Path())
def export(file: str) -> None:
    """Write every decision of the local cache to FILE, as a pack."""
    local = _local()
    count = upkeep.export_entries(local, file)
    _refuse(local)
    click.echo(f"{count} entries written to {output.plain(file)}")


@command.command("import")
@click.argument("file", type=click.Path())
def import_(file: str) -> None:
    """Add the decisions of a pack to the local cache."""
    count = upkeep.import_entries(_local(), file, lambda it, total: track(it, "import", total))
    click.echo(f"{count} entries read from {output.plain(file)}")


def _local() -> LocalStore:
    config = load(os.environ, os.getcwd())
    return LocalStore(config.cache_dir, config.cache_size)


def _refuse(local: LocalStore) -> None:
    """What a compile overlooks, a person who asks must hear."""
    if local.problems:
        raise StorageError(f"{local.directory}: {', '.join(local.problems)}")
