"""One assembly of functions from several donor builds: one of them, the base, and in it each
part of the source that takes fewer bytes in another one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

from cr1cc.asm.printer import print_unit
from cr1cc.asm.reader import read_unit
from cr1cc.asm.splice import splice
from cr1cc.asm.unit import Unit
from cr1cc.donors.build import Build
from cr1cc.donors.parts import Measured, parts_of
from cr1cc.errors import AsmError
from cr1cc.util.elf import NotElfError

# Bytes of assembly that are read, of all builds together: a megabyte takes as long as
# the compile of a small source.
_MOST = 16 << 20

# How often functions are put together if not all of them go at once.
_TRIALS = 32

Choice = dict[str, str]  # global function: name of the build that it is taken from
_Join = Callable[[Choice], Unit]  # puts together; raises AsmError


class _Offer(NamedTuple):
    """A part as another build has it. Sorted, those that save most come first."""

    loss: int  # bytes, negative
    order: int  # of the build
    names: tuple[str, ...]
    build: str


def mix(
    base: str, builds: Mapping[str, Build], granted: frozenset[str] = frozenset()
) -> tuple[Choice, bytes] | None:
    """What to take from which build, and the assembly; None if there is nothing to take, or
    assembly that is not understood. Of builds that are equally good the first is taken.

    The result may need what is `granted` although the base does not.
    """
    if sum(len(build.assembly) for build in builds.values()) > _MOST:
        return None
    read = {name: found for name, build in builds.items() if (found := _measured(build))}
    if base not in read:
        return None
    units = {name: found.unit for name, found in read.items()}
    join = partial(splice, units[base], units, granted=granted)
    return _taken(join, sorted(_offers(base, read)))


def remix(
    base: str, texts: Mapping[str, bytes], choice: Choice, granted: frozenset[str] = frozenset()
) -> bytes:
    """The assembly that `mix` gave with this choice, of the assembly of all builds that it names.
    Raises AsmError if it gave none."""
    units = {name: read_unit(_decoded(text)) for name, text in texts.items()}
    return _bytes(splice(units[base], units, choice, granted))


def _measured(build: Build) -> Measured | None:
    try:
        return Measured(read_unit(_decoded(build.assembly)), build.data) if build.assembly else None
    except (AsmError, NotElfError):
        return None


def _offers(base: str, builds: Mapping[str, Measured]) -> Iterator[_Offer]:
    """The parts of other builds that take fewer bytes than the base's."""
    own = builds[base]
    for order, (name, build) in enumerate(builds.items()):
        for part in parts_of(own, build):
            loss = part.bytes_in(build) - part.bytes_in(own)
            if loss < 0:
                yield _Offer(loss, order, part.names, name)


def _taken(join: _Join, offers: list[_Offer]) -> tuple[Choice, bytes] | None:
    """The best offers that do not overlap and can be spliced, and the result."""
    choice: Choice = {}
    for offer in offers:
        if choice.keys().isdisjoint(offer.names):
            choice |= dict.fromkeys(offer.names, offer.build)
    try:
        return (choice, _bytes(join(choice))) if choice else None
    except AsmError:
        return _one_by_one(join, offers)


def _one_by_one(join: _Join, offers: list[_Offer]) -> tuple[Choice, bytes] | None:
    choice: Choice = {}
    result: Unit | None = None
    for offer in offers[:_TRIALS]:
        wanted = choice | dict.fromkeys(offer.names, offer.build)
        if len(wanted) < len(choice) + len(offer.names):  # they overlap
            continue
        try:
            result = join(wanted)
        except AsmError:
            continue
        choice = wanted
    return (choice, _bytes(result)) if result is not None else None


def _decoded(assembly: bytes) -> str:
    return assembly.decode("utf-8", "surrogateescape")


def _bytes(unit: Unit) -> bytes:
    return print_unit(unit).encode("utf-8", "surrogateescape")
