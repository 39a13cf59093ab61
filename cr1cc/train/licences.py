"""Under which licences the packages of the corpus are, as Debian's packaging says.

FOLDER/licences.json   for each package the short name of its licence

The format is Debian's machine-readable debian/copyright
(https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/). What is not in this format
is `unnamed`: its text has to be read.
"""

from __future__ import annotations

import json
import re
import tarfile
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from cr1cc.errors import UserError
from cr1cc.train.apt import PrivateApt, stanza_fields
from cr1cc.train.packages import HELD_OUT, PACKAGES
from cr1cc.util.atomic import replace_file

UNNAMED = "unnamed"


def collect(folder: Path, note: Callable[[Iterable[str], str, int], Iterable[str]]) -> None:
    """Ask for those that are not known yet, of packages that are there. `note` shows progress."""
    path = folder / "licences.json"
    found = known(folder)
    names = [row.name for row in (*PACKAGES, *HELD_OUT) if row.name not in found]
    there = [name for name in names if (folder / "paper" / name).is_dir()]
    apt = PrivateApt(folder / "apt")
    for name in note(there, "licences", len(there)):
        with tempfile.TemporaryDirectory(prefix="cr1-licence-") as scratch:
            try:
                found[name] = _licence(apt.packaging(name, Path(scratch)))
            except UserError:
                continue  # another time
        replace_file(str(path), (json.dumps(found, indent=1, sort_keys=True) + "\n").encode())


def known(folder: Path) -> dict[str, str]:
    """By name of the package."""
    path = folder / "licences.json"
    found: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return found


def _licence(archive: Path) -> str:
    try:
        with tarfile.open(archive) as file:
            text = file.extractfile("debian/copyright")
            return licence(text.read().decode("utf-8", "replace")) if text else UNNAMED
    except (KeyError, tarfile.TarError):
        return UNNAMED


def licence(text: str) -> str:
    """That of most files, which the stanza for all files names, else all that are named."""
    named: dict[str, str] = {}
    for stanza in re.split(r"\n\s*\n", text):
        fields = stanza_fields(stanza.splitlines())
        files, short = (_value(fields.get(name, [])) for name in ("files", "license"))
        if files and short:
            named.setdefault(files, short)
    if "*" in named:
        return named["*"]
    return " / ".join(sorted(set(named.values()))) or UNNAMED


def _value(lines: list[str]) -> str:
    return lines[0].partition(":")[2].strip() if lines else ""
