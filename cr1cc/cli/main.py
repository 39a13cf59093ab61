"""The `cr1` command: its table of subcommands, and the one place where it ends."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import click

from cr1cc.errors import Cr1Error


@dataclass(frozen=True)
class Subcommand:
    """A row: `module` has the click command as its attribute `command`."""

    name: str
    module: str
    help: str


SUBCOMMANDS: tuple[Subcommand, ...] = (
    Subcommand("bench", "cr1cc.cli.bench", "Compare proposers on any C files or modules."),
    Subcommand("cache", "cr1cc.cli.cache", "Look after the local cache of decisions."),
    Subcommand("config", "cr1cc.cli.config", "Print every setting and where its value comes from."),
    Subcommand("daemon", "cr1cc.cli.daemon", "Start, stop and show the resident process."),
    Subcommand("doctor", "cr1cc.cli.doctor", "Say whether everything that is needed is there."),
    Subcommand("explain", "cr1cc.cli.explain", "Say what was done to one file, and why."),
    Subcommand("fuzz", "cr1cc.cli.fuzz", "Compare what programs do under many recipes with -O0."),
    Subcommand("lock", "cr1cc.cli.lock", "Look after the lockfile."),
    Subcommand("prove", "cr1cc.cli.prove", "Prove that a body of a function may replace another."),
    Subcommand("search", "cr1cc.cli.search", "Search the best recipe for one module."),
    Subcommand("stats", "cr1cc.cli.stats", "Count what became of the commands so far."),
    Subcommand("train", "cr1cc.cli.train", "Make corpus, coreset, labels and model."),
    Subcommand("tune", "cr1cc.cli.tune", "Make a benchmark faster, and write cr1.lock."),
)


class _Program(click.Group):
    """Loads a subcommand's module only when it is called; the table has the help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [row.name for row in SUBCOMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        for row in SUBCOMMANDS:
            if row.name == cmd_name:
                command = importlib.import_module(row.module).command
                assert isinstance(command, click.Command)
                return command
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(row.name, row.help) for row in SUBCOMMANDS])


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from importlib import metadata

        try:
            click.echo(f"cr1 {metadata.version('cr1cc')}")
        except metadata.PackageNotFoundError:
            click.echo("cr1 (run from a checkout)")
        ctx.exit()


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Print the version and end.",
)
def program() -> None:
    """Look at and look after the compilers cr1-clang, cr1-clang++, cr1-gcc and cr1-g++."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `cr1` and return its exit status: 0, 1 (one line says why), 2 for wrong usage."""
    try:
        status = program.main(args=arguments, prog_name="cr1", standalone_mode=False)
        sys.stdout.flush()
        return status if isinstance(status, int) else 0
    except click.ClickException as error:
        return _fail(error.format_message(), error.exit_code)
    except Cr1Error as error:
        return _fail(str(error))
    except (KeyboardInterrupt, click.Abort):
        return _fail("interrupted", 130)
    except BrokenPipeError:
        # The reader has gone, as `| head` does; nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _fail(f"{place}{error.strerror or error}")
    except Exception as error:
        return _fail(f"internal error: {type(error).__name__}: {error}")


def _fail(text: str, status: int = 1) -> int:
    try:
        click.echo(f"cr1: {' '.join(text.split())}", err=True)
    except OSError:
        pass  # nobody listens
    return status


if __name__ == "__main__":
    sys.exit(main())
