"""PyTorch, as all of training imports it.

PyTorch takes any module named `triton` for the compiler of GPU kernels. The lifter of the extra
`prove` has that name, too, and nothing here needs the other one: PyTorch is told that there is
none.
"""

from __future__ import annotations

import sys
from typing import Any

_modules: dict[str, Any] = sys.modules
_theirs = _modules.get("triton")
_modules["triton"] = None  # an import of it fails from now on
try:
    import torch
    from torch import Tensor, nn
    from torch.nn import functional
    from torch.utils import _triton

    _triton.has_triton_package.cache_clear()  # another one may have imported PyTorch before
    _triton.has_triton_package()  # which remembers the answer
finally:
    del _modules["triton"]
    if _theirs is not None:
        _modules["triton"] = _theirs

__all__ = ["Tensor", "device", "functional", "nn", "torch"]


def device() -> str:
    """Where networks learn."""
    return "cuda" if torch.cuda.is_available() else "cpu"
