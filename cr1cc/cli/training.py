"""What all commands of `cr1 train` share."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from cr1cc import config
from cr1cc.cli.progress import track
from cr1cc.errors import UserError

FOLDER = click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), default=None,
    help="Where the corpus is kept; default: a folder in the cache directory.",
)  # fmt: skip
CLANG = click.option("--clang", default=None, help="The clang to use; default: the usual one.")


def counted(steps: Iterable[Any], step: str, total: int) -> Iterable[Any]:
    """Show progress."""
    return track(steps, step, total)


@contextmanager
def extra() -> Iterator[None]:
    """What training needs is an extra of the package."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise UserError(f"{error.name} is missing: pip install 'cr1cc[train]'") from None


def home_of(folder: Path | None, name: str = "corpus") -> Path:
    """The folder, or the one of that name in the cache directory."""
    return folder or Path(config.cache_home(os.environ)) / name
