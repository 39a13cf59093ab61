"""Decisions: shipped packs, the local store, and the journal of what became of each command."""
