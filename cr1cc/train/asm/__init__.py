"""Corpus and labels of the model of assembly."""
