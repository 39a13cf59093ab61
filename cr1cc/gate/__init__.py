"""The gate: whether a body that no compiler vouches for may stand in for another one."""
