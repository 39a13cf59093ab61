"""What preprocessed text says about the object that becomes of it.

The text is what `gcc -E` prints: the source's tokens, and linemarkers `# LINE "FILE" FLAGS`
(flag 1: the file begins, 2: the includer goes on, 3: a system header, 4: extern "C").
"""

from __future__ import annotations

import hashlib
import re

_LINEMARKER = re.compile(rb'^# \d+ "((?:[^"\\]|\\.)*)"((?: \d)*)$', re.MULTILINE)
_BLANK = re.compile(rb"\n[ \t\r\n]*\n")
_SYSTEM = b"3"
_ESCAPED = re.compile(rb"\\(\\|\"|[0-7]{3})")

# With these the assembler reads files that the text does not show.
_READS_FILES = (b".incbin", b".include")

# With these the place of a token is a part of the program.
_TELLS_PLACE = (b"__builtin_LINE", b"__builtin_FILE", b"__builtin_source_location")

# With these a function passes or keeps other registers than the ABI says.
_OTHER_CONVENTION = re.compile(
    rb"\b_*(?:swift_?(?:async_?)?(?:call|context)|preserve_none|no_callee_saved_registers|regcall)"
)

# What gcc leaves for a precompiled header that it would have used.
_PRECOMPILED = b"#pragma GCC pch_preprocess"

_DIGEST = 20  # bytes


class Text:
    """Preprocessed text of one source."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    @property
    def uses_precompiled_header(self) -> bool:
        """Whether the text lacks what a precompiled header holds."""
        return _PRECOMPILED in self.data

    @property
    def complete(self) -> bool:
        """Whether the object depends on no file besides."""
        return not any(word in self.data for word in _READS_FILES)

    @property
    def conventional(self) -> bool:
        """Whether all functions pass and keep registers as the ABI says."""
        return _OTHER_CONVENTION.search(self.data) is None

    def fingerprint(self) -> str:
        """Equal for texts that differ in blank lines, comments and names of files only, hex.

        Of a linemarker its flags are kept: that code is in a system header, or is extern "C",
        may be seen by the compiler. Where the program asks for its lines, all is kept.
        """
        data = self.data
        if not any(word in data for word in _TELLS_PLACE):
            data = _LINEMARKER.sub(lambda found: b"#" + found[2] if found[2] else b"", data)
            data = _BLANK.sub(b"\n", data)
        return hashlib.blake2b(data, digest_size=_DIGEST).hexdigest()

    def files(self, *, system: bool) -> list[bytes]:
        """The files that the text came from, as it names them; `system`: their headers too."""
        found = {
            _unescaped(match[1]): None
            for match in _LINEMARKER.finditer(self.data)
            if system or _SYSTEM not in match[2]
        }
        return [name for name in found if not name.startswith(b"<") and not name.endswith(b"//")]


def _unescaped(name: bytes) -> bytes:
    def character(match: re.Match[bytes]) -> bytes:
        return match[1] if len(match[1]) == 1 else bytes([int(match[1], 8) & 255])

    return _ESCAPED.sub(character, name)
