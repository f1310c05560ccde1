"""Feature: export pictures."""
