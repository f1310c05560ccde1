"""Exporting pictures."""
