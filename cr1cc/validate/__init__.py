"""Checks that a new object must pass before it may replace the baseline."""
