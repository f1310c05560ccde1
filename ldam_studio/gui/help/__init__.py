"""Feature: the guide in a window of its own."""
