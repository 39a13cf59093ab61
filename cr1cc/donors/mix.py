"""One assembly of functions from several donor builds: one of them, the base, and in it each
part of the source that takes fewer bytes in another one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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


class _Offer(NamedTuple):
    """A part as another build has it. Sorted, those that save most come first."""

    loss: int  # bytes, negative
    part: int
    order: int  # of the build
    build: str
    names: tuple[str, ...]

    @property
    def choice(self) -> Choice:
        return dict.fromkeys(self.names, self.build)


def mix(base: str, builds: Mapping[str, Build]) -> tuple[Choice, bytes] | None:
    """What to take from which build, and the assembly; None if there is nothing to take, or
    assembly that is not understood. Of builds that are equally good the first is taken."""
    if sum(len(build.assembly) for build in builds.values()) > _MOST:
        return None
    read = {name: found for name, build in builds.items() if (found := _measured(build))}
    if base not in read:
        return None
    units = {name: found.unit for name, found in read.items()}
    choice, result = _taken(units[base], units, sorted(_offers(base, read)))
    return (choice, _bytes(result)) if choice else None


def remix(base: str, builds: Mapping[str, Build], choice: Choice) -> bytes:
    """The assembly that `mix` gave with this choice. Raises AsmError if it gave none."""
    units = {name: read_unit(_text(build)) for name, build in builds.items()}
    return _bytes(splice(units[base], units, choice))


def _measured(build: Build) -> Measured | None:
    try:
        return Measured(read_unit(_text(build)), build.data) if build.assembly else None
    except (AsmError, NotElfError):
        return None


def _offers(base: str, builds: Mapping[str, Measured]) -> Iterator[_Offer]:
    """The parts of other builds that take fewer bytes than the base's."""
    for position, part in enumerate(parts_of(builds[base], list(builds.values()))):
        before = part.bytes_in(builds[base])
        for order, (name, build) in enumerate(builds.items()):
            loss = part.bytes_in(build) - before
            if loss < 0 and all(map(build.has, part.names)):
                yield _Offer(loss, position, order, name, part.names)


def _taken(base: Unit, units: Mapping[str, Unit], offers: list[_Offer]) -> tuple[Choice, Unit]:
    """The best offer for each part that can be spliced, and the result."""
    best: dict[int, _Offer] = {}
    for offer in offers:
        best.setdefault(offer.part, offer)
    choice = {name: build for offer in best.values() for name, build in offer.choice.items()}
    try:
        return choice, splice(base, units, choice)
    except AsmError:
        return _one_by_one(base, units, offers)


def _one_by_one(base: Unit, units: Mapping[str, Unit], offers: list[_Offer]) -> tuple[Choice, Unit]:
    choice: Choice = {}
    result, done = base, set[int]()
    for offer in offers[:_TRIALS]:
        if offer.part in done:
            continue
        try:
            result = splice(base, units, choice | offer.choice)
        except AsmError:
            continue
        choice |= offer.choice
        done.add(offer.part)
    return choice, result


def _text(build: Build) -> str:
    return build.assembly.decode("utf-8", "surrogateescape")


def _bytes(unit: Unit) -> bytes:
    return print_unit(unit).encode("utf-8", "surrogateescape")
