"""Feature: run, pause and restart the chains, and undo changes."""
