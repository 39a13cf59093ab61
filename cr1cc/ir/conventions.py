"""Whether functions leave registers alone as C's convention on the platform says."""

from __future__ import annotations

import re

# Conventions as IR names them (LLVM's language reference, "Calling Conventions") that pass or keep
# other registers than C's. Of `fastcc` and `coldcc` those that are saved are the same.
_OTHERS = re.compile(
    r"(?<![@%.\"\w])(?:swift\w*cc|tailcc|ghccc|graalcc|anyregcc|preserve_\w+cc|cxx_fast_tlscc"
    r"|\w*regcallcc|\w*vectorcallcc|win64cc|intel_ocl_bicc|cc ?\d+)\s"
)


def is_conventional(text: str) -> bool:
    """Of a module's text. A word that only looks like another convention counts as one."""
    return _OTHERS.search(text) is None
