"""What objects depend on where windows of assembly are made shorter."""

from __future__ import annotations

VERSION = 3  # raised when equal proposals and equal verdicts give another text
NAMES = 1  # raised when registers get other names, or jumps go otherwise
RULES = 2  # raised when a rule changes, or another one is there
PROOFS = 2  # raised when windows are judged otherwise

# Whose assembly is made shorter, by the setting `rewrite`.
_FAMILIES: dict[str, tuple[str, ...]] = {"off": (), "gcc": ("gcc",), "all": ("gcc", "clang")}


def proofs() -> str:
    """What verdicts depend on besides the windows; "" without the extra `prove`."""
    from cr1cc.prove.installed import proving_packages  # most compiles by clang need it not

    packages = proving_packages()
    return f"windows {PROOFS} {packages}" if packages else ""


def rewriting(setting: str, family: str) -> str:
    """What objects by a compiler depend on besides where their assembly is made shorter, by the
    setting `rewrite`; "" where it is not. Without the extra no window is, and registers get other
    names all the same."""
    if family not in _FAMILIES[setting]:
        return ""
    rules = f" {RULES} {proofs()}" if proofs() else ""
    return f"rewrite {VERSION} {NAMES}{rules}"
