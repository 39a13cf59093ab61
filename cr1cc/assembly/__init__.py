"""Windows of instructions in a normal form, their cost, and the search for better ones."""
