"""A feature: moments of the session that are pinned, each with its picture."""
