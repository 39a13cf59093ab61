"""`cr1 bench`: proposers compared with each other on any modules."""
