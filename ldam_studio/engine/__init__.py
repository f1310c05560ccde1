"""A running session: its state, the one function that advances it, and what drives that."""
