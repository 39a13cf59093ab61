"""`cr1 config`: the settings in force, each with its origin."""

from __future__ import annotations

import os

import click

from cr1cc.cli import output
from cr1cc.config import SETTINGS, load


@click.command("config")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> None:
    """Print every setting, its value and where the value comes from."""
    config = load(os.environ, os.getcwd())
    if as_json:
        output.document(
            {
                row.key: {"value": getattr(config, row.key), "origin": config.origins[row.key]}
                for row in SETTINGS
            }
        )
        return
    rows = [
        (row.key, _shown(getattr(config, row.key)), config.origins[row.key], row.meaning)
        for row in SETTINGS
    ]
    output.table(("setting", "value", "origin", "meaning"), rows)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if value != "" else "-"
