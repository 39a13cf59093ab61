"""GNU assembly as compilers write it: read, printed, and spliced from several compilations."""
