"""What objects depend on where windows of assembly are made shorter."""

from __future__ import annotations

from cr1cc.prove.installed import proving_packages

VERSION = 1  # raised when equal proposals and equal verdicts give another text
RULES = 1  # raised when a rule changes, or another one is there
PROOFS = 1  # raised when windows are judged otherwise


def proofs() -> str:
    """What verdicts depend on besides the windows; "" without the extra `prove`."""
    packages = proving_packages()
    return f"windows {PROOFS} {packages}" if packages else ""


def identity() -> str:
    """What a text depends on besides the one that it is made of; "" without the extra, where
    nothing is replaced."""
    return f"rewrite {VERSION} {RULES} {proofs()}" if proofs() else ""
