"""What objects depend on where windows of assembly are made shorter."""

from __future__ import annotations

VERSION = 4  # raised when equal proposals and equal verdicts give another text
NAMES = 2  # raised when registers get other names, or jumps go otherwise
RULES = 2  # raised when a rule changes, or another one is there
PROOFS = 2  # raised when windows are judged otherwise
TESTED = "tested 1"  # raised when those that are not proved are admitted otherwise

# In whose assembly rules make windows shorter, by the setting `rewrite`. Names and jumps are for
# all compilers, unless it is off: they take a part of the time.
_RULED: dict[str, tuple[str, ...]] = {"off": (), "gcc": ("gcc",), "all": ("gcc", "clang")}


def proofs() -> str:
    """What verdicts depend on besides the windows; "" without the extra `prove`."""
    from cr1cc.prove.installed import proving_packages  # most compiles by clang need it not

    packages = proving_packages()
    return f"windows {PROOFS} {packages}" if packages else ""


def follows_rules(setting: str, family: str) -> bool:
    """Whether rules make windows shorter in the assembly of a compiler, by the setting `rewrite`;
    never without the extra `prove`."""
    return family in _RULED[setting] and bool(proofs())


def rewriting(setting: str, family: str, admit: str = "proved", model: str = "") -> str:
    """What objects by a compiler depend on besides where their assembly is made shorter, by the
    settings `rewrite` and `admit` and a model of assembly; "" where it is not."""
    if setting == "off":
        return ""
    if not follows_rules(setting, family):
        return f"rewrite {VERSION} {NAMES}"
    tested = f" {TESTED}" if admit == "tested" else ""
    proposing = f" {model}" if model else ""
    return f"rewrite {VERSION} {NAMES} {RULES} {proofs()}{tested}{proposing}"
