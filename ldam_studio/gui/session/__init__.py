"""The window's side of a session: what is shown of it, and what is asked of it."""
