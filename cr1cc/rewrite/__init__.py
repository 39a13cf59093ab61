"""Rewrites of assembly by rules: a few instructions for shorter or faster ones, each proved."""
