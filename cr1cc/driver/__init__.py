"""Command lines: the option table, response files, and argv → plan or reason."""
