"""Watching a network while it is trained."""
