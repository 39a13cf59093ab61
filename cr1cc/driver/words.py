"""The words of a command line, each read by its row of the option table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cr1cc.driver.dialect import Dialect
from cr1cc.driver.option import Form, Meaning
from cr1cc.errors import UserError
from cr1cc.outcome import Outcome


class UnknownOptionError(UserError):
    """An option that is not in the table, or one without its value."""


@dataclass(slots=True)
class Word:
    """One option with its value, or one input (`meaning` None, `value` its name)."""

    texts: tuple[str, ...]  # as on the command line: one word or two
    spelling: str
    meaning: Meaning | Outcome | None
    value: str = ""

    @property
    def values(self) -> list[str]:
        """The values of a comma-joined option."""
        return self.value.split(",")


def read(arguments: Sequence[str], dialect: Dialect) -> list[Word]:
    """The words of `arguments`, response files expanded. Raises `UnknownOptionError`."""
    words: list[Word] = []
    rest = iter(arguments)
    for text in rest:
        if text == "--" and dialect.ends_with_dashes:
            words.extend(_input(name) for name in rest)
        elif text[:1] != "-" or text == "-":
            if text:  # the driver ignores empty words
                words.append(_input(text))
        else:
            word = _option(text, rest, dialect)
            words.extend(_rewritten(word) if dialect.rewrites_dependencies else [word])
    return words


def _input(name: str) -> Word:
    return Word((name,), "", None, name)


def _option(text: str, rest: Iterator[str], dialect: Dialect) -> Word:
    row = dialect.options.match(text)
    if row is None:
        raise UnknownOptionError(text)
    spelling, form, meaning = row
    value = text[len(spelling) :]
    takes_next = form in (Form.SEPARATE, Form.JOINED_AND_SEPARATE) or (
        form is Form.JOINED_OR_SEPARATE and not value
    )
    if not takes_next:
        return Word((text,), spelling, meaning, value)
    following = next(rest, None)
    if following is None:
        raise UnknownOptionError(f"{text}: its value is missing")
    return Word((text, following), spelling, meaning, following)


def _rewritten(word: Word) -> list[Word]:
    """The driver itself turns `-Wp,-MD,FILE` into `-MD -MF FILE`."""
    if word.spelling != "-Wp,":
        return [word]
    mode, *files = word.values
    if mode not in ("-MD", "-MMD"):
        return [word]
    words = [Word((mode,), mode, Meaning.DEPENDENCY)]
    if len(files) == 1:
        words.append(Word(("-MF", files[0]), "-MF", Meaning.DEPENDENCY, files[0]))
    return words
