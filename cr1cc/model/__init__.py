"""The local model: what it reads and writes, and the process that it runs in."""

from __future__ import annotations

import os

SHIPPED = os.path.join(os.path.dirname(__file__), "recipes.gguf")
