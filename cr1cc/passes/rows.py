"""What a row of the tables says: a vetted pass with its parameters, and what was refused."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

OLDEST, NEWEST = 14, 23  # LLVM major versions that the tables describe


class PassLevel(Enum):
    """Where in a nested pipeline a pass may stand (`llvm/Passes/PassBuilder.h`)."""

    MODULE = "module"
    CGSCC = "cgscc"
    FUNCTION = "function"
    LOOP = "loop"
    LOOP_MSSA = "loop-mssa"  # loop passes with MemorySSA kept up to date


@dataclass(frozen=True)
class Parameter:
    """One parameter of a pass; `no-NAME` is allowed where `negatable`, a number
    `NAME=N` where `low` and `high` bound it."""

    name: str
    since: int = OLDEST
    until: int = NEWEST
    negatable: bool = True
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True)
class Pass:
    """One row. `levels[0]` is where it is put by construction; the others are legal too."""

    name: str
    levels: tuple[PassLevel, ...]
    trust: str
    since: int = OLDEST
    until: int = NEWEST
    parameters: tuple[Parameter, ...] = ()
    forms: tuple[str, ...] = ("",)  # parameter texts that random generation picks from
    grows: bool = False  # makes code larger by purpose: not for a size objective
    required: tuple[str, int] | None = None  # a parameter it must have, and since which major
    largest: int | None = None  # instructions beyond which its memory goes out of bounds

    @property
    def level(self) -> PassLevel:
        return self.levels[0]

    def holds_for(self, major: int) -> bool:
        return self.since <= major <= self.until


@dataclass(frozen=True)
class Refused:
    """A pass or an option that never enters a recipe, and what was found."""

    name: str
    versions: str  # the LLVM majors it was seen with
    finding: str


def parameter_problem(row: Pass, text: str, major: int) -> str:
    """What is wrong with the parameter text of a pass, "" if nothing is."""
    parts = text.split(";")
    if row.required and major >= row.required[1] and row.required[0] not in parts:
        return f"{row.name} needs {row.required[0]} for LLVM {major}"
    for part in filter(None, parts):
        if not allows(row, part, major):
            return f"{row.name}<{text}>: parameter {part!r} is not vetted for LLVM {major}"
    return ""


def allows(row: Pass, part: str, major: int) -> bool:
    """Whether a pass may be given one parameter with an LLVM major."""
    return any(_allows(p, part) for p in row.parameters if p.since <= major <= p.until)


def _allows(parameter: Parameter, part: str) -> bool:
    name, _, value = part.partition("=")
    if parameter.low is not None and parameter.high is not None:
        if name != parameter.name or not (value.isascii() and value.isdigit()):
            return False
        return len(value) < 6 and parameter.low <= int(value) <= parameter.high
    if part == parameter.name:
        return True
    return parameter.negatable and part == "no-" + parameter.name


def forms_for(row: Pass, major: int) -> tuple[str, ...]:
    """The texts (`name` or `name<parameters>`) of a pass that hold for an LLVM major."""
    return tuple(
        f"{row.name}<{form}>" if form else row.name
        for form in row.forms
        if not parameter_problem(row, form, major)
    )
