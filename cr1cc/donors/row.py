"""What the rows of both tables of donor builds have in common: that for size and that for speed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

GCC = "gcc"
CLANG = "clang"


@dataclass(frozen=True)
class Row:
    """One build: the family of its compiler, its level and its options.

    `targets` are prefixes of triples, () means all. `not_with` are beginnings of options of
    the user that this build does not go with.
    """

    family: str
    level: str
    options: tuple[str, ...]
    good_for: str
    targets: tuple[str, ...] = ()
    not_with: tuple[str, ...] = ()

    def suits(self, triple: str, user: Sequence[str]) -> bool:
        """Whether it goes with a target and the options of the user."""
        opposed = any(word.startswith(self.not_with) for word in user if self.not_with)
        return not opposed and (not self.targets or triple.startswith(self.targets))
