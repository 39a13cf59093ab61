"""The option table of the clang driver."""

from __future__ import annotations

from cr1cc.driver.dialect import OptionTable
from cr1cc.driver.option import Row
from cr1cc.driver.options_code_generation import CODE_GENERATION_ROWS
from cr1cc.driver.options_diagnostics import DIAGNOSTICS_ROWS
from cr1cc.driver.options_driver import DRIVER_ROWS
from cr1cc.driver.options_front_end import FRONT_END_ROWS
from cr1cc.driver.options_machine import MACHINE_ROWS
from cr1cc.driver.options_pass_through import PASS_THROUGH_ROWS

TABLES: dict[str, tuple[Row, ...]] = {
    "code generation": CODE_GENERATION_ROWS,
    "diagnostics": DIAGNOSTICS_ROWS,
    "driver": DRIVER_ROWS,
    "front end": FRONT_END_ROWS,
    "machine": MACHINE_ROWS,
    "pass through": PASS_THROUGH_ROWS,
}

TABLE = OptionTable(TABLES)

BY_SPELLING = TABLE.by_spelling
match = TABLE.match
