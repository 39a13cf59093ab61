"""Fixtures of the driver's tests."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from cr1cc.records import Toolchain


@pytest.fixture(scope="session")
def clang(usable_compilers: Mapping[int, Toolchain]) -> str:
    """The newest clang there is."""
    if not usable_compilers:
        pytest.skip("no clang")
    return usable_compilers[max(usable_compilers)].driver
