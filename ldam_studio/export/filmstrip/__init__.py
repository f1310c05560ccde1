"""A filmstrip: moments of a session that are kept, each with its picture."""
