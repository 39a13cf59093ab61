"""`cr1 daemon`: look after the resident processes."""

from __future__ import annotations

import os
import time

import click

from cr1cc import config
from cr1cc.cli import output
from cr1cc.errors import ResidentError, ToolchainError
from cr1cc.model.describe import describe as describe_model
from cr1cc.policy.proposers import WITH_MODEL
from cr1cc.resident import client, survey
from cr1cc.resident.place import Place, Service, place_for
from cr1cc.toolchain.describe import describe
from cr1cc.toolchain.find import find_compiler

_PATIENCE = 20.0  # seconds for a process to listen


@click.group()
def command() -> None:
    """Look after the resident processes, which make compiles start quicker."""


@command.command()
def start() -> None:
    """Start those that the settings ask for; a compile does so by itself."""
    for service in _services():
        place = _place(service)
        started = client.start(place, service, os.environ)
        deadline = time.monotonic() + _PATIENCE
        while not os.path.exists(place.socket):
            if time.monotonic() > deadline:
                raise ResidentError(f"it does not listen; see {place.log}")
            time.sleep(0.02)
        how = "started" if started else "runs already"
        click.echo(f"{how}: {place.socket} for {service.path}")


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
    rows = [
        (p.pid, p.kind, p.path, survey.memory(p.pid), p.place.socket)
        for p in survey.running(os.environ)
    ]
    if as_json:
        names = ("pid", "kind", "path", "memory", "socket")
        output.document([dict(zip(names, row, strict=True)) for row in rows])
    elif rows:
        cells = [(pid, kind, path, output.size(memory), at) for pid, kind, path, memory, at in rows]
        output.table(("process", "kind", "has loaded", "memory", "socket"), cells, numbers=(0, 3))
    else:
        click.echo("no resident process runs")


@command.command()
def logs() -> None:
    """Print what the resident processes that the settings ask for had to say."""
    said = False
    for service in _services():
        try:
            with open(_place(service).log, encoding="utf-8", errors="replace") as file:
                click.echo(file.read(), nl=False)
            said = True
        except FileNotFoundError:
            continue
    if not said:
        click.echo("nothing yet")


def _services() -> list[Service]:
    """What compiles with these settings would look for."""
    settings = config.load(os.environ, os.getcwd())
    driver = find_compiler("clang", setting=settings.clang or None, environ=os.environ, own="")
    toolchain = describe(driver, cache_dir=settings.cache_dir)
    if toolchain.libllvm is None:
        raise ToolchainError(f"{driver}: {toolchain.libllvm_problem}")
    found = [Service("llvm", toolchain.libllvm, (toolchain.libllvm,))]
    if settings.proposer in WITH_MODEL:
        facts = describe_model(settings.model, cache_dir=settings.cache_dir, environ=os.environ)
        if facts.problem:
            click.echo(f"left out: the model: {facts.problem}", err=True)
        else:
            files = tuple(path for path, _ in facts.stamps)
            found.append(Service("model", facts.path, files))
    return found


def _place(service: Service) -> Place:
    try:
        return place_for(service, os.environ)
    except OSError as error:
        raise ResidentError(f"{service.path}: {error.strerror}") from None
