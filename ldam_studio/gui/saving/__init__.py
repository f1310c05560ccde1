"""Feature: saving the session as a file."""
