"""What can go wrong with a project, apart from what it is meant to find."""

from __future__ import annotations


class FetchError(Exception):
    """A source archive cannot be had here; the text is one line that says why."""


class BuildError(Exception):
    """A project's own build failed; the text ends with the end of its log."""
