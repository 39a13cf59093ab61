"""What objects depend on where windows of assembly are made shorter."""

from __future__ import annotations

VERSION = 2  # raised when equal proposals and equal verdicts give another text
NAMES = 1  # raised when registers get other names
RULES = 2  # raised when a rule changes, or another one is there
PROOFS = 2  # raised when windows are judged otherwise

# In whose assembly rules make windows shorter, by the setting `rewrite`; where it is not "off",
# registers get other names in everyone's.
_BY_RULES: dict[str, tuple[str, ...]] = {"off": (), "gcc": ("gcc",), "all": ("gcc", "clang")}


def proofs() -> str:
    """What verdicts depend on besides the windows; "" without the extra `prove`."""
    from cr1cc.prove.installed import proving_packages  # most compiles by clang need it not

    packages = proving_packages()
    return f"windows {PROOFS} {packages}" if packages else ""


def follows_rules(setting: str, family: str) -> bool:
    """Whether windows of a compiler's assembly are made shorter: by the setting `rewrite`, and not
    without the extra."""
    return family in _BY_RULES[setting] and bool(proofs())


def rewriting(setting: str, family: str) -> str:
    """What objects by a compiler depend on besides where their assembly is made shorter; "" where
    it is not."""
    if setting == "off":
        return ""
    rules = f" {RULES} {proofs()}" if follows_rules(setting, family) else ""
    return f"rewrite {VERSION} {NAMES}{rules}"
