"""Response files: `@FILE` stands for the words in FILE, quoted as GNU tools do."""

from __future__ import annotations

import os
from collections.abc import Sequence

from cr1cc.errors import UserError

# Deeper nesting than this is a mistake; clang itself only refuses cycles.
DEPTH_LIMIT = 32
# Far more than any build needs: files that include each other many times over
# must fill neither the memory nor the day.
WORD_LIMIT = 1_000_000
FILE_LIMIT = 10_000

_WHITESPACE = " \t\r\n"
_QUOTES = "'\""


class ResponseFileError(UserError):
    """A response file that cannot be read, or that includes itself."""


def expand(arguments: Sequence[str], cwd: str) -> list[str]:
    """`arguments` with every `@FILE` replaced by the words of FILE, to any depth.

    Relative names are relative to `cwd`, in nested files as well. A word whose
    file does not exist stays as it is, as in clang. Raises `ResponseFileError`.
    """
    expansion = _Expansion(cwd)
    expansion.add(arguments, ())
    return expansion.words


def tokenize(text: str) -> list[str]:
    """The words of a response file by GNU rules.

    Whitespace separates words, both kinds of quotes protect it, and a backslash
    takes the next character literally, inside quotes as well. An empty quoted
    string is no word, and a quote that is never closed ends with the text.
    """
    words: list[str] = []
    word: list[str] = []
    quote = ""
    characters = iter(text)
    for character in characters:
        if character == "\\":
            word.append(next(characters, "\\"))
        elif quote:
            if character == quote:
                quote = ""
            else:
                word.append(character)
        elif character in _QUOTES:
            quote = character
        elif character in _WHITESPACE:
            if word:
                words.append("".join(word))
                word.clear()
        else:
            word.append(character)
    if word:
        words.append("".join(word))
    return words


class _Expansion:
    """The words so far, and how many files they came from."""

    def __init__(self, cwd: str) -> None:
        self.cwd = cwd
        self.words: list[str] = []
        self.files = 0

    def add(self, arguments: Sequence[str], including: tuple[str, ...]) -> None:
        """Appends `arguments`, which stand in the innermost of the files `including`."""
        for argument in arguments:
            path = os.path.join(self.cwd, argument[1:]) if argument[:1] == "@" else ""
            if path and os.path.lexists(path):
                self._add_file(path, including)
            else:
                self.words.append(argument)
        if len(self.words) > WORD_LIMIT:
            raise ResponseFileError("the response files have too many words")

    def _add_file(self, path: str, including: tuple[str, ...]) -> None:
        real = os.path.realpath(path)
        if real in including:
            raise ResponseFileError(f"{path} includes itself")
        self.files += 1
        if len(including) >= DEPTH_LIMIT or self.files > FILE_LIMIT:
            raise ResponseFileError(f"{path}: too many response files")
        self.add(tokenize(_read(path)), (*including, real))


def _read(path: str) -> str:
    try:
        # Not a regular file, such as `@/dev/fd/3`: reading it would leave nothing
        # for the real compiler, which reads it again.
        if not os.path.isfile(path):
            raise ResponseFileError(f"{path} is not a regular file")
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise ResponseFileError(f"{path}: {error.strerror}") from error
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data:
        raise ResponseFileError(f"{path} is not plain text")
    return os.fsdecode(data.removeprefix(b"\xef\xbb\xbf"))
