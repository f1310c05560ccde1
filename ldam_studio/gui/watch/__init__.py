"""Feature: watch a network while it is trained."""
