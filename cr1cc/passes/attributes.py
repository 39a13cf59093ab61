"""Attributes of functions that a tail, or a stage, may set: a row each.

None of them changes what a function means, what it may assume or which instructions it may
use: they are choices that the options of clang leave to the user, or to the level.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Attribute:
    """`sets` is a string attribute and its value, `drops` the name of an enum attribute.
    `not_with`: options of the user's that ask for something else."""

    name: str
    trust: str
    sets: tuple[str, str] | None = None
    drops: str = ""
    not_with: tuple[str, ...] = ()


ATTRIBUTES: tuple[Attribute, ...] = (
    Attribute(
        "@frame",
        "what -fno-omit-frame-pointer says: addresses on the stack are shorter by a byte, and the"
        " unwinder need not be told of every push",
        sets=("frame-pointer", "all"),
        not_with=("-fomit-frame-pointer",),
    ),
    Attribute(
        "@optsize",
        "code generation as with -Os: -Oz pushes and pops constants and arguments, each of which"
        " the unwinder has to be told of",
        drops="minsize",
    ),
)

_BY_NAME = {row.name: row for row in ATTRIBUTES}


def is_attribute(text: str) -> bool:
    return text in _BY_NAME


def goes_with(text: str, options: Collection[str]) -> bool:
    """Whether a tail may be tried for a command with these options of the user's."""
    return text not in _BY_NAME or not set(_BY_NAME[text].not_with) & set(options)


def attribute_named(text: str) -> Attribute:
    """The row of a name that `is_attribute` knows."""
    return _BY_NAME[text]
