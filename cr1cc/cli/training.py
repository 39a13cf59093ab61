"""What all commands of `cr1 train` share."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cr1cc import config
from cr1cc.cli.progress import track
from cr1cc.errors import UserError

if TYPE_CHECKING:
    from cr1cc.train.export import Parity

FOLDER = click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False, resolve_path=True), default=None,
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


def said_of(target: Path, found: Parity) -> Iterator[str]:
    """What is printed of a model file and its comparison with PyTorch."""
    yield f"{target}: {target.stat().st_size / 1e6:.1f} MB"
    yield (
        f"{found.places} prompts: divergence of at most {found.divergence:.1e} nats, "
        f"logits within {found.difference:.2g}, {found.agreeing:.0%} with one first token"
    )


def home_of(folder: Path | None, name: str = "corpus") -> Path:
    """The folder, or the one of that name in the cache directory."""
    return folder or Path(config.cache_home(os.environ)) / name
