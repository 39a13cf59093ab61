"""What differs between the command lines of two families of compilers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cr1cc.driver.option import Form, Meaning, Row
from cr1cc.outcome import Outcome
from cr1cc.records import Level, Speed

_SWITCH = "[no-]"

# Forms that need the word to be exactly the spelling.
_EXACT = frozenset({Form.FLAG, Form.SEPARATE})


def spellings(row: Row) -> tuple[str, ...]:
    """The options a row stands for: two if its spelling holds `[no-]`."""
    spelling = row[0]
    if _SWITCH in spelling:
        return spelling.replace(_SWITCH, ""), spelling.replace(_SWITCH, "no-")
    return (spelling,)


class OptionTable:
    """Rows by spelling, from tables with names for people."""

    def __init__(self, tables: Mapping[str, Sequence[Row]]) -> None:
        self.tables = tables
        self.by_spelling: dict[str, tuple[Form, Meaning | Outcome]] = {
            spelling: (row[1], row[2])
            for table in tables.values()
            for row in table
            for spelling in spellings(row)
        }
        self.longest = max(map(len, self.by_spelling))

    def match(self, word: str) -> tuple[str, Form, Meaning | Outcome] | None:
        """The row of one word of a command line, as (spelling, form, meaning).

        As in LLVM's option library the longest spelling that accepts the word wins; gcc's
        driver (gcc/opts-common.cc, find_opt) does the same. None: the word is no option of
        the table.
        """
        whole = self.by_spelling.get(word)
        if whole is not None:
            return word, *whole
        for length in range(min(len(word) - 1, self.longest), 1, -1):
            found = self.by_spelling.get(word[:length])
            if found is not None and found[0] not in _EXACT:
                return word[:length], *found
        return None


@dataclass(frozen=True)
class Dialect:
    """How the compilers of one family read a command line."""

    options: OptionTable
    variables: tuple[str, ...]  # of the environment, that change commands or ask for more output
    levels: Mapping[str, Level | Speed]  # by what follows the last -O
    front_end: frozenset[Meaning]  # what is repeated on the run that reads the source
    emission: frozenset[Meaning]  # what is repeated on the runs that make objects
    text: frozenset[Meaning]  # what is repeated on the runs that make objects of preprocessed text
    # What the values of a comma-joined option may begin with: the rest reaches options
    # that no table knows.
    carried: Mapping[str, tuple[str, ...]]
    # Values by which an option that takes anything is really another one.
    disguised: Mapping[tuple[str, str], Outcome]
    ends_with_dashes: bool  # whether only inputs follow `--`
    rewrites_dependencies: bool  # whether the driver turns -Wp,-MD,FILE into -MD -MF FILE
    rereads_text: bool  # whether preprocessed sources are read again as they are
