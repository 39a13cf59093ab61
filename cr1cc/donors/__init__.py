"""Whole objects of the same source, made by other builds of it."""
