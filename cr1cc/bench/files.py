"""The modules that paths mean."""

from __future__ import annotations

import os
from collections.abc import Sequence

from cr1cc.errors import UserError

SUFFIXES = (".c", ".ll", ".bc")


def files(paths: Sequence[str]) -> list[str]:
    """The modules that are meant, folders searched. Raises UserError for what is none."""
    found: list[str] = []
    for path in paths:
        if os.path.isdir(path):
            inside = [
                os.path.join(folder, name)
                for folder, _, names in os.walk(path)
                for name in names
                if name.endswith(SUFFIXES)
            ]
            found += sorted(inside)
        elif not path.endswith(SUFFIXES):
            raise UserError(f"{path}: neither a folder nor a {', '.join(SUFFIXES)} file")
        elif not os.path.isfile(path):
            raise UserError(f"{path}: no such file")
        else:
            found.append(path)
    if not found:
        raise UserError(f"no {', '.join(SUFFIXES)} file in {', '.join(paths)}")
    return list(dict.fromkeys(found))
