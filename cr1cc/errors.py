"""The errors of cr1cc: one small tree.

Library errors are turned into one of these at the module that owns the
library; only the entry points (`wrapper`, `cli`) turn them into an exit status.
"""

from __future__ import annotations


class Cr1Error(Exception):
    """Anything that cr1cc itself reports. The text is one line for a person."""


class UserError(Cr1Error):
    """The person can mend it: a bad setting, a missing file, an unknown name."""


class ToolchainError(Cr1Error):
    """No usable compiler or libLLVM was found, or it did not do what it must."""


class RecipeError(Cr1Error):
    """A recipe text that is not well formed or names something not vetted."""


class AsmError(Cr1Error):
    """Assembly that is malformed, not understood, or must not be spliced; the text says why."""


class GateError(Cr1Error):
    """What the gate cannot judge: a signature, a body, an input; the text says why."""


class ProofError(Cr1Error):
    """A body that the proof cannot judge; the text says why."""


class EvaluationError(Cr1Error):
    """A worker died, ran out of its limits or returned something unusable."""


class StorageError(Cr1Error):
    """The decision store could not be read or written. Never fails a compile."""


class ResidentError(Cr1Error):
    """The resident process cannot be used: its folder, its answer or its end."""


class ModelError(Cr1Error):
    """The model cannot be used: its file, its process or its answer."""


class ModelSilenceError(ModelError):
    """A model process that was waited for in vain: the next compile should not do that, too."""
