"""Feature: open networks, pictures and weights."""
