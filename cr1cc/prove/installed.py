"""Which of the packages are installed that proofs need, without loading any."""

from __future__ import annotations

import os
import sys
from functools import cache

PACKAGES = ("triton-library", "z3-solver", "bitwuzla")
MISSING = "proofs need more packages: pip install 'cr1cc[prove]'"

# Folders and files beside a package that say what it is (Python packaging: "Recording installed
# projects").
_ENDINGS = (".dist-info", ".egg-info")


def version_of(package: str) -> str | None:
    """The version of an installed distribution, None if there is none.

    By the names of folders: `importlib.metadata` takes longer than a compile with a known object
    has."""
    return _installed().get(package.lower().replace("-", "_"))


def proving_packages() -> str:
    """All packages that proofs need with their versions, "" if one is missing."""
    found = [(name, version_of(name)) for name in PACKAGES]
    return ", ".join(f"{n} {v}" for n, v in found if v) if all(v for _, v in found) else ""


@cache
def _installed() -> dict[str, str]:
    wanted = tuple(name.lower().replace("-", "_") + "-" for name in PACKAGES)
    found: dict[str, str] = {}
    for folder in sys.path:
        try:
            names = os.listdir(folder or ".")
        except OSError:
            continue
        for name in names:
            if name.lower().startswith(wanted) and name.endswith(_ENDINGS):
                package, version = name.rpartition(".")[0].lower().split("-")[:2]
                found.setdefault(package, version)
    return found
