"""The command lines of clang."""

from __future__ import annotations

from cr1cc.driver.dialect import Dialect
from cr1cc.driver.option import Meaning
from cr1cc.driver.options import TABLE
from cr1cc.outcome import Outcome
from cr1cc.records import Level, Speed

CLANG = Dialect(
    options=TABLE,
    variables=(
        "CCC_OVERRIDE_OPTIONS",
        "CC_LOG_DIAGNOSTICS",
        "CC_PRINT_HEADERS",
        "CC_PRINT_INTERNAL_STAT",
        "CC_PRINT_OPTIONS",
        "CC_PRINT_PROC_STAT",
        "DEPENDENCIES_OUTPUT",
        "QA_OVERRIDE_GCC3_OPTIONS",
        "RC_DEBUG_OPTIONS",
        "SUNPRO_DEPENDENCIES",
    ),
    levels={"s": Level.OS, "z": Level.OZ, "2": Speed.O2, "3": Speed.O3},
    front_end=frozenset(
        {
            Meaning.PREPROCESSOR,
            Meaning.FRONT_END,
            Meaning.BOTH,
            Meaning.DIAGNOSTICS,
            Meaning.TARGET,
            Meaning.LINKER,
            Meaning.OPTIMISATION,
        }
    ),
    emission=frozenset(
        {Meaning.CODE_GENERATION, Meaning.BOTH, Meaning.TARGET, Meaning.OPTIMISATION}
    ),
    text=frozenset({Meaning.FRONT_END, Meaning.CODE_GENERATION, Meaning.BOTH, Meaning.TARGET}),
    carried={"-Wp,": ("-D", "-U", "-I")},
    disguised={("-Xclang", value): Outcome.PLUGIN for value in ("-load", "-plugin", "-add-plugin")},
    ends_with_dashes=True,
    rewrites_dependencies=True,
    rereads_text=False,
)
