"""Pipeline macros: names for the standard pipelines, spelt for each LLVM version.

A recipe begins with one. `@start` is for those that run no standard pipeline: what has its
fixed place at the beginning of all of these and must not be left out (calls that
`-finstrument-functions` asks for, functions that must be inlined, coroutines), and no
optimisation of its own.

LLVM 23 has no `default<Oz>` and `default<Os>` any more (a fatal error): there the
size level comes from the `minsize` and `optsize` attributes that clang puts on
functions, and the pipeline is `default<O2>`.
"""

from __future__ import annotations

from cr1cc.records import Level

_ATTRIBUTES_ONLY = 23  # the first major without size levels in pipeline text

_START = (
    "annotation2metadata,forceattrs,inferattrs,coro-early,"
    "function(ee-instrument,lower-expect),always-inline"
)

# macro -> (pipeline before LLVM 23, pipeline from 23 on); None: by the level asked for
_MACROS: dict[str, tuple[str | None, str]] = {
    "@O1": ("default<O1>", "default<O1>"),
    "@O2": ("default<O2>", "default<O2>"),
    "@O3": ("default<O3>", "default<O3>"),
    "@Os": ("default<Os>", "default<O2>"),
    "@Oz": ("default<Oz>", "default<O2>"),
    "@size": (None, "default<O2>"),
    "@start": (_START, _START),
}

SIZE = "@size"
START = "@start"
MACROS: tuple[str, ...] = tuple(_MACROS)

_SIZE_PIPELINES = {Level.OS: "default<Os>", Level.OZ: "default<Oz>"}


def attributes_only(major: int) -> bool:
    """Whether size is asked for by attributes of functions alone, not by a pipeline."""
    return major >= _ATTRIBUTES_ONLY


def is_macro(stage: str) -> bool:
    return stage in _MACROS


def macros_for(major: int, level: Level) -> dict[str, str]:
    """Every macro and what it stands for in this LLVM major at this level."""
    return {macro: expand(macro, major, level) for macro in _MACROS}


def expand(stage: str, major: int, level: Level) -> str:
    """The pipeline text of a stage; a stage that is no macro stands for itself."""
    if stage not in _MACROS:
        return stage
    before, after = _MACROS[stage]
    if attributes_only(major):
        return after
    return before or _SIZE_PIPELINES[level]
