"""Objects for the levels of speed: builds of the same source, whole or function by function."""
