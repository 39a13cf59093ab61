"""Windows of instructions in a normal form, for the corpus and the model of assembly."""
