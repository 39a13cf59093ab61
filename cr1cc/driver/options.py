"""The option table of the clang driver, and how a word finds its row."""

from __future__ import annotations

from cr1cc.driver.option import Form, Meaning, Row
from cr1cc.driver.options_code_generation import CODE_GENERATION_ROWS
from cr1cc.driver.options_diagnostics import DIAGNOSTICS_ROWS
from cr1cc.driver.options_driver import DRIVER_ROWS
from cr1cc.driver.options_front_end import FRONT_END_ROWS
from cr1cc.driver.options_machine import MACHINE_ROWS
from cr1cc.driver.options_pass_through import PASS_THROUGH_ROWS
from cr1cc.outcome import Outcome

TABLES: dict[str, tuple[Row, ...]] = {
    "code generation": CODE_GENERATION_ROWS,
    "diagnostics": DIAGNOSTICS_ROWS,
    "driver": DRIVER_ROWS,
    "front end": FRONT_END_ROWS,
    "machine": MACHINE_ROWS,
    "pass through": PASS_THROUGH_ROWS,
}

_SWITCH = "[no-]"


def spellings(row: Row) -> tuple[str, ...]:
    """The options a row stands for: two if its spelling holds `[no-]`."""
    spelling = row[0]
    if _SWITCH in spelling:
        return spelling.replace(_SWITCH, ""), spelling.replace(_SWITCH, "no-")
    return (spelling,)


def _index() -> dict[str, tuple[Form, Meaning | Outcome]]:
    return {
        spelling: (row[1], row[2])
        for table in TABLES.values()
        for row in table
        for spelling in spellings(row)
    }


BY_SPELLING: dict[str, tuple[Form, Meaning | Outcome]] = _index()
LONGEST = max(map(len, BY_SPELLING))

# Forms that need the word to be exactly the spelling.
_EXACT = frozenset({Form.FLAG, Form.SEPARATE})


def match(word: str) -> tuple[str, Form, Meaning | Outcome] | None:
    """The row of one word of a command line, as (spelling, form, meaning).

    As in LLVM's option library the longest spelling that accepts the word wins.
    None: the word is no option of the table.
    """
    whole = BY_SPELLING.get(word)
    if whole is not None:
        return word, *whole
    for length in range(min(len(word) - 1, LONGEST), 1, -1):
        found = BY_SPELLING.get(word[:length])
        if found is not None and found[0] not in _EXACT:
            return word[:length], *found
    return None
