"""Where the data that ships with the package lies."""

from __future__ import annotations

import os

_ROOT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "_data")


def data_path(kind: str, name: str = "") -> str:
    """The absolute path of shipped data: kind `cache` or `wrappers`, and a file in it.

    `_data` holds links to the top-level folders in a checkout and copies of them in an
    installed package, so both are found alike. The file need not exist.
    """
    return os.path.join(_ROOT, kind, name) if name else os.path.join(_ROOT, kind)
