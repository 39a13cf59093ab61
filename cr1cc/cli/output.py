"""How subcommands print: tables for people, one JSON document for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import click

Row = Sequence[object]


def table(headings: Sequence[str], rows: Sequence[Row], *, numbers: Sequence[int] = ()) -> None:
    """Print rows: a ruled table on a terminal, else columns parted by two blanks.

    `numbers` are the columns that are aligned to the right.
    """
    cells = [[plain(str(cell)) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _ruled(headings, cells, numbers)
        return
    lines = [[heading.upper() for heading in headings], *cells]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        parts = [
            cell.rjust(width) if i in numbers else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        click.echo("  ".join(parts).rstrip())


def document(data: object) -> None:
    """Print `data` as JSON."""
    click.echo(json.dumps(data, indent=2))


def plain(text: str) -> str:
    """`text` without what would steer a terminal or cannot be encoded (names of files)."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def size(count: int) -> str:
    """A number of bytes for people."""
    value = float(count)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            break
        value /= 1024
    return f"{count} bytes" if unit == "bytes" else f"{value:.1f} {unit}"


def percent(before: int, after: int) -> str:
    """How much smaller `after` is."""
    return f"{100 * (before - after) / before:.2f} %" if before else "0 %"


def _ruled(headings: Sequence[str], cells: list[list[str]], numbers: Sequence[int]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    ruled = Table()
    for i, heading in enumerate(headings):
        ruled.add_column(heading, justify="right" if i in numbers else "left", overflow="fold")
    for row in cells:
        ruled.add_row(*(Text(cell) for cell in row))  # Text: no markup in names of files
    Console().print(ruled)
