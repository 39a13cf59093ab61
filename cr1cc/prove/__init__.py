"""Whether one body of a function may stand for another one: proved, refuted or unknown."""
