"""Whether the assembly of a command is one whose instructions are looked at."""

from __future__ import annotations

from collections.abc import Iterable

# Options by their beginning with which the text is another machine's, or in another notation.
_OTHERS = ("-m16", "-m32", "-masm=", "-mx32")


def is_x86_64(triple: str, options: Iterable[str]) -> bool:
    """Whether it is for x86-64, as the GNU assembler reads it without being told otherwise."""
    if not triple.startswith("x86_64") or triple.endswith("x32"):
        return False
    return not any(word.startswith(_OTHERS) for word in options)
