"""Changes to a running session: what may be asked for, and what each one does."""
