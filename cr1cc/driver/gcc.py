"""The command lines of gcc.

The run that reads the source leaves preprocessed text, the others make an object of that
text; so what has acted on the text is not repeated on them, nor is what only decides what
is printed. The level is said apart, because a donor may have its own.
"""

from __future__ import annotations

from cr1cc.driver.dialect import Dialect, OptionTable
from cr1cc.driver.option import Meaning
from cr1cc.driver.options_gcc_code_generation import GCC_CODE_GENERATION_ROWS
from cr1cc.driver.options_gcc_diagnostics import GCC_DIAGNOSTICS_ROWS
from cr1cc.driver.options_gcc_driver import GCC_DRIVER_ROWS
from cr1cc.driver.options_gcc_optimiser import GCC_OPTIMISER_ROWS
from cr1cc.driver.options_gcc_pass_through import GCC_PASS_THROUGH_ROWS
from cr1cc.outcome import Outcome
from cr1cc.records import Level, Speed

GCC = Dialect(
    options=OptionTable(
        {
            "code generation": GCC_CODE_GENERATION_ROWS,
            "diagnostics": GCC_DIAGNOSTICS_ROWS,
            "driver": GCC_DRIVER_ROWS,
            "optimiser": GCC_OPTIMISER_ROWS,
            "pass through": GCC_PASS_THROUGH_ROWS,
        }
    ),
    variables=(
        "COMPILER_PATH",
        "DEPENDENCIES_OUTPUT",
        "GCC_COMPARE_DEBUG",
        "GCC_EXEC_PREFIX",
        "SUNPRO_DEPENDENCIES",
    ),
    levels={"s": Level.OS, "z": Level.OZ, "2": Speed.O2, "3": Speed.O3},
    front_end=frozenset(
        {Meaning.PREPROCESSOR, Meaning.BOTH, Meaning.DIAGNOSTICS, Meaning.OPTIMISATION}
    ),
    emission=frozenset({Meaning.BOTH}),
    text=frozenset({Meaning.BOTH}),
    carried={
        "-Wp,": ("-D", "-U", "-I"),
        # Others write listings, or print them.
        "-Wa,": ("--fatal-warnings", "--no", "--warn", "--64", "--32", "-W", "-m", "-Z"),
    },
    # Dependencies on standard output.
    disguised={("-MF", "-"): Outcome.UNSUPPORTED_OPTION},
    ends_with_dashes=False,
    rewrites_dependencies=False,
    rereads_text=True,
)
