"""`cr1 daemon`: look after the resident process."""

from __future__ import annotations

import os
import time

import click

from cr1cc import config
from cr1cc.cli import output
from cr1cc.errors import ResidentError, ToolchainError
from cr1cc.resident import client, survey
from cr1cc.resident.place import Place, place_for
from cr1cc.toolchain.describe import describe
from cr1cc.toolchain.find import find_compiler

_PATIENCE = 10.0  # seconds for a process to listen


@click.group()
def command() -> None:
    """Look after the resident process, which makes compiles start quicker."""


@command.command()
def start() -> None:
    """Start it for the clang that is set; a compile does so by itself."""
    libllvm = _libllvm()
    place = _place(libllvm)
    started = client.start(place, libllvm, os.environ)
    deadline = time.monotonic() + _PATIENCE
    while not os.path.exists(place.socket):
        if time.monotonic() > deadline:
            raise ResidentError(f"it does not listen; see {place.log}")
        time.sleep(0.02)
    click.echo(f"{'started' if started else 'runs already'}: {place.socket}")


@command.command()
def stop() -> None:
    """End all resident processes of this user."""
    for process in survey.running(os.environ):
        if not survey.stop(process):
            raise ResidentError(f"process {process.pid} does not end")
        click.echo(f"stopped: {process.pid or process.place.socket}")


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(as_json: bool) -> None:
    """Say which resident processes there are and what they use."""
    rows = [(p.pid, survey.memory(p.pid), p.place.socket) for p in survey.running(os.environ)]
    if as_json:
        names = ("pid", "memory", "socket")
        output.document([dict(zip(names, row, strict=True)) for row in rows])
    elif rows:
        cells = [(pid, output.size(memory), path) for pid, memory, path in rows]
        output.table(("process", "memory", "socket"), cells, numbers=(0, 1))
    else:
        click.echo("no resident process runs")


@command.command()
def logs() -> None:
    """Print what the resident process for the clang that is set had to say."""
    place = _place(_libllvm())
    try:
        with open(place.log, encoding="utf-8", errors="replace") as file:
            click.echo(file.read(), nl=False)
    except FileNotFoundError:
        click.echo("nothing yet")


def _libllvm() -> str:
    settings = config.load(os.environ, os.getcwd())
    driver = find_compiler("clang", setting=settings.clang or None, environ=os.environ, own="")
    toolchain = describe(driver, cache_dir=settings.cache_dir)
    if toolchain.libllvm is None:
        raise ToolchainError(f"{driver}: {toolchain.libllvm_problem}")
    return toolchain.libllvm


def _place(libllvm: str) -> Place:
    try:
        return place_for(libllvm, os.environ)
    except OSError as error:
        raise ResidentError(f"{libllvm}: {error.strerror}") from None
