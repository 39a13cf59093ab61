"""`cr1 tune`: which donor builds make the user's own benchmark faster, with tests that pass."""
