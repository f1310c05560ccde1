"""A photograph beside what the chains draw: which units answer to it, and pushing it to a class."""
