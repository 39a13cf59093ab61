"""Two bodies of a function side by side, aligned where they are alike."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest

import click

from cr1cc.cli import output

_LABEL = re.compile(r"\.?L[A-Za-z_$.]*\d[\w$.]*")  # inner labels: gcc's and clang's, of all targets
_DEFINED = re.compile(r"([^\s:#]+):")
_COMMENT = re.compile(r"\s*(?:#|//|@ ).*$")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_NARROWEST = 24  # columns of a side; below that one body stands behind the other

Row = tuple[str, str, str]  # left, mark, right


def body(assembly: str, name: str) -> list[str]:
    """The instructions and labels of a function, cold parts behind; [] if it has no body.

    Inner labels are numbered in their order, so that two compilations can be compared, and those
    that nothing refers to are left out.
    """
    lines = [line for part in (name, f"{name}.cold") for line in _part(assembly, part)]
    used = {label for line in lines if not _DEFINED.match(line) for label in _LABEL.findall(line)}
    order = [match[1] for line in lines if (match := _DEFINED.match(line)) and match[1] in used]
    numbers = {label: f".{number}" for number, label in enumerate(dict.fromkeys(order), 1)}
    kept = (line for line in lines if not _is_unused(line, used))
    return [_LABEL.sub(lambda found: numbers.get(found[0], found[0]), line) for line in kept]


def functions(assembly: str) -> list[str]:
    """The functions that have a body there."""
    found = re.findall(r"^\s*\.type\s+([^\s,]+),\s*[@%#]function", assembly, re.MULTILINE)
    return [name for name in dict.fromkeys(found) if _part(assembly, name)]


def rows(before: Sequence[str], after: Sequence[str]) -> Iterator[Row]:
    """Both bodies line by line; the mark is "" for equal lines, and as of `diff -y` else."""
    for kind, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        for left, right in zip_longest(before[i:j], after[k:m]):
            if kind == "equal":
                yield left, "", right
            else:
                mark = "<" if right is None else ">" if left is None else "|"
                yield left or "", mark, right or ""


def show(titles: tuple[str, str], before: Sequence[str], after: Sequence[str]) -> None:
    """Print both bodies: as wide as the terminal, longer lines folded; elsewhere as wide as they
    are. Where that is too narrow for two, one stands behind the other."""
    before, after = ([output.plain(line) for line in lines] for lines in (before, after))
    titles = (output.plain(titles[0]), output.plain(titles[1]))
    terminal = sys.stdout.isatty()
    width = (shutil.get_terminal_size().columns - 3) // 2
    if terminal and width < _NARROWEST:
        for title, lines in zip(titles, (before, after), strict=True):
            click.echo("\n".join((title, *lines, "")))
        return
    if not terminal:
        width = max(map(len, (titles[0], *before)))
    for number, row in enumerate([(titles[0], "", titles[1]), *rows(before, after)]):
        for line in _folded(row, width, fold=terminal):
            click.secho(line, bold=number == 0, fg="yellow" if row[1] else None)


def _folded(row: Row, width: int, *, fold: bool) -> Iterator[str]:
    """The lines of a row; what is too long goes on below."""
    left, mark, right = row
    parts = [[text] for text in (left, right)]
    if fold:
        parts = [
            [text[at : at + width] for at in range(0, len(text), width)] for text in (left, right)
        ]
    for one, other in zip_longest(*parts, fillvalue=""):
        yield f"{one:<{width}} {mark or ' '} {other}".rstrip()
        mark = ""


def _part(assembly: str, name: str) -> list[str]:
    """The lines from a label to the end of what it begins, without directives and comments."""
    start = re.search(rf"^{re.escape(name)}:.*\n", assembly, re.MULTILINE)
    if start is None:
        return []
    end = re.compile(rf"^\s*\.size\s+{re.escape(name)}\s*,", re.MULTILINE)
    stop = end.search(assembly, start.end())
    lines = assembly[start.end() : stop.start() if stop else None].split("\n")
    return [text for line in lines if (text := _tidy(line))]


def _tidy(line: str) -> str:
    """An instruction or a label as it is shown, "" of all else."""
    text = _COMMENT.sub("", _STRING.sub('""', line)).strip()
    if not text or (text.startswith(".") and not _DEFINED.match(text)):
        return ""
    if _DEFINED.match(text):
        return text
    mnemonic, _, operands = text.partition("\t")
    operands = " ".join(operands.split())
    return f"    {mnemonic:<7} {operands}".rstrip()


def _is_unused(line: str, used: set[str]) -> bool:
    match = _DEFINED.match(line)
    return match is not None and match[1] not in used
