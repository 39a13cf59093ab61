"""Vetted passes, attributes and code-generation options, pipeline text, recipes as text."""

from __future__ import annotations

import hashlib

from cr1cc.passes.attributes import ATTRIBUTES
from cr1cc.passes.macros import _MACROS
from cr1cc.passes.options import OPTIONS
from cr1cc.passes.table import PASSES

__all__ = ["TABLE_VERSION"]

# Names the tables in cache keys: a changed table makes old decisions unknown.
TABLE_VERSION: str = hashlib.blake2b(
    repr((PASSES, OPTIONS, ATTRIBUTES, sorted(_MACROS.items()))).encode(), digest_size=8
).hexdigest()
