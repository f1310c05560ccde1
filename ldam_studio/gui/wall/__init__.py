"""Feature: all chains as a wall, of which some can be chosen and changed."""
