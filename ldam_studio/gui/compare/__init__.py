"""Feature: compare two networks."""
