"""Compare proposers on modules, in one of two settings.

    paper     the module as `clang -O0` leaves it, without size attributes; the baseline is
              `default<Oz>`, what counts are IR instructions, recipes are passes alone
    product   the module as it enters the optimiser at -Oz; the baseline is the object of the
              real `clang -Oz`, what counts are its loadable bytes; recipes for the whole
              module and tails of its functions, emitted by the real compiler and validated as
              in a build

OverOz and OverOrig are those of the literature: the share of instructions saved against
the baseline and against the unoptimised module (arXiv:2506.15701, section 4).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

from cr1cc.bench.contenders import Contender
from cr1cc.bench.paper import PaperModule
from cr1cc.bench.product import ProductModule
from cr1cc.bench.results import Result
from cr1cc.bench.task import Task
from cr1cc.errors import Cr1Error, UserError

SETTINGS: dict[str, type[PaperModule] | type[ProductModule]] = {
    "paper": PaperModule,
    "product": ProductModule,
}


def run(task: Task, setting: str, path: str, asked: Sequence[Contender]) -> Iterator[Result]:
    """One result for each contender. Raises UserError if the module cannot be compiled or
    measured."""
    try:
        with closing(SETTINGS[setting](task, path)) as module:
            yield from map(module.ask, asked)
    except (Cr1Error, OSError) as error:
        raise UserError(f"{path}: {error}") from None
