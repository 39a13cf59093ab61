"""Whether optimising or emitting a module may print something.

The front end has spoken when it writes the module; what the optimiser and the
back end may still say must be said exactly once, so such a module is left to the
user's own command.
"""

from __future__ import annotations

import re

# -Wframe-larger-than=, __attribute__((warning)) and __attribute__((error)).
ATTRIBUTES = ("dontcall-error", "dontcall-warn", "warn-stack-size")

# Transformations that `#pragma clang loop` or `#pragma unroll` demands and LLVM warns
# about when it does not make them (WarnMissedTransforms.cpp). Switching one off, or a
# width or count of 1, demands nothing.
_FORCED = (
    r"llvm\.loop\.(?:"
    r"(?:distribute|unroll|unroll_and_jam|vectorize|vectorize\.predicate|vectorize\.scalable)\.enable"
    r"|unroll\.full"
    r"|(?:unroll|unroll_and_jam|interleave)\.count"
    r"|vectorize\.width)"
)
_FORCED_BYTES = re.compile(_FORCED.encode())
_PRINTED = re.compile(
    rf'!"{_FORCED}"(?!, i1 false|, i32 [01]\b)'
    rf'|^attributes #\d+ = \{{.*"(?:{"|".join(ATTRIBUTES)})"',
    re.MULTILINE,
)


def backend_diagnostics(module_text: str) -> bool:
    """Whether the module, as printed, may make the optimiser or back end print something."""
    return bool(_PRINTED.search(module_text))


def may_force_loops(bitcode: bytes) -> bool:
    """False only if no loop of the module demands a transformation.

    Bitcode keeps metadata strings as plain bytes, so this spares printing the module.
    """
    return bool(_FORCED_BYTES.search(bitcode))
